// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/scan_job.hpp"

#include <utility>

#include <fmt/format.h>

#include "xl-teleport/setup/texts.hpp"

namespace teleport {

std::string words_of(const scan_moment& now) {
  return fmt::format("{:.1f} % of {}{}",
                     percent_of(now.done, now.total),
                     human_bytes(now.total),
                     now.paused         ? "  paused"
                     : now.left.empty() ? ""
                                        : "  " + now.left + " left");
}

scan_job::scan_job(const settings& config,
                   const std::string& path,
                   bool by_teleportd)
    : told_(config) {
  job about;
  about.kind = job_kind::scan;
  about.disk = path;
  about.by_teleportd = by_teleportd;
  about.line = "begins";
  told_.begin(std::move(about));
}

void scan_job::note(const scan_moment& now) {
  constexpr double interval = 1;
  if (!now.paused && noted_at_ >= 0 && now.seconds < noted_at_ + interval) {
    return;
  }
  noted_at_ = now.seconds;
  told_.note({words_of(now),
              true,
              {{"done", now.done},
               {"total", now.total},
               {"seconds", now.seconds},
               {"paused", now.paused}}});
}

void scan_job::end(const result<void>& done,
                   std::uint64_t read,
                   double seconds) {
  job_end over;
  over.outcome = done                                   ? "scanned"
                 : done.error().code == errc::cancelled ? "cancelled"
                                                        : "failed";
  over.sentence =
      done
          ? fmt::format("{} read in {}", human_bytes(read), clock_text(seconds))
          : done.error().context;
  over.report = {{"read_bytes", read}, {"seconds", seconds}};
  told_.end(std::move(over));
}

}  // namespace teleport
