// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/cancel_job.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libteleport/base/pidfd.hpp"
#include "libteleport/base/process_life.hpp"
#include "xl-teleport/setup/job_files.hpp"

namespace teleport {

namespace {

/// A source resumes its guest and closes its disks; a destination destroys what
/// it has built.
constexpr std::chrono::minutes longest_end{1};

/// Of a guest that stays where it is.
std::string stays(const job& one) {
  if (one.kind != job_kind::teleport) {
    return one.kind == job_kind::seed
               ? "; what was transferred serves the next attempt"
               : "";
  }
  return fmt::format("; {} goes on {}",
                     one.guest,
                     one.role == job_role::source ? "here" : "on " + one.host);
}

}  // namespace

cancel_outcome outcome_of_cancel(const job& before,
                                 const std::optional<job>& after,
                                 bool ended) {
  if (!ended) {
    return {before,
            false,
            fmt::format("it was told to end, and has not done so for {} s: "
                        "'teleportctl show {:.8}' tells how far it is",
                        std::chrono::seconds(longest_end).count(),
                        before.id)};
  }
  if (!after || after->ended == 0) {
    return {before, true, "ended"};
  }
  if (after->outcome == "cancelled") {
    return {*after, true, "cancelled" + stays(*after)};
  }
  return {*after,
          false,
          fmt::format("it had come to its end before: {}{}{}",
                      after->outcome,
                      after->sentence.empty() ? "" : ", ",
                      after->sentence)};
}

result<cancel_outcome> cancel_job(const std::string& id,
                                  const settings& options) {
  const auto known = known_jobs(options);
  if (!known) {
    return known.error();
  }
  const auto found = find_jobs(*known, id);
  if (!found) {
    return found.error();
  }
  // Both ends of it are here in a test alone.
  const job& one = (*known)[found->front()];
  const auto signal = cancel_signal(one);
  if (!signal) {
    return cancel_outcome{one, false, signal.error().context};
  }
  const auto process = open_life(one.process);
  const auto told =
      process ? send_signal(*process, *signal) : result<void>(process.error());
  if (!told && told.error().code != errc::not_found) {
    return told.error();
  }
  if (!process) {
    return cancel_outcome{
        one, false, "its process has ended already, without a word"};
  }
  const bool ended = ends_within(*process, longest_end);
  const auto history = job_history(options);
  std::optional<job> after;
  if (history) {
    const auto at = std::ranges::find_if(*history, [&](const job& each) {
      return each.id == one.id && each.role == one.role;
    });
    if (at != history->end()) {
      after = *at;
    }
  }
  return outcome_of_cancel(one, after, ended);
}

}  // namespace teleport
