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

bool fill_with_random(std::span<std::byte> out) {
  return RAND_bytes(reinterpret_cast<unsigned char*>(out.data()),
                    static_cast<int>(out.size())) == 1;
}

bool is_secret(byte_span said, const extent_digest& secret) {
  return said.size() == secret.size() &&
         CRYPTO_memcmp(said.data(), secret.data(), secret.size()) == 0;
}

/// A lane that came, until it has said JOIN.
class joining_lane : public lane_owner,
                     public std::enable_shared_from_this<joining_lane> {
 public:
  /// @param joined  told once whether it may; with what came behind JOIN
  joining_lane(const extent_digest& secret,
               std::function<void(bool, framer)> joined)
      : secret_(secret), joined_(std::move(joined)) {}

  void begin(event_loop& loop, const std::shared_ptr<lane>& one) {
    deadline_ = loop.after(join_limit, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->tell(false);
      }
    });
    one->start(shared_from_this());
    one->read();
  }

  void on_bytes(lane& from, byte_span bytes) override {
    input_.feed(bytes);
    const auto record = input_.next();
    if (record && !*record) {
      from.read();
      return;
    }
    tell(record && (*record)->type == record_type::join &&
         is_secret((*record)->body, secret_));
  }
  void on_written(lane& /*by*/) override {}
  void on_lost(lane& /*which*/,
               const error& /*cause*/,
               bool /*cleanly*/) override {
    tell(false);
  }

 private:
  void tell(bool may) {
    deadline_ = timer();
    if (const auto joined = std::exchange(joined_, nullptr)) {
      joined(may, std::move(input_));
    }
  }

  extent_digest secret_;
  std::function<void(bool, framer)> joined_;
  framer input_;
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
  if (!in.done() || run_path_.empty() || door_) {
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
  lane::accept(loop_,
               terms_,
               std::move(socket),
               [weak = weak_from_this()](result<std::shared_ptr<lane>> came) {
                 const auto self = weak.lock();
                 if (!self || self->closed_) {
                   if (came) {
                     (*came)->close();
                   }
                   return;
                 }
                 if (came && (*came)->pinned() &&
                     (*came)->peer_name() == self->peer_name()) {
                   self->await_join(*came);
                   return;
                 }
                 --self->joining_;
                 log_warning(in_context("a further connection",
                                        !came ? came.error()
                                        : !(*came)->pinned()
                                            ? (*came)->pinned().error()
                                            : error(errc::not_paired,
                                                    "it is another host's"))
                                 .context);
                 if (came) {
                   (*came)->close();
                 }
               });
}

void connection::await_join(const std::shared_ptr<lane>& one) {
  const auto joined = [weak = weak_from_this(), one](bool may, framer input) {
    const auto self = weak.lock();
    if (self) {
      --self->joining_;
    }
    if (!self || self->closed_ || !may) {
      log_warning("a further connection did not join its link");
      one->close();
      return;
    }
    self->add_lane(one);
    self->tracks_.back()->input = std::move(input);
    self->deliver();
  };
  std::make_shared<joining_lane>(lanes_secret_, joined)->begin(loop_, one);
}

// The source.

void connection::widen() {
  if (terms_.options.connections == 0) {
    look_later();
  } else {
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
  lane_policy::look seen;
  seen.acknowledged = counters().sent;
  seen.busy = !std::exchange(was_paced_, false);
  std::uint64_t segments = 0;
  std::uint64_t resent = 0;
  for (const auto& one : tracks_) {
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
    while (tracks_.size() + opening_ < std::min(wanted_, 1 + may_open_)) {
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
  if (!in.done() || !asked_ || may_open_ != 0 || count >= most_lanes) {
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
        const bool wanted = self && !self->closed_ && !self->finishing_;
        if (self) {
          --self->opening_;
        }
        if (wanted && made && (*made)->pinned() &&
            (*made)->peer_name() == self->peer_name()) {
          self->add_lane(*made);
          // Its first bytes, before any slice.
          track& added = *self->tracks_.back();
          added.output = frame(record_type::join, self->lanes_secret_);
          added.writing = true;
          added.link->write(added.output);
          added.link->read();
          return;
        }
        if (made) {
          (*made)->close();
        }
        if (wanted) {
          // What there is carries on; asking again would not help.
          self->may_open_ = self->lanes() - 1;
          log_info("a further connection could not be had: " +
                   (made ? std::string("another key is shown there")
                         : made.error().context));
        }
      });
}

void connection::add_lane(const std::shared_ptr<lane>& one) {
  tracks_.push_back(std::make_unique<track>(one));
  one->start(shared_from_this());
  log_debug(fmt::format("{} connections side by side", tracks_.size()));
}

}  // namespace teleport
