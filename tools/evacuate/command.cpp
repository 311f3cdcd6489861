// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/command.hpp"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "xl-teleport/setup/host_port.hpp"

namespace teleport::evacuation {

namespace {

/// Where our programs lie when the PATH of a shell that is not for people
/// leaves them out.
constexpr std::string_view remote_path =
    "PATH=$PATH:/usr/local/sbin:/usr/sbin; ";

constexpr link_rate bytes_in_kb = 1000;
/// xl-teleport takes nothing below 1024 bytes a second.
constexpr link_rate least_rate = 2 * bytes_in_kb;

/// Waits for the command before it, which runs in the background, and cancels
/// it when standard input ends. Once the command has ended, the watcher is
/// killed, so that it signals no process id that is free again.
constexpr std::string_view watched =
    " </dev/null 3<&- & p=$!; "
    "{ cat <&3; kill -TERM $p; } >/dev/null 2>&1 & w=$!; "
    "wait $p; c=$?; kill $w 2>/dev/null; exit $c";

}  // namespace

std::vector<std::string> teleport_arguments(purpose what,
                                            const std::string& guest,
                                            const std::string& host,
                                            const std::string& settings_file,
                                            link_rate bwlimit) {
  std::vector<std::string> arguments = {"--json"};
  if (what == purpose::preflight) {
    arguments.emplace_back("--dry-run");
  }
  if (!settings_file.empty()) {
    arguments.emplace_back("--config");
    arguments.push_back(settings_file);
  }
  if (bwlimit != 0) {
    arguments.emplace_back("--bwlimit");
    arguments.push_back(fmt::format("{}kB", bwlimit / bytes_in_kb));
  }
  arguments.emplace_back("--");
  arguments.push_back(guest);
  arguments.push_back(host);
  return arguments;
}

link_rate share_of(link_rate all, std::size_t teleports) {
  return all == 0 ? 0 : std::max(all / teleports, least_rate);
}

std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::vector<std::string> command_at(
    const std::vector<std::string>& remote_shell,
    const std::string& at,
    const std::vector<std::string>& arguments) {
  std::string script(remote_path);
  script += "exec 3<&0; xl-teleport";
  for (const std::string& argument : arguments) {
    script += " " + shell_word(argument);
  }
  script += watched;
  std::vector<std::string> argv = remote_shell;
  std::string host = at;
  std::uint16_t port = 0;
  (void)split_host(at, host, port);
  argv.push_back(host);
  argv.push_back(std::move(script));
  return argv;
}

std::string named_for_xl(const std::string& name, unsigned domid) {
  return std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })
             ? std::to_string(domid)
             : name;
}

bool is_host_name(std::string_view text) {
  // Without its brackets it is a word of the remote shell's command.
  return !text.empty() && text.front() != '-' && !text.starts_with("[-") &&
         text.size() <= 255 && std::ranges::all_of(text, [](char c) {
           return c > ' ' && c != '\x7f' && c != '/' && c != '\'' && c != ',';
         });
}

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace teleport::evacuation
