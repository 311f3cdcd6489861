// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/monitor.cpp: what `xl create` leaves behind: as
// xl_vmcontrol.c's, it restarts a guest that reboots, and takes one that is
// suspended for one that has left.

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "test/whole/xen/step.hpp"
#include "test/whole/xen/store.hpp"
#include "test/whole/xen/xl.hpp"

namespace teleport::whole {

namespace {

/// Whoever waits for our output's end is not to wait for the guest's.
void become_daemon(const std::string& name) {
  std::filesystem::create_directories("/var/log/xen");
  const std::string path = "/var/log/xen/xl-" + name + ".log";
  const int log = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (log < 0 || nothing < 0 || ::setsid() < 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
}

/// @return the state in which the domain does not run on
guest_state wait_for_end(std::uint32_t domid) {
  const domain_watch changes;
  for (;;) {
    const auto now = find_domain(domid);
    const auto state = now ? now->state : guest_state::absent;
    if (state != guest_state::running && state != guest_state::paused) {
      return state;
    }
    changes.drain();
  }
}

/// @return the new domain
std::uint32_t restart(std::uint32_t domid) {
  const domain old = *find_domain(domid);
  destroy_domain(domid);
  static_cast<void>(before("rebooted"));
  const unique_fd alone = lock_xl();
  domain again = read_libxl_json(old.config_json);
  again.name = old.name;
  again.state = guest_state::running;
  return create_domain(std::move(again));
}

void watch_over(const std::string& name, std::uint32_t domid) {
  for (;;) {
    std::printf("Waiting for domain %s (domid %u) to die [pid %ld]\n",
                name.c_str(),
                domid,
                static_cast<long>(::getpid()));
    std::fflush(stdout);
    const guest_state end = wait_for_end(domid);
    const bool reboots =
        end == guest_state::shut_down &&
        read_node(shutdown_node(domid)).value_or("") == "reboot";
    if (!reboots) {
      std::puts(end == guest_state::suspended ? "Domain has suspended."
                                              : "Domain has been destroyed.");
      return;
    }
    domid = restart(domid);
  }
}

}  // namespace

void leave_monitor(const std::string& name, std::uint32_t domid) {
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (pid != 0) {
    return;
  }
  try {
    become_daemon(name);
    watch_over(name, domid);
    std::puts("Done. Exiting now");
  } catch (const std::exception& failure) {
    std::puts(failure.what());
  }
  std::fflush(stdout);
  ::_exit(0);
}

}  // namespace teleport::whole
