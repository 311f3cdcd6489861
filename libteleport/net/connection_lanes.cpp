// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/connection_lanes.cpp: how further lanes of a connection come
// to be: asked for, opened and let in. PROTOCOL.md, section 1.1.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "libteleport/base/log.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/socket_tuning.hpp"

namespace teleport {

namespace {

/// How often it is looked whether one lane is enough.
constexpr std::chrono::seconds look_interval{1};

/// A lane whose key was accepted has this long to say JOIN.
constexpr std::chrono::seconds join_limit{20};

/// Of the last second, from which on the peer's window counts as what holds the
/// link up.
constexpr std::uint64_t peer_full_us = 200'000;

/// bbr does not mind what is lost by chance; a limit on the way that drops what
/// is above it takes far more.
constexpr std::uint64_t much_lost_in = 50;

/// Lanes that are opened at the same time: each takes one of the processes that
/// the destination has for everybody.
constexpr unsigned most_opening = 2;

/// After so many that came to nothing no more are opened.
constexpr unsigned most_failures = 3;

bool fill_with_random(std::span<std::byte> out) {
  return RAND_bytes(reinterpret_cast<unsigned char*>(out.data()),
                    static_cast<int>(out.size())) == 1;
}

bool is_same(byte_span said, byte_span wanted) {
  return said.size() == wanted.size() &&
         CRYPTO_memcmp(said.data(), wanted.data(), wanted.size()) == 0;
}

/// A lane until its first record has come: JOIN, at either end.
class joining_lane : public lane_owner,
                     public std::enable_shared_from_this<joining_lane> {
 public:
  /// With what came behind JOIN; nullopt: it may not, and is closed.
  using joined_handler = std::function<void(std::optional<framer>)>;

  joining_lane(std::shared_ptr<lane> one,
               byte_buffer wanted,
               joined_handler joined)
      : lane_(std::move(one)),
        wanted_(std::move(wanted)),
        joined_(std::move(joined)) {}

  /// @param said  JOIN, where it is ours to say it first; else empty
  void begin(event_loop& loop, byte_buffer said) {
    // The timer keeps this alive; tell() takes it away.
    deadline_ =
        loop.after(join_limit, [self = shared_from_this()] { self->fail(); });
    said_ = std::move(said);
    lane_->start(weak_from_this());
    if (!said_.empty()) {
      lane_->write(said_);
    }
    lane_->read();
  }

  void on_bytes(lane& from, byte_span bytes) override {
    input_.feed(bytes);
    const auto record = input_.next();
    if (record && !*record) {
      from.read();
    } else if (record && (*record)->type == record_type::join &&
               is_same((*record)->body, wanted_)) {
      tell(std::move(input_));
    } else {
      fail();
    }
  }
  void on_written(lane& /*by*/) override {}
  void on_lost(lane& /*which*/,
               const error& /*cause*/,
               bool /*cleanly*/) override {
    fail();
  }

 private:
  void fail() {
    lane_->close();
    tell(std::nullopt);
  }
  void tell(std::optional<framer> outcome) {
    const auto kept = shared_from_this();
    deadline_ = timer();
    if (const auto joined = std::exchange(joined_, nullptr)) {
      joined(std::move(outcome));
    }
  }

  std::shared_ptr<lane> lane_;
  byte_buffer wanted_;
  byte_buffer said_;
  joined_handler joined_;
  framer input_{max_slice_body};
  timer deadline_;
};

}  // namespace

unsigned connection::lanes() const noexcept {
  return static_cast<unsigned>(tracks_.size());
}

result<void> connection::on_link_record(const raw_record& record) {
  switch (record.type) {
    case record_type::ask_lanes:
      return on_ask_lanes(record);
    case record_type::lanes:
      return on_lanes(record);
    default:
      return error(errc::protocol,
                   fmt::format("record type {} out of time",
                               static_cast<unsigned>(record.type)));
  }
}

// The destination.

result<void> connection::on_ask_lanes(const raw_record& record) {
  byte_reader in(record.body);
  const byte_span name = in.take(lanes_name_.size());
  const byte_span secret = in.take(lanes_secret_.size());
  if (!in.done() || run_path_.empty() || std::exchange(was_asked_, true)) {
    return error(errc::protocol, "ASK_LANES record: malformed or out of time");
  }
  copy_bytes(name, lanes_name_);
  copy_bytes(secret, lanes_secret_);
  auto door =
      lane_door::open(loop_, run_path_, lanes_name_, [this](unique_fd socket) {
        take_lane(std::move(socket));
      });
  if (!door) {
    log_warning(in_context("no further connections", door.error()).context);
  } else {
    door_ = std::move(*door);
  }
  byte_writer answer;
  answer.number(static_cast<std::uint8_t>(door_ ? most_lanes - 1 : 0));
  send_ahead(record_type::lanes, std::move(answer).take());
  return {};
}

void connection::take_lane(unique_fd socket) {
  if (closed_ || finishing_ || tracks_.size() + joining_ >= most_lanes) {
    return;
  }
  ++joining_;
  tune_further_lane(socket.get());
  lane::accept(loop_,
               terms_,
               std::move(socket),
               [weak = weak_from_this()](result<std::shared_ptr<lane>> came) {
                 const auto self = weak.lock();
                 if (self && came && self->is_same_peer(**came)) {
                   self->await_join(*came);
                   return;
                 }
                 if (came) {
                   (*came)->close();
                 }
                 if (self) {
                   --self->joining_;
                   log_warning("a further connection is not of this link");
                 }
               });
}

void connection::await_join(const std::shared_ptr<lane>& one) {
  const auto joined = [weak = weak_from_this(),
                       one](std::optional<framer> input) {
    const auto self = weak.lock();
    if (self) {
      --self->joining_;
    }
    if (!self || self->closed_ || self->finishing_) {
      one->close();
      return;
    }
    if (!input) {
      log_warning("a further connection did not join its link");
      return;
    }
    self->add_lane(one, std::move(*input));
    // The one thing that is said back on it: it counts.
    track& added = *self->tracks_.back();
    added.output = frame(record_type::join, {});
    added.writing = true;
    one->write(added.output);
    self->deliver();
  };
  const auto joining = std::make_shared<joining_lane>(
      one, byte_buffer(lanes_secret_.begin(), lanes_secret_.end()), joined);
  joining->begin(loop_, {});
}

bool connection::is_same_peer(const lane& one) const {
  return one.pinned() && one.peer_name() == peer_name();
}

// The source.

void connection::widen() {
  if (terms_.options.connections != 1) {
    look_later();
    want_lanes(terms_.options.connections);
  }
}

void connection::look_later() {
  look_timer_ = loop_.after(look_interval, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !self->closed_ && !self->finishing_) {
      self->look();
      self->look_later();
    }
  });
}

/// How the last second went, and what follows from it.
void connection::look() {
  if (terms_.options.connections != 0) {
    want_lanes(terms_.options.connections);
    return;
  }
  lane_policy::look seen;
  seen.acknowledged = counters().sent;
  seen.busy = !std::exchange(was_paced_, false);
  std::uint64_t segments = 0;
  std::uint64_t resent = 0;
  for (const auto& one : tracks_) {
    if (one->ended) {
      continue;
    }
    const link_effort now = one->link->effort();
    segments += now.segments - one->effort.segments;
    resent += now.resent - one->effort.resent;
    seen.busy = seen.busy && !now.idle &&
                now.peer_full_us - one->effort.peer_full_us < peer_full_us;
    one->effort = now;
  }
  seen.lossy = congestion_control() == "bbr" ? resent * much_lost_in >= segments
                                             : resent > 0;
  want_lanes(policy_.on_look(seen, lane_policy::time_point::clock::now()));
}

void connection::want_lanes(unsigned count) {
  wanted_ = std::max(wanted_, count);
  if (wanted_ == 1 || closed_ || finishing_) {
    return;
  }
  if (asked_) {
    while (opening_ < most_opening && failed_ < most_failures &&
           tracks_.size() + opening_ < std::min(wanted_, 1 + may_open_)) {
      open_lane();
    }
    return;
  }
  asked_ = true;
  if (!fill_with_random(lanes_name_) || !fill_with_random(lanes_secret_)) {
    return;
  }
  byte_writer asking;
  asking.bytes(lanes_name_);
  asking.bytes(lanes_secret_);
  send_ahead(record_type::ask_lanes, std::move(asking).take());
}

result<void> connection::on_lanes(const raw_record& record) {
  byte_reader in(record.body);
  const auto count = in.number<std::uint8_t>();
  if (!in.done() || !asked_ || count >= most_lanes ||
      std::exchange(answered_, true)) {
    return error(errc::protocol, "LANES record: malformed or out of time");
  }
  may_open_ = count;
  want_lanes(wanted_);
  return {};
}

void connection::open_lane() {
  ++opening_;
  lane::connect_beside(
      loop_,
      terms_,
      tracks_.front()->link->peer(),
      lane_preamble(lanes_name_),
      [weak = weak_from_this()](result<std::shared_ptr<lane>> made) {
        const auto self = weak.lock();
        if (self && made && self->is_same_peer(**made)) {
          self->say_join(*made);
          return;
        }
        if (made) {
          (*made)->close();
        }
        if (self) {
          self->lane_failed(
              made ? error(errc::not_paired, "another key is shown there")
                   : made.error());
        }
      });
}

void connection::say_join(const std::shared_ptr<lane>& one) {
  const auto joined = [weak = weak_from_this(),
                       one](std::optional<framer> input) {
    const auto self = weak.lock();
    if (!self || self->closed_ || self->finishing_) {
      one->close();
    } else if (!input) {
      self->lane_failed({errc::refused, "the destination did not take it"});
    } else {
      --self->opening_;
      self->add_lane(one, std::move(*input));
      self->read();
      self->write();
      self->want_lanes(self->wanted_);
    }
  };
  const auto joining =
      std::make_shared<joining_lane>(one, byte_buffer(), joined);
  joining->begin(loop_, frame(record_type::join, lanes_secret_));
}

/// What there is carries on, and the next look tries again.
void connection::lane_failed(const error& cause) {
  --opening_;
  if (++failed_ == most_failures) {
    log_info("further connections cannot be had: " + cause.context);
  }
}

void connection::add_lane(const std::shared_ptr<lane>& one, framer input) {
  tracks_.push_back(std::make_unique<track>(one, std::move(input)));
  one->start(weak_from_this());
  log_debug(fmt::format("{} connections side by side", tracks_.size()));
}

}  // namespace teleport
