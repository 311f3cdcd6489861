// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/arrival_sight.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libteleport/session/record_json.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

/// As the source has its phases.
std::string_view phase_of(const arrival_sight& seen) {
  if (seen.seed) {
    switch (*seen.seed) {
      case seed_destination_state::disks:
        return "disks";
      case seed_destination_state::keeping:
        return "keeps the disks";
      default:
        return "prepare";
    }
  }
  switch (seen.at) {
    case destination_state::disks:
      return "disks";
    case destination_state::waiting:
      return "waits for another guest's memory";
    case destination_state::turn:
    case destination_state::starting:
    case destination_state::memory:
      return "memory";
    case destination_state::flushing:
    case destination_state::durable:
    case destination_state::ready:
      return "stopped";
    case destination_state::committed:
      return "starts the guest";
    case destination_state::leaving:
    case destination_state::over:
      return "ends";
    default:
      return "prepare";
  }
}

std::uint64_t rebuilt(const arrival_sight& seen) {
  const rebuild_counts& bulk = seen.bulk;
  return std::min(seen.disk_bytes,
                  bulk.zero + bulk.in_place + bulk.donors + bulk.link);
}

}  // namespace

bool is_job(const arrival_sight& seen) noexcept {
  return seen.has_targets || seen.at == destination_state::preparing ||
         seen.seed == seed_destination_state::preparing;
}

job told_job(const arrival_sight& seen, const std::string& host) {
  job about;
  about.id = seen.id;
  about.kind = seen.seed ? job_kind::seed : job_kind::teleport;
  about.role = job_role::destination;
  about.guest = seen.guest;
  about.uuid = seen.uuid;
  about.host = host;
  about.line = "begins";
  return about;
}

job_moment told_moment(const arrival_sight& seen, double rate) {
  const std::string phase(phase_of(seen));
  const std::uint64_t done = rebuilt(seen);
  job_moment now;
  now.revocable = seen.at != destination_state::committed && !seen.guest_runs;
  now.line = phase;
  if (phase == "disks") {
    now.line += fmt::format("  {:.1f} %  of {}",
                            percent_of(done, seen.disk_bytes),
                            human_bytes(seen.disk_bytes));
  }
  now.line += fmt::format("  {:.1f} Mbit/s", rate * 8 / 1e6);
  now.progress = {{"phase", phase},
                  {"done", done},
                  {"total", seen.disk_bytes},
                  {"received", seen.received},
                  {"rate", rate}};
  return now;
}

job_end told_end(const arrival_sight& seen) {
  const bool well = seen.seed ? seen.succeeded : seen.guest_runs;
  job_end over;
  if (!well) {
    over.outcome = seen.failure == errc::cancelled ? "cancelled" : "failed";
    over.sentence = seen.sentence;
    return over;
  }
  over.outcome = seen.seed ? "kept" : "arrived";
  const auto line = [&](std::string_view what, std::uint64_t bytes) {
    over.summary += fmt::format("  {:<22}{:>12}\n", what, human_bytes(bytes));
  };
  line("disks", seen.disk_bytes);
  line("  zero", seen.bulk.zero);
  line("  in place", seen.bulk.in_place);
  line("  from donors", seen.bulk.donors);
  line("  gaps", seen.bulk.link);
  line("received", seen.received);
  over.report = {{"disk_bytes", seen.disk_bytes},
                 {"bulk", counts_json(seen.bulk)},
                 {"received", seen.received}};
  return over;
}

}  // namespace teleport
