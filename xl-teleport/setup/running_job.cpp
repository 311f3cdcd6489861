// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/running_job.hpp"

#include <ctime>
#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_id.hpp"
#include "xl-teleport/setup/job_files.hpp"

namespace teleport {

namespace {

/// "" where the kernel gives no random bytes.
std::string new_job_id() {
  const auto id = unique_id::make();
  return id ? id->text() : std::string();
}

}  // namespace

void running_job::begin(job about) {
  if (job_) {
    return;
  }
  about.process = own_life();
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  about.begun = now.tv_sec;
  about.begun_nanoseconds = static_cast<std::uint32_t>(now.tv_nsec);
  // An id that a peer chose may be one that it has had before.
  if (about.id.empty() || is_known(config_, about)) {
    about.id = new_job_id();
  }
  if (about.id.empty()) {
    return;
  }
  job_ = std::move(about);
  if (const auto kept = write_history(config_, *job_); !kept) {
    log_warning("the job is missing in the history: " + kept.error().context);
  }
  note({job_->line});
}

void running_job::add_attempt(const std::string& id) {
  if (job_ && job_->id != id) {
    job_->attempts.push_back(id);
  }
}

void running_job::note(const job_moment& now) {
  if (!job_) {
    return;
  }
  job_->line = now.line;
  job_->revocable = now.revocable;
  job_->progress = now.progress;
  const auto written = write_running(config_, *job_);
  if (!written && !complained_) {
    complained_ = true;
    log_warning("'teleportctl jobs' does not tell how far this is: " +
                written.error().context);
  }
}

void running_job::end(job_end over) {
  if (!job_) {
    return;
  }
  job_->line.clear();
  job_->progress = nullptr;
  job_->ended = std::time(nullptr);
  job_->outcome = std::move(over.outcome);
  job_->sentence = std::move(over.sentence);
  job_->summary = std::move(over.summary);
  job_->report = std::move(over.report);
  if (const auto kept = write_history(config_, *job_); !kept) {
    log_warning("the job's end is missing in the history: " +
                kept.error().context);
  }
  remove_running(config_, *job_);
  job_.reset();
  prune_jobs(config_);
}

void job_ticker::note(job_moment now,
                      std::function<void(running_job&)> before) {
  if (*busy_) {
    return;
  }
  *busy_ = true;
  loop_.work(
      [this, now = std::move(now), before = std::move(before)] {
        if (before) {
          before(told_);
        }
        told_.note(now);
        return true;
      },
      [busy = busy_](bool) { *busy = false; });
}

}  // namespace teleport
