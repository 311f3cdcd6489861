// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/unsettled.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace teleport {

namespace {

struct dated {
  journal_entry entry;
  std::filesystem::file_time_type written;
};

/// Less comes first.
int rank_of(const journal_entry& entry) {
  if (!is_unsettled(entry)) {
    return 4;
  }
  switch (entry.state) {
    case journal_state::go:
      return entry.role == journal_role::source ? 0 : 3;
    case journal_state::moved:
      return 1;
    case journal_state::moving:
      return 2;
    default:
      return 3;
  }
}

bool is_of(const journal_entry& entry, const std::string& guest) {
  return entry.guest == guest || entry.uuid == guest;
}

}  // namespace

bool is_unsettled(const journal_entry& entry) noexcept {
  switch (entry.state) {
    case journal_state::moving:
    case journal_state::go:
    case journal_state::moved:
    case journal_state::building:
    case journal_state::ready:
      return true;
    case journal_state::home:
    case journal_state::cleared:
    case journal_state::running:
    case journal_state::abandoned:
      return false;
  }
  return true;
}

result<std::vector<journal_entry>> journalled_teleports(
    const journal& entries) {
  std::vector<dated> all;
  for (const journal_role role :
       {journal_role::source, journal_role::destination}) {
    auto some = entries.all(role);
    if (!some) {
      return some.error();
    }
    for (journal_entry& entry : *some) {
      std::error_code gone;
      const auto written = std::filesystem::last_write_time(
          entries.path_of(entry.id, role), gone);
      all.push_back({std::move(entry), written});
    }
  }
  std::ranges::stable_sort(all, [](const dated& left, const dated& right) {
    const int a = rank_of(left.entry);
    const int b = rank_of(right.entry);
    return a != b ? a < b : left.written > right.written;
  });
  std::vector<journal_entry> sorted;
  std::ranges::transform(all, std::back_inserter(sorted), &dated::entry);
  return sorted;
}

result<std::vector<journal_entry>> journalled_teleports(
    const std::string& path) {
  const auto entries = journal::open(path);
  return entries ? journalled_teleports(*entries)
                 : result<std::vector<journal_entry>>(entries.error());
}

result<std::optional<journal_entry>> last_teleport_of(
    const journal& entries, const std::string& guest) {
  const auto all = journalled_teleports(entries);
  if (!all) {
    return all.error();
  }
  const auto found = std::ranges::find_if(
      *all, [&](const journal_entry& entry) { return is_of(entry, guest); });
  return found == all->end() ? std::optional<journal_entry>()
                             : std::optional(*found);
}

std::optional<journal_entry> waits_for_answer(const std::string& journal_path,
                                              const std::string& guest) {
  const auto entries = journal::open(journal_path);
  const auto all = entries
                       ? entries->all(journal_role::source)
                       : result<std::vector<journal_entry>>(entries.error());
  if (!all) {
    return std::nullopt;
  }
  const auto found =
      std::ranges::find_if(*all, [&](const journal_entry& entry) {
        return entry.state == journal_state::go && is_of(entry, guest);
      });
  return found == all->end() ? std::nullopt : std::optional(*found);
}

std::string limbo_sentence(const journal_entry& entry) {
  return fmt::format(
      "the last teleport of {0}, to {1}, has no answer yet: {0} may run there. "
      "Run 'xl teleport --recover {0}' first; neither start, resume nor rename "
      "it before",
      entry.guest,
      entry.peer);
}

}  // namespace teleport
