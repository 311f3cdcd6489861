// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/connection.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/wire/failure.hpp"

namespace teleport {

namespace {

/// What is left to say at the end has this long to arrive: some round trips,
/// and a second of data on a slow link before it.
constexpr std::chrono::seconds finish_limit{5};

/// Queued records are written together up to this many bytes.
constexpr std::size_t write_batch = 256_KiB;

}  // namespace

connection::connection(event_loop& loop,
                       link_terms terms,
                       std::shared_ptr<lane> first)
    : loop_(loop), terms_(std::move(terms)) {
  tracks_.push_back(std::make_unique<track>(std::move(first), framer()));
}

void connection::connect(event_loop& loop,
                         const link_terms& terms,
                         const std::string& host,
                         std::uint16_t port,
                         const ready_handler& ready) {
  lane::connect(
      loop,
      terms,
      host,
      port,
      [&loop, terms, ready](const result<std::shared_ptr<lane>>& first) {
        if (!first) {
          ready(first.error());
        } else if (!(*first)->pinned()) {
          (*first)->close();
          ready((*first)->pinned().error());
        } else {
          ready(std::make_shared<connection>(loop, terms, *first));
        }
      });
}

void connection::accept(event_loop& loop,
                        const link_terms& terms,
                        unique_fd socket,
                        const ready_handler& ready) {
  lane::accept(
      loop,
      terms,
      std::move(socket),
      [&loop, terms, ready](const result<std::shared_ptr<lane>>& first) {
        if (!first) {
          ready(first.error());
          return;
        }
        const auto self = std::make_shared<connection>(loop, terms, *first);
        if ((*first)->pinned()) {
          ready(self);
        } else {
          self->turn_away((*first)->pinned().error(), ready);
        }
      });
}

/// The stranger is told what to do, and nothing else.
void connection::turn_away(const error& cause, const ready_handler& ready) {
  start({});
  send(
      record_type::fail,
      encode(failure_note{std::string(name_of(errc::not_paired)),
                          "the destination does not know this host's key: run "
                          "'teleportctl pair root@DESTINATION' on this host"}));
  finish([cause, ready] { ready(cause); });
}

void connection::start(handlers callbacks) {
  handlers_ = std::move(callbacks);
  for (const auto& one : tracks_) {
    one->link->start(weak_from_this());
  }
  read();
}

connection::track* connection::track_of(const lane& one) noexcept {
  const auto found = std::ranges::find_if(
      tracks_, [&one](const auto& each) { return each->link.get() == &one; });
  return found == tracks_.end() ? nullptr : found->get();
}

/// Of each lane, unless enough of it waits for others.
void connection::read() {
  for (std::size_t i = 0; i < tracks_.size() && !closed_; ++i) {
    if (half_closed_ || (!paused_ && order_.may_read(i))) {
      tracks_[i]->link->read();
    }
  }
}

void connection::on_bytes(lane& from, byte_span bytes) {
  if (half_closed_) {
    from.read();  // to its end
    return;
  }
  if (track* const at = track_of(from)) {
    at->input.feed(bytes);
    deliver();
  }
}

void connection::deliver() {
  if (delivering_) {
    return;  // resume() was called from inside on_record
  }
  delivering_ = true;
  while (!paused_ && !closed_) {
    auto record = next_record();
    if (!record) {
      delivering_ = false;
      fail(record.error());
      return;
    }
    if (!*record) {
      break;
    }
    if (handlers_.on_record) {
      handlers_.on_record(std::move(**record));
    }
  }
  delivering_ = false;
  if (!paused_) {
    read();
  }
}

/// The next record for the session. The link's own are dealt with on the way.
result<std::optional<raw_record>> connection::next_record() {
  for (;;) {
    while (const auto slice = order_.next()) {
      whole_.feed(*slice);
    }
    if (slices_come_) {
      auto record = whole_.next();
      if (!record || *record) {
        return record;
      }
    }
    bool more = false;
    for (std::size_t i = 0; i < tracks_.size() && !more; ++i) {
      auto record = tracks_[i]->input.next();
      if (!record) {
        return record;
      }
      if (!*record) {
        continue;
      }
      more = true;
      raw_record& got = **record;
      result<void> taken;
      if (got.type == record_type::slice && door_) {
        slices_come_ = slices_come_ || i == 0;
        taken = order_.take(i, got.body);
      } else if (slices_come_ || i != 0) {
        taken = error(errc::protocol, "a record beside the slices");
      } else if (got.type < record_type::ask_lanes) {
        return record;
      } else {
        taken = on_link_record(got);
      }
      if (!taken) {
        return taken.error();
      }
    }
    if (!more) {
      return std::optional<raw_record>();
    }
  }
}

void connection::pause() {
  paused_ = true;
}

void connection::resume() {
  if (std::exchange(paused_, false)) {
    // Later in this turn of the loop: who goes on may have more to set up.
    loop_.post([self = shared_from_this()] { self->deliver(); });
  }
}

void connection::send(record_type type, byte_span body) {
  enqueue(queue_, type, body);
}

void connection::send_ahead(record_type type, byte_span body) {
  enqueue(ahead_, type, body);
}

void connection::enqueue(std::deque<byte_buffer>& to,
                         record_type type,
                         byte_span body) {
  if (closed_ || finishing_) {
    return;
  }
  to.push_back(frame(type, body));
  queued_ += to.back().size();
  if (!write_posted_) {
    // Later in this turn of the loop, so that records queued together are
    // written together.
    write_posted_ = true;
    loop_.post([self = shared_from_this()] {
      self->write_posted_ = false;
      self->write();
    });
  }
}

void connection::write() {
  // The first slice comes on the first lane, behind all that is not in slices.
  if (next_slice_.value_or(0) == 0) {
    write_on(*tracks_.front());
  }
  if (next_slice_.value_or(0) > 0) {
    // Another one first each time: where all have room, all get the same.
    ++turn_;
    for (std::size_t i = 0; i < tracks_.size() && !closed_; ++i) {
      write_on(*tracks_[(turn_ + i) % tracks_.size()]);
    }
  }
  const bool over = queued_ == 0 &&
                    std::ranges::none_of(
                        tracks_, [](const auto& one) { return one->writing; });
  if (over && finishing_ && !half_closed_ && !closed_) {
    half_close();
  }
}

/// Up to `most` bytes of the records to be sent, in their order.
byte_span connection::next_output(std::size_t most) {
  if (taken_ == output_.size()) {
    output_.clear();
    taken_ = 0;
    while (output_.size() < write_batch &&
           !(ahead_.empty() && queue_.empty())) {
      auto& from = ahead_.empty() ? queue_ : ahead_;
      output_.insert(output_.end(), from.front().begin(), from.front().end());
      from.pop_front();
    }
  }
  const std::size_t size = std::min(most, output_.size() - taken_);
  const byte_span bytes = byte_span(output_).subspan(taken_, size);
  taken_ += size;
  return bytes;
}

void connection::write_on(track& to) {
  if (to.writing || to.ended || pacing_) {
    return;
  }
  if (asked_ && tracks_.size() > 1 && !next_slice_ &&
      taken_ == output_.size()) {
    next_slice_ = 0;
  }
  const std::size_t paced = pacer_ ? pacer_->piece() : write_batch;
  const byte_span bytes =
      next_output(std::min(paced, next_slice_ ? max_slice_bytes : write_batch));
  if (bytes.empty()) {
    return;
  }
  to.writing = true;
  to.size = bytes.size();
  if (next_slice_) {
    to.output = frame(record_type::slice, encode_slice(*next_slice_, bytes));
    ++*next_slice_;
  }
  const byte_span out = next_slice_ ? byte_span(to.output) : bytes;
  if (pacer_) {
    const auto wait = pacer_->reserve(to.size) - pacer::clock::now();
    if (wait > std::chrono::milliseconds(1)) {
      // One turn for all lanes: others share the link by turns, too.
      was_paced_ = true;
      pacing_ = true;
      pace_timer_ = loop_.after(
          std::chrono::duration_cast<std::chrono::milliseconds>(wait),
          [weak = weak_from_this(), link = to.link, out] {
            const auto self = weak.lock();
            if (self && !self->closed_) {
              self->pacing_ = false;
              link->write(out);
              self->write();
            }
          });
      return;
    }
  }
  to.link->write(out);
}

void connection::on_written(lane& by) {
  track* const at = track_of(by);
  if (closed_ || at == nullptr) {
    return;
  }
  at->writing = false;
  queued_ -= at->size;
  write();
  if (handlers_.on_drained && !closed_) {
    handlers_.on_drained();
  }
}

std::string connection::congestion_control() const {
  return tracks_.front()->link->congestion_control();
}

void connection::finish(std::function<void()> done) {
  if (closed_) {
    loop_.post(std::move(done));
    return;
  }
  finished_ = std::move(done);
  if (std::exchange(finishing_, true)) {
    return;
  }
  look_timer_ = timer();
  deadline_ = loop_.after(finish_limit, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->close();
    }
  });
  if (!write_posted_) {
    write();
  }
}

void connection::half_close() {
  half_closed_ = true;
  for (const auto& one : tracks_) {
    one->link->end_sending();
  }
  read();
}

/// A peer that closes closes all lanes, one after the other: what it has said on
/// the others is still heard.
void connection::on_lost(lane& which, const error& cause, bool cleanly) {
  track* const at = track_of(which);
  if (closed_ || at == nullptr) {
    return;
  }
  at->ended = true;
  const bool all =
      std::ranges::all_of(tracks_, [](const auto& one) { return one->ended; });
  if (half_closed_) {
    if (all) {
      close();
    }
  } else if (all || !cleanly) {
    fail(cause);
  } else if (!finishing_ && !ending_) {
    ending_ = true;
    deadline_ = loop_.after(finish_limit, [weak = weak_from_this(), cause] {
      if (const auto self = weak.lock()) {
        self->fail(cause);
      }
    });
  }
}

void connection::close() {
  if (closed_) {
    return;
  }
  last_counters_ = counters();
  closed_ = true;
  deadline_ = timer();
  look_timer_ = timer();
  pace_timer_ = timer();
  door_.reset();
  for (const auto& one : tracks_) {
    one->link->close();
  }
  if (finished_) {
    loop_.post(std::exchange(finished_, nullptr));
  }
}

void connection::fail(error cause) {
  close();
  // The handlers may hold the owner of this connection: let go of them.
  const handlers last = std::exchange(handlers_, {});
  if (last.on_closed) {
    last.on_closed(std::move(cause));
  }
}

link_counters connection::counters() const {
  if (closed_) {
    return last_counters_;
  }
  link_counters all;
  for (const auto& one : tracks_) {
    const auto each = one->link->counters();
    all.sent += each.sent;
    all.received += each.received;
  }
  return all;
}

const std::string& connection::peer_name() const noexcept {
  return tracks_.front()->link->peer_name();
}

}  // namespace teleport
