// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/jobs_text.hpp"

#include <fmt/format.h>

#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

using nlohmann::json;

/// What a list shows of an id.
constexpr std::size_t shown_digits = 8;

constexpr const char* cut_short_words =
    "its process ended without a word: it was killed, or the host was";

/// "teleport of web1 to host2".
std::string words_of(const job& one) {
  std::string words(name_of(one.kind));
  if (one.kind == job_kind::scan) {
    return words + " of " + one.disk + (one.by_teleportd ? " by itself" : "");
  }
  if (!one.guest.empty()) {
    words += " of " + one.guest;
  }
  return one.host.empty()
             ? words
             : words + (one.role == job_role::destination ? " from " : " to ") +
                   one.host;
}

std::string end_of(const job& one, job_state state) {
  switch (state) {
    case job_state::under_way:
      return "under way";
    case job_state::cut_short:
      return "cut short";
    case job_state::ended:
      break;
  }
  return one.sentence.empty() ? one.outcome : one.outcome + ", " + one.sentence;
}

json time_or_null(std::int64_t when) {
  return when == 0 ? json() : json(utc_text(when));
}

}  // namespace

std::string line_of_job(const job& one) {
  return fmt::format("{}  {}: {}{}",
                     one.id.substr(0, shown_digits),
                     words_of(one),
                     one.line,
                     one.revocable ? "" : "  (past GO)");
}

std::string line_of_history(const job& one, job_state state) {
  return fmt::format("{}  {}  {}: {}",
                     one.id.substr(0, shown_digits),
                     utc_text(one.begun),
                     words_of(one),
                     end_of(one, state));
}

std::string text_of_job(const job& one, job_state state) {
  std::string text = words_of(one) + '\n';
  const auto line = [&text](std::string_view what, const std::string& is) {
    if (!is.empty()) {
      text += fmt::format("  {:<10} {}\n", what, is);
    }
  };
  line("id", one.id);
  for (const std::string& attempt : one.attempts) {
    line("attempt", attempt);
  }
  line("uuid", one.uuid);
  line("begun", utc_text(one.begun));
  switch (state) {
    case job_state::under_way:
      line("process", std::to_string(one.process.pid));
      line("now", one.line);
      if (!one.revocable) {
        line("", "the guest was given away: this cannot be taken back");
      }
      return text;
    case job_state::cut_short:
      line("end", cut_short_words);
      return text;
    case job_state::ended:
      break;
  }
  line("ended", utc_text(one.ended));
  line("end", end_of(one, state));
  return text + one.summary;
}

json to_json(const job& one, job_state state) {
  return {
      {"id", one.id},
      {"kind", name_of(one.kind)},
      {"role", name_of(one.role)},
      {"state", name_of(state)},
      {"guest", one.guest},
      {"uuid", one.uuid},
      {"disk", one.disk},
      {"host", one.host},
      {"attempts", one.attempts},
      {"by_teleportd", one.by_teleportd},
      {"pid", state == job_state::under_way ? json(one.process.pid) : json()},
      {"begun", time_or_null(one.begun)},
      {"line", one.line},
      {"revocable", one.revocable},
      {"progress", one.progress},
      {"ended", time_or_null(one.ended)},
      {"outcome", one.outcome},
      {"sentence", one.sentence},
      {"report", one.report}};
}

bool is_of_guest(const job& one, const std::string& guest) {
  return guest.empty() || one.guest == guest || one.uuid == guest;
}

}  // namespace teleport
