// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/destination_steps.cpp: destination_session's longer
// steps: each does what one action of the course says.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/wire/record.hpp"
#include "libteleport/xen/guest_config.hpp"
#include "xl-teleport/destination/built_guest.hpp"
#include "xl-teleport/destination/destination_host.hpp"
#include "xl-teleport/destination/destination_session.hpp"
#include "xl-teleport/destination/leftovers.hpp"
#include "xl-teleport/destination/query_reply.hpp"

namespace teleport {

namespace {

/// Bytes of the stream that xl has not read yet, before the link is paused.
constexpr std::size_t max_queued_stream = 16_MiB;

std::vector<std::uint64_t> sizes_of(const guest_info& guest) {
  std::vector<std::uint64_t> sizes;
  for (const guest_disk& disk : moved_disks(guest)) {
    sizes.push_back(disk.size);
  }
  return sizes;
}

}  // namespace

/// Runs `work` on the pool, then `then`, unless one failed meanwhile.
template <class Work, class Then>
void destination_session::on_pool(Work work, Then then) {
  ++jobs_;
  loop_.work(std::move(work),
             [this, then = std::move(then)](const result<void>& outcome) {
               --jobs_;
               if (course_.at() == destination_state::leaving) {
                 destroy_when_quiet();
               } else if (!outcome) {
                 fail(outcome.error());
               } else {
                 then();
               }
             });
}

result<void> destination_session::greet(const raw_record& record) {
  const auto checked = check_hello(record.body, "the source");
  const bool other = !checked && checked.error().code == errc::unsupported;
  if (checked || other) {
    link_->send(record_type::hello, own_hello());
  }
  if (other) {
    course_.on_other_version();
    failure_ = checked.error();
    return {};
  }
  return checked;
}

result<void> destination_session::answer_query(const raw_record& record) {
  auto query = read_query(record.body);
  if (!query) {
    return query.error();
  }
  loop_.work(
      [this, query = *query, options = options_] {
        return reply_to(query, peer_, options);
      },
      [this, id = query->id](destination_fate fate) {
        log_info(fmt::format(
            "asked for teleport {}: {}", id, static_cast<unsigned>(fate)));
        link_->send(record_type::query_result, encode(fate));
        perform(course_.on_query_answered());
      });
  return {};
}

result<void> destination_session::receive_seed(const raw_record& record) {
  auto offered = read_seed_offer(as_text(record.body));
  if (!offered) {
    return offered.error();
  }
  seed_ = std::make_unique<seed_reception>(
      loop_,
      options_,
      peer_,
      *link_,
      *lookup_,
      [this](const error& cause) { fail(cause); },
      [this] { perform(course_.on_seeded()); });
  seed_->start(std::move(*offered));
  return {};
}

result<void> destination_session::consider(const raw_record& record) {
  auto offered = read_offer(as_text(record.body));
  if (!offered) {
    return offered.error();
  }
  offer_ = std::move(*offered);
  log_info(fmt::format("{} offers {} ({}), teleport {}",
                       peer_.name,
                       offer_.guest.name,
                       offer_.guest.uuid,
                       offer_.id));
  loop_.work(
      [this, offered_here = offer_, options = options_] {
        // A guest that a dead session left half-built is in this one's way.
        (void)clear_leftovers(options);
        return teleport::consider(offered_here, options, peer_);
      },
      [this](result<answer> reply) {
        if (!reply) {
          fail(reply.error());
          return;
        }
        answer_ = std::move(*reply);
        answer_.gives_turns = true;
        perform(course_.on_considered(answer_.problems.empty()));
      });
  return {};
}

void destination_session::prepare() {
  on_pool([this] { return hold_.prepare(offer_, peer_, options_); },
          [this] { perform(course_.on_prepared()); });
}

void destination_session::make_intake() {
  disk_intake::events events;
  events.send = [this](const raw_record& record) { tell_of_disks(record); };
  events.on_failed = [this](const error& cause) { fail(cause); };
  events.on_rest = [this] { destroy_when_quiet(); };
  intake_ = std::make_unique<disk_intake>(loop_,
                                          *lookup_,
                                          options_.state_path,
                                          sizes_of(offer_.guest),
                                          std::move(events));
  intake_->set_targets(hold_.disks()->targets());
}

void destination_session::tell_of_targets() {
  const std::string text = to_json(hold_.disks()->described());
  const byte_span body = as_bytes(text);
  // Where there is no extent to be proven, this is what the memory waits for.
  tell_of_disks({record_type::prepared, {body.begin(), body.end()}});
}

/// A source that takes no turns sends the memory once it has been told that
/// every extent is proven: what tells it so is kept back until xl has no other
/// guest's memory to wait for (PROTOCOL.md, section 4.3).
void destination_session::tell_of_disks(const raw_record& record) {
  plan_flush();
  const bool has_turn = course_.at() != destination_state::disks &&
                        course_.at() != destination_state::waiting;
  if (offer_.takes_turns || has_turn || !intake_->state().all_proven()) {
    link_->send(record.type, record.body);
    return;
  }
  kept_back_.push_back(record);
  perform(course_.on_last_proof());
}

void destination_session::take_turn() {
  turn_.await(offer_.guest.name,
              offer_.guest.max_memory_kib,
              [this](const result<void>& held) {
                if (!held) {
                  fail(held.error());
                  return;
                }
                perform(course_.on_turn());
              });
}

void destination_session::send_turn() {
  if (offer_.takes_turns) {
    link_->send(record_type::turn, {});
  }
  for (const raw_record& next : std::exchange(kept_back_, {})) {
    link_->send(next.type, next.body);
  }
}

/// STREAM_PIECE may be right behind GUEST_CONFIG: the link waits for xl.
void destination_session::start_xl(const raw_record& record) {
  link_->pause();
  on_pool([this] { return hold_.disks()->flush(); },
          [this, config = std::string(as_text(record.body))] {
            hold_.disks()->share();
            const auto started = feed_configuration(config);
            if (!started) {
              fail(started.error());
              return;
            }
            course_.on_xl_started();
            link_->resume();
          });
}

result<void> destination_session::feed_configuration(
    const std::string& config) {
  intake_->set_targets(hold_.disks()->targets());
  const auto built = build_config(
      config, offer_.guest, hold_.disks()->paths(), options_.arrivals);
  if (!built) {
    return built.error();
  }
  guest_arrival::events events;
  events.on_stream_complete = [this] { perform(course_.on_stream_complete()); };
  events.on_hook = [this](const result<void>& ran) { on_gate_hook(ran); };
  events.on_built = [this] {
    turn_.release();
    perform(course_.on_built());
  };
  events.on_started = [this](bool runs) { perform(course_.on_started(runs)); };
  events.on_failed = [this](const error& cause) { on_xl_failed(cause); };
  events.on_drained = [this] {
    if (course_.at() != destination_state::leaving &&
        course_.at() != destination_state::over) {
      link_->resume();
    }
  };
  arrival_ = std::make_unique<guest_arrival>(loop_,
                                             std::move(events),
                                             hook_at_gate(),
                                             options_.record_stream,
                                             offer_.id);
  return arrival_->start(*built);
}

gate_hook destination_session::hook_at_gate() const {
  std::string disks;
  for (const auto& [vdev, path] : hold_.disks()->paths()) {
    disks += fmt::format("{}{}={}", disks.empty() ? "" : " ", vdev, path);
  }
  return {options_.at_gate_hook,
          {"TELEPORT_GUEST=" + offer_.guest.name,
           "TELEPORT_UUID=" + offer_.guest.uuid,
           "TELEPORT_DISKS=" + disks}};
}

result<void> destination_session::feed_xl(const raw_record& record) {
  auto piece = decode_stream_piece(record.body);
  if (!piece) {
    return piece.error();
  }
  const auto taken = arrival_->on_piece(
      {static_cast<coded_piece::kind>(piece->kind), std::move(piece->body)});
  if (taken && arrival_->queued() > max_queued_stream) {
    link_->pause();
  }
  return taken;
}

/// Flushes what has come while more comes: what a suspended guest waits for is
/// the rest.
void destination_session::plan_flush() {
  const bool bulk_is_over =
      course_.at() != destination_state::disks || intake_->state().all_proven();
  const auto due = course_.takes_blocks()
                       ? flushes_.due(intake_->written(), bulk_is_over)
                       : std::nullopt;
  const auto now = flush_plan::time_point::clock::now();
  flush_timer_ = due ? loop_.after(std::chrono::ceil<std::chrono::milliseconds>(
                                       std::max(*due, now) - now),
                                   [this] { flush_beside(); })
                     : timer();
}

void destination_session::flush_beside() {
  if (!course_.takes_blocks()) {
    return;
  }
  flushes_.on_begun(intake_->written(), flush_plan::time_point::clock::now());
  on_pool([this] { return hold_.disks()->flush(); },
          [this] {
            flushes_.on_flushed(flush_plan::time_point::clock::now());
            plan_flush();
          });
}

void destination_session::flush() {
  on_pool([this] { return hold_.disks()->flush(); },
          [this] { perform(course_.on_flushed()); });
}

void destination_session::on_gate_hook(const result<void>& ran) {
  if (!ran) {
    fail(ran.error());
    return;
  }
  const auto end = course_.on_gate_hook();
  if (!end) {
    fail(end.error());
    return;
  }
  arrival_->write_end(*end);
}

void destination_session::write_journal(journal_state state) {
  const auto written = hold_.write_journal(state);
  if (!written) {
    log_error(written.error().context);
    failure_ = written.error();
  }
  perform(course_.on_journalled(state, written.has_value()));
}

void destination_session::release_disks(bool to_guest) {
  loop_.work(
      [this, to_guest] {
        return to_guest ? hold_.finish_arrival() : hold_.put_disks_back();
      },
      [this](const result<void>& done) {
        if (!done) {
          log_warning(done.error().context);
        }
        perform(course_.on_disks_left());
      });
}

void destination_session::destroy() {
  turn_.leave();
  if (seed_) {
    seed_->give_up([this] { perform(course_.on_destroyed(true)); });
    return;
  }
  if (intake_) {
    intake_->stop();
  }
  destroy_when_quiet();
}

/// Jobs on the pool use the disks: the last of them comes back here.
void destination_session::destroy_when_quiet() {
  if (course_.at() != destination_state::leaving || jobs_ != 0 ||
      (intake_ && !intake_->at_rest())) {
    return;
  }
  if (arrival_) {
    arrival_->shut();
  }
  ++jobs_;  // the last one: this is not done twice
  loop_.work(
      [this]() -> result<void> {
        if (!arrival_) {
          return {};
        }
        const auto ended = arrival_->wait_for_end();
        return ended ? destroy_built(offer_.guest.uuid, offer_.guest.name)
                     : result<void>(ended.error());
      },
      [this](const result<void>& gone) {
        if (!gone) {
          log_warning(gone.error().context);
        }
        perform(course_.on_destroyed(gone.has_value()));
      });
}

void destination_session::end() {
  const disk_intake* const disks = seed_ ? seed_->intake() : intake_.get();
  if (disks != nullptr && disks->state().digests().named() != 0) {
    log_info(fmt::format(
        "{} named {}", peer_.name, disks->state().digests().text()));
  }
  // The last record must have left before the process ends.
  link_->finish([this] {
    loop_.work(
        [this] { return arrival_ ? arrival_->wait_for_end() : result<int>(0); },
        [this](const result<int>&) { finished_(course_.succeeded() ? 0 : 1); });
  });
}

}  // namespace teleport
