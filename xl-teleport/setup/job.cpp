// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/job.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/sentence.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/migrate/journal.hpp"

namespace teleport {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kinds = {
    "teleport", "seed", "scan", "evacuation"};
constexpr std::array<std::string_view, 3> roles = {
    "source", "destination", "here"};
constexpr std::array<std::string_view, 3> states = {
    "under_way", "ended", "cut_short"};

constexpr std::size_t max_job_bytes = 1_MiB;
constexpr std::size_t max_name_bytes = 4096;
constexpr std::size_t max_attempts = 10'000;

/// Each line of it.
std::string sendable_lines(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    clean += sendable(text.substr(0, end)) + '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return clean;
}

template <class Value, class Names>
Value read_word(json_fields& in, const char* name, const Names& names) {
  const std::string word = in.text(name, max_name_bytes);
  const auto found = std::ranges::find(names, word);
  if (found == names.end()) {
    in.fail(std::string(name) + ": not a known word");
    return Value{};
  }
  return static_cast<Value>(found - names.begin());
}

json object_or_null(const json_fields& in, const char* name) {
  const json* const value = in.find(name);
  return value != nullptr && value->is_object() ? *value : json();
}

bool has_id(const job& one, std::string_view beginning) {
  return one.id.starts_with(beginning) ||
         std::ranges::any_of(one.attempts, [&](const std::string& attempt) {
           return attempt.starts_with(beginning);
         });
}

bool is_beginning_of_id(std::string_view text) {
  constexpr std::size_t whole = 32;
  return text.size() >= least_id_digits && text.size() <= whole &&
         is_teleport_id(std::string(text) +
                        std::string(whole - text.size(), '0'));
}

}  // namespace

std::string_view name_of(job_kind kind) noexcept {
  return kinds[static_cast<std::size_t>(kind)];
}

std::string_view name_of(job_role role) noexcept {
  return roles[static_cast<std::size_t>(role)];
}

std::string_view name_of(job_state state) noexcept {
  return states[static_cast<std::size_t>(state)];
}

std::string to_text(const job& one) {
  return dump({{"id", one.id},
               {"kind", name_of(one.kind)},
               {"role", name_of(one.role)},
               {"guest", sendable(one.guest)},
               {"uuid", sendable(one.uuid)},
               {"disk", sendable(one.disk)},
               {"host", sendable(one.host)},
               {"attempts", one.attempts},
               {"pid", static_cast<std::uint64_t>(one.process.pid)},
               {"process_start", one.process.start},
               {"boot", one.process.boot},
               {"by_teleportd", one.by_teleportd},
               {"begun", static_cast<std::uint64_t>(one.begun)},
               {"begun_nanoseconds", one.begun_nanoseconds},
               {"line", sendable(one.line)},
               {"revocable", one.revocable},
               {"progress", one.progress},
               {"ended", static_cast<std::uint64_t>(one.ended)},
               {"outcome", sendable(one.outcome)},
               {"sentence", sendable(one.sentence)},
               {"summary", sendable_lines(one.summary)},
               {"report", one.report}}) +
         '\n';
}

result<job> read_job(std::string_view text) {
  const auto object = parse_object(text, max_job_bytes);
  if (!object) {
    return object.error();
  }
  json_fields in(*object);
  job one;
  one.id = in.text("id", max_name_bytes);
  one.kind = read_word<job_kind>(in, "kind", kinds);
  one.role = read_word<job_role>(in, "role", roles);
  one.guest = in.text("guest", max_name_bytes);
  one.uuid = in.text("uuid", max_name_bytes);
  one.disk = in.text("disk", max_name_bytes);
  one.host = in.text("host", max_name_bytes);
  one.attempts = in.texts("attempts", max_attempts, max_name_bytes);
  one.process.pid =
      static_cast<pid_t>(in.number<std::uint32_t>("pid", INT32_MAX));
  one.process.start = in.number<std::uint64_t>("process_start");
  one.process.boot = in.text("boot", max_name_bytes);
  one.by_teleportd = in.flag("by_teleportd");
  constexpr std::uint64_t end_of_time = INT64_MAX;
  one.begun =
      static_cast<std::int64_t>(in.number<std::uint64_t>("begun", end_of_time));
  one.begun_nanoseconds =
      in.number<std::uint32_t>("begun_nanoseconds", 999'999'999);
  one.line = in.text("line", max_sentence_bytes);
  one.revocable = in.flag("revocable");
  one.progress = object_or_null(in, "progress");
  one.ended =
      static_cast<std::int64_t>(in.number<std::uint64_t>("ended", end_of_time));
  one.outcome = in.text("outcome", max_name_bytes);
  one.sentence = in.text("sentence", max_sentence_bytes);
  one.summary = sendable_lines(in.raw_text("summary", max_job_bytes));
  one.report = object_or_null(in, "report");
  if (!in.failed() && !is_teleport_id(one.id)) {
    in.fail("id: not a job's");
  }
  if (in.failed()) {
    return error(errc::corrupt, *in.failed());
  }
  return one;
}

std::string file_of(const job& one) {
  return one.id + "." + std::string(name_of(one.role)) + ".json";
}

job_state state_of(const job& one, bool alive) noexcept {
  if (one.ended != 0) {
    return job_state::ended;
  }
  return alive ? job_state::under_way : job_state::cut_short;
}

result<std::vector<std::size_t>> find_jobs(const std::vector<job>& all,
                                           std::string_view id) {
  if (!is_beginning_of_id(id)) {
    return error(errc::bad_input,
                 fmt::format("'{}' is no job's id: {} to 32 of the digits that "
                             "'teleportctl jobs' and 'teleportctl log' show",
                             sendable(id),
                             least_id_digits));
  }
  std::vector<std::size_t> found;
  bool several = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (has_id(all[i], id)) {
      several = several || (!found.empty() && all[found[0]].id != all[i].id);
      found.push_back(i);
    }
  }
  if (found.empty()) {
    return error(errc::not_found, fmt::format("no job has the id {}", id));
  }
  if (several) {
    return error(errc::busy,
                 fmt::format("{} jobs have an id that begins with {}: say more "
                             "of it",
                             found.size(),
                             id));
  }
  return found;
}

result<int> cancel_signal(const job& one) {
  if (one.ended != 0) {
    return error(errc::refused,
                 fmt::format("it is over: {}{}{}",
                             one.outcome,
                             one.sentence.empty() ? "" : ", ",
                             one.sentence));
  }
  if (one.kind == job_kind::scan && one.by_teleportd) {
    return error(errc::refused,
                 "teleportd scans " + one.disk +
                     " and would begin again: 'teleportctl index pause' lets "
                     "it wait until 'teleportctl index resume'");
  }
  if (!one.revocable) {
    return error(
        errc::refused,
        fmt::format("this cannot be taken back: {} was given to {}. The "
                    "teleport goes on to its end",
                    one.guest,
                    one.role == job_role::source ? one.host : "this host"));
  }
  return SIGINT;
}

}  // namespace teleport
