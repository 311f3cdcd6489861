// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/disk_intake.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "libteleport/base/log.hpp"

namespace teleport {

namespace {

/// On the pool at once: twice its threads, so that each finds its next one
/// waiting, and no more: what is more urgent than these waits for none but
/// them.
constexpr std::size_t max_jobs = 8;

}  // namespace

disk_intake::disk_intake(event_loop& loop,
                         donor_meter& lookup,
                         std::string state_path,
                         const std::vector<std::uint64_t>& disk_bytes,
                         events callbacks)
    : loop_(loop),
      lookup_(lookup),
      state_path_(std::move(state_path)),
      receiver_(disk_bytes, possession_probe::make()),
      events_(std::move(callbacks)) {}

void disk_intake::set_targets(std::vector<target_disk> targets) {
  targets_ = std::move(targets);
  if (!before_ && std::ranges::any_of(targets_, [](const target_disk& target) {
        return !target.blank;
      })) {
    auto made = before_images::create(state_path_);
    if (made) {
      before_ = std::move(*made);
    } else {
      log_warning("what is overwritten is not kept as a donor: " +
                  made.error().context);
    }
  }
  for (target_disk& target : targets_) {
    target.before = target.blank ? nullptr : before_.get();
  }
}

result<void> disk_intake::on_record(const raw_record& record) {
  const auto taken = receiver_.on_record(record);
  if (taken) {
    pump();
  }
  return taken;
}

std::uint64_t disk_intake::written() const noexcept {
  rebuild_counts all = receiver_.bulk();
  all += receiver_.rounds();
  return all.zero + all.donors + all.link;
}

void disk_intake::pump() {
  while (!broken_ && jobs_ < max_jobs) {
    auto action = receiver_.next();
    if (!action) {
      return;
    }
    if (const auto* record = std::get_if<raw_record>(&*action)) {
      if (!stopped_) {
        events_.send(*record);
      }
      continue;
    }
    auto job = std::make_shared<receiver_job>(
        std::get<receiver_job>(std::move(*action)));
    ++jobs_;
    loop_.work(
        [this, job, targets = targets_] {
          return do_receiver_job(std::move(*job), targets, lookup_, unpacker_);
        },
        [this](result<receiver_job_done> done) {
          --jobs_;
          if (done) {
            receiver_.on_job_done(std::move(*done));
            lookup_.count(receiver_.digests());
            pump();
          } else if (!std::exchange(broken_, true) && !stopped_) {
            events_.on_failed(done.error());
            return;
          }
          if (stopped_ && jobs_ == 0) {
            events_.on_rest();
          }
        });
  }
}

}  // namespace teleport
