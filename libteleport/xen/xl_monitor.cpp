// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xl_monitor.cpp: see xl_monitor.hpp.

#include "libteleport/xen/xl_monitor.hpp"

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <sys/types.h>
#include <unistd.h>

#include "libteleport/base/pidfd.hpp"

namespace teleport {
namespace {

namespace fs = std::filesystem;

/// Of a log that has grown over years, the end.
constexpr std::streamoff log_end_bytes = std::streamoff{64} << 10U;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(0, std::ios::end);
  const std::streamoff size = file.tellg();
  file.clear();
  file.seekg(size > log_end_bytes ? size - log_end_bytes : 0);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// xl's daemon writes to /var/log/xen/xl-NAME.log (xl_utils.c, do_daemonize).
bool is_monitor_of(const fs::path& process, std::uint32_t domid) {
  std::ifstream name(process / "comm");
  std::string comm;
  std::getline(name, comm);
  if (comm != "xl") {
    return false;
  }
  std::error_code failure;
  const auto log = fs::read_symlink(process / "fd/1", failure);
  if (failure || !log.filename().string().starts_with("xl-") ||
      log.parent_path() != "/var/log/xen") {
    return false;
  }
  return watched_domain(text_of(process / "fd/1")) == domid;
}

/// By a descriptor: the number of a process that ended is dealt anew.
bool signal_monitor(std::uint32_t domid, int signal) {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator("/proc", failure)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto parsed =
        std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || !is_monitor_of(entry.path(), domid)) {
      continue;
    }
    const auto process = open_pidfd(pid);
    if (process && is_monitor_of(entry.path(), domid) &&
        send_signal(*process, signal)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool stop_monitor(std::uint32_t domid) {
  return signal_monitor(domid, SIGSTOP);
}

bool continue_monitor(std::uint32_t domid) {
  return signal_monitor(domid, SIGCONT);
}

/// "Waiting for domain web1 (domid 7) to die [pid 1234]", for each domain that
/// it has had: xl_vmcontrol.c, create_domain().
std::optional<std::uint32_t> watched_domain(std::string_view log) noexcept {
  const auto line = log.rfind("Waiting for domain ");
  if (line == std::string_view::npos) {
    return std::nullopt;
  }
  log.remove_prefix(line);
  constexpr std::string_view before = " (domid ";
  constexpr std::string_view after = ") to die";
  const auto end = log.find(after);
  const auto begin = log.substr(0, end).rfind(before);
  if (end == std::string_view::npos || begin == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view number =
      log.substr(begin + before.size(), end - begin - before.size());
  std::uint32_t domid = 0;
  const auto parsed =
      std::from_chars(number.data(), number.data() + number.size(), domid);
  return parsed.ec == std::errc() && parsed.ptr == number.data() + number.size()
             ? std::optional(domid)
             : std::nullopt;
}

}  // namespace teleport
