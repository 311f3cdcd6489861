// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/seed_reception.hpp"

#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "xl-teleport/destination/destination_host.hpp"

namespace teleport {

seed_reception::seed_reception(event_loop& loop,
                               const settings& options,
                               connection& link,
                               content_lookup& lookup,
                               std::function<void(const error&)> on_failed,
                               std::function<void()> on_kept)
    : loop_(loop),
      options_(options),
      link_(link),
      lookup_(lookup),
      on_failed_(std::move(on_failed)),
      on_kept_(std::move(on_kept)) {}

void seed_reception::start(seed_offer offered) {
  offered_ = std::move(offered);
  log_info(fmt::format("{} seeds {} disks of {} ({})",
                       link_.peer_name(),
                       offered_.guest.disks.size(),
                       offered_.guest.name,
                       offered_.guest.uuid));
  working_ = true;
  loop_.work([this] { return consider_seed(offered_.guest, options_); },
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
  const auto step = order_.on_considered(reply->problems.empty());
  link_.send(record_type::answer, as_bytes(to_json(*reply)));
  if (step == seed_order::step::prepare) {
    prepare();
  }
}

template <class Work>
void seed_reception::on_pool(
    Work work, void (seed_reception::*then)(const result<void>&)) {
  working_ = true;
  loop_.work(std::move(work), [this, then](const result<void>& outcome) {
    working_ = false;
    if (leaving_) {
      leave_when_quiet();
    } else if (!outcome) {
      on_failed_(outcome.error());
    } else {
      (this->*then)(outcome);
    }
  });
}

void seed_reception::prepare() {
  link_.pause();
  on_pool([this] { return prepare_here(); }, &seed_reception::prepared);
}

result<void> seed_reception::on_record(const raw_record& record) {
  const auto step =
      order_.on_record(record.type, intake_ && intake_->state().all_proven());
  if (!step) {
    return step.error();
  }
  switch (*step) {
    case seed_order::step::wait:
      return {};
    case seed_order::step::prepare:
      prepare();
      return {};
    case seed_order::step::take_in:
      return intake_->on_record(record);
    case seed_order::step::keep:
      keep();
      return {};
  }
  return {};
}

result<void> seed_reception::prepare_here() {
  auto locks = lock_guest(offered_.guest, options_);
  if (!locks) {
    return locks.error();
  }
  locks_ = std::move(*locks);
  auto book = disk_book::open(options_.kept_disks_path());
  auto store = open_store(options_.store);
  if (!book || !store) {
    return book ? store.error() : book.error();
  }
  book_ = std::move(*book);
  store_ = std::move(*store);
  auto placed = placement::make(offered_.guest, *store_, *book_);
  if (!placed) {
    return placed.error();
  }
  placement_ = std::move(*placed);
  return {};
}

void seed_reception::prepared(const result<void>& /*outcome*/) {
  link_.resume();
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
  intake_->set_targets(placement_->targets());
  order_.on_prepared();
  link_.send(record_type::prepared, as_bytes(to_json(placement_->described())));
}

/// All is proven, so nothing is under way: the disks are this job's alone.
void seed_reception::keep() {
  on_pool(
      [this]() -> result<void> {
        const auto flushed = placement_->flush();
        return flushed ? placement_->keep_as_shadows() : flushed;
      },
      &seed_reception::kept);
}

void seed_reception::kept(const result<void>& /*outcome*/) {
  order_.on_kept();
  seed_result done;
  done.disks = placement_->described();
  done.bulk = intake_->state().bulk();
  done.rounds = intake_->state().rounds();
  placement_.reset();
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
  loop_.work(
      [this] { return placement_ ? placement_->put_back() : result<void>(); },
      [this](const result<void>& outcome) {
        if (!outcome) {
          log_warning(outcome.error().context);
        }
        left_();
      });
}

}  // namespace teleport
