// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/process_life.hpp"

#include <charconv>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/base/pidfd.hpp"

namespace teleport {

namespace {

/// Of the words behind the program's name: state is the first.
constexpr int start_word = 20;

std::optional<std::uint64_t> start_now(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return start_of_process(text);
}

}  // namespace

std::optional<std::uint64_t> start_of_process(std::string_view stat) {
  // "812 (a name) with) blanks) S 1 812 ...": the name ends at the last ')'.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  stat.remove_prefix(name_end + 1);
  for (int word = 1;; ++word) {
    const auto begin = stat.find_first_not_of(" \n");
    if (begin == std::string_view::npos) {
      return std::nullopt;
    }
    stat.remove_prefix(begin);
    const std::string_view one = stat.substr(0, stat.find_first_of(" \n"));
    if (word == 1 && (one == "Z" || one == "X")) {
      return std::nullopt;
    }
    if (word == start_word) {
      std::uint64_t start = 0;
      const auto* const end = one.data() + one.size();
      const auto read = std::from_chars(one.data(), end, start);
      return read.ec == std::errc() && read.ptr == end ? std::optional(start)
                                                       : std::nullopt;
    }
    stat.remove_prefix(one.size());
  }
}

process_life own_life() {
  const pid_t pid = ::getpid();
  return {pid, start_now(pid).value_or(0), this_boot()};
}

result<unique_fd> open_life(const process_life& life) {
  if (life.pid <= 0 || life.start == 0 || life.boot != this_boot()) {
    return ended_process(life.pid);
  }
  auto process = open_pidfd(life.pid);
  if (!process) {
    return process.error();
  }
  // After it was opened: the one that started then still has the number.
  if (start_now(life.pid) != life.start) {
    return ended_process(life.pid);
  }
  return process;
}

bool is_alive(const process_life& life) {
  return open_life(life).has_value();
}

}  // namespace teleport
