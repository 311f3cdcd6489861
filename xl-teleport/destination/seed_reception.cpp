// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/seed_reception.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "xl-teleport/destination/destination_host.hpp"
#include "xl-teleport/destination/leftovers.hpp"

namespace teleport {

seed_reception::seed_reception(event_loop& loop,
                               const settings& options,
                               const known_peer& peer,
                               connection& link,
                               donor_meter& lookup,
                               std::function<void(const error&)> on_failed,
                               std::function<void()> on_kept)
    : loop_(loop),
      options_(options),
      peer_(peer),
      link_(link),
      lookup_(lookup),
      on_failed_(std::move(on_failed)),
      on_kept_(std::move(on_kept)) {}

void seed_reception::start(seed_offer offered) {
  offered_ = std::move(offered);
  log_info(fmt::format("{} seeds {} disks of {} ({})",
                       peer_.name,
                       offered_.guest.disks.size(),
                       offered_.guest.name,
                       offered_.guest.uuid));
  working_ = true;
  loop_.work(
      [this] {
        (void)clear_leftovers(options_);
        return consider_seed(offered_.guest, options_, peer_);
      },
      [this](const result<answer>& reply) {
        working_ = false;
        considered(reply);
      });
}

void seed_reception::considered(const result<answer>& reply) {
  if (leaving_) {
    leave_when_quiet();
    return;
  }
  if (!reply) {
    on_failed_(reply.error());
    return;
  }
  const auto next = course_.on_considered(reply->problems.empty());
  link_.send(record_type::answer, as_bytes(to_json(*reply)));
  (void)perform(next);
}

/// Runs `work` on the pool, then `then`, unless one failed meanwhile.
template <class Work, class Then>
void seed_reception::on_pool(Work work, Then then) {
  working_ = true;
  loop_.work(std::move(work),
             [this, then = std::move(then)](const result<void>& outcome) {
               working_ = false;
               if (leaving_) {
                 leave_when_quiet();
               } else if (!outcome) {
                 on_failed_(outcome.error());
               } else {
                 then();
               }
             });
}

result<void> seed_reception::on_record(const raw_record& record) {
  const auto next =
      course_.on_record(record.type, intake_ && intake_->state().all_proven());
  return next ? perform(*next, record) : next.error();
}

/// Only records for the disks can fail here; what a job met goes to on_failed.
result<void> seed_reception::perform(action next, const raw_record& record) {
  switch (next) {
    case action::none:
      return {};
    case action::prepare:
      on_pool([this] { return hold_.prepare(offered_.guest, peer_, options_); },
              [this] { (void)perform(course_.on_prepared()); });
      return {};
    case action::send_prepared:
      make_intake();
      link_.send(record_type::prepared,
                 as_bytes(to_json(hold_.disks()->described())));
      return {};
    case action::rebuild:
      return intake_->on_record(record);
    case action::keep:
      // All is proven, so nothing is under way: the disks are this job's alone.
      on_pool(
          [this]() -> result<void> {
            const auto flushed = hold_.disks()->flush();
            return flushed ? hold_.disks()->keep_as_shadows() : flushed;
          },
          [this] { (void)perform(course_.on_kept()); });
      return {};
    case action::send_seeded:
      send_seeded();
      return {};
  }
  return {};
}

void seed_reception::make_intake() {
  std::vector<std::uint64_t> sizes;
  for (const guest_disk& disk : offered_.guest.disks) {
    sizes.push_back(disk.size);
  }
  disk_intake::events events;
  events.send = [this](const raw_record& record) {
    link_.send(record.type, record.body);
  };
  events.on_failed = on_failed_;
  events.on_rest = [this] { leave_when_quiet(); };
  intake_ = std::make_unique<disk_intake>(
      loop_, lookup_, options_.state_path, std::move(sizes), std::move(events));
  intake_->set_targets(hold_.disks()->targets());
}

void seed_reception::send_seeded() {
  seed_result done;
  done.disks = hold_.disks()->described();
  done.bulk = intake_->state().bulk();
  done.rounds = intake_->state().rounds();
  hold_.forget_disks();
  link_.send(record_type::seeded, as_bytes(to_json(done)));
  log_info(offered_.guest.name + ": its disks are kept here as shadows");
  on_kept_();
}

void seed_reception::give_up(std::function<void()> done) {
  leaving_ = true;
  left_ = std::move(done);
  if (intake_) {
    intake_->stop();
  }
  leave_when_quiet();
}

void seed_reception::leave_when_quiet() {
  if (!leaving_ || working_ || (intake_ && !intake_->at_rest())) {
    return;
  }
  working_ = true;
  loop_.work([this] { return hold_.put_disks_back(); },
             [this](const result<void>& outcome) {
               if (!outcome) {
                 log_warning(outcome.error().context);
               }
               left_();
             });
}

}  // namespace teleport
