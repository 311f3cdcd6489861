// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/device_drain.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/device_mapper.hpp"

namespace teleport {

namespace {

using std::chrono::milliseconds;

/// A resume waits for nothing.
constexpr milliseconds resume_limit(10000);

/// What keeps others from the device for a moment; released with it.
struct device_locks {
  unique_fd node;   ///< the device's own: ours among ourselves, and udev's
  unique_fd group;  ///< its volume group, shared with whoever only reads it
};

/// @error errc::busy when another holds it
result<unique_fd> flock_of(const std::string& path, int how) {
  unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return system_error(errno, "open " + path);
  }
  if (::flock(file.get(), how | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK
               ? result<unique_fd>(error(errc::busy, path + " is locked"))
               : system_error(errno, "lock " + path);
  }
  return file;
}

result<device_locks> lock_device(std::uint64_t device,
                                 const mapped_state& state) {
  device_locks locks;
  auto node = flock_of("/dev/dm-" + std::to_string(minor(device)), LOCK_EX);
  if (!node) {
    return node.error();
  }
  locks.node = std::move(*node);
  const auto group = state.uuid.starts_with("LVM-")
                         ? volume_group_of(state.name)
                         : std::nullopt;
  if (!group) {
    return locks;
  }
  // LVM makes the file when it first locks the group, and locks it alone while
  // it changes the group's tables.
  auto shared = flock_of("/run/lock/lvm/V_" + *group, LOCK_SH);
  if (shared) {
    locks.group = std::move(*shared);
  } else if (shared.error().code != errc::not_found) {
    return in_context("volume group " + *group + " is being changed",
                      shared.error());
  }
  return locks;
}

/// That a resume of ours will do nothing but resume.
result<void> check_ours(const mapped_state& state) {
  if (state.suspended) {
    return error(errc::busy, state.name + " was suspended by somebody else");
  }
  if (state.has_next_table) {
    return error(errc::busy,
                 state.name + " has a new table that somebody has loaded");
  }
  return {};
}

/// Standard error stays, too. Passes over a descriptor of -1.
void close_all_but(std::array<int, 4> kept) {
  std::array<int, 5> all{kept[0], kept[1], kept[2], kept[3], STDERR_FILENO};
  std::sort(all.begin(), all.end());
  int from = 0;
  for (const int fd : all) {
    if (fd > from) {
      ::syscall(SYS_close_range, from, fd - 1, 0);
    }
    from = std::max(from, fd + 1);
  }
  ::syscall(SYS_close_range, from, ~0U, 0);
}

/// The child's whole life: suspends the device, says so, and resumes it when it
/// is told to, or when the teleport is gone. Each step's errno value, or 0, is
/// sent over the link. It is the fork of a program with threads: system calls
/// only.
[[noreturn]] void hold_suspended(std::array<int, 4> kept,
                                 std::uint64_t device) {
  const int link = kept[0];
  const int control = kept[1];
  // Else it would hold the teleport's links, locks and pipes, and whoever waits
  // for the teleport's end by one of these would wait for the device.
  close_all_but(kept);
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  // Who kills the teleport by its name or its terminal does not mean this one.
  ::setsid();
  ::prctl(PR_SET_NAME, "tp-drain");
  int failure = set_mapped_suspended(control, device, true);
  ::send(link, &failure, sizeof(failure), MSG_NOSIGNAL);
  if (failure == 0) {
    char told = 0;
    while (::read(link, &told, 1) < 0 && errno == EINTR) {
    }
    failure = set_mapped_suspended(control, device, false);
    for (int i = 0; failure == EINTR && i < 100; ++i) {
      failure = set_mapped_suspended(control, device, false);
    }
    ::send(link, &failure, sizeof(failure), MSG_NOSIGNAL);
  }
  ::_exit(0);
}

/// What the child did.
///
/// @return 0 or an errno value; ETIMEDOUT when it was not done in time
int next_step(int link, milliseconds limit) {
  pollfd ready{link, POLLIN, 0};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int polled = 0;
  do {
    const auto left = std::chrono::ceil<milliseconds>(
        deadline - std::chrono::steady_clock::now());
    polled = ::poll(
        &ready, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  } while (polled < 0 && errno == EINTR);
  if (polled == 0) {
    return ETIMEDOUT;
  }
  int failure = 0;
  ssize_t got = 0;
  do {
    got = ::recv(link, &failure, sizeof(failure), MSG_WAITALL);
  } while (got < 0 && errno == EINTR);
  return got == sizeof(failure) ? failure : ECHILD;
}

/// A suspend that was killed in its wait is undone by the kernel; one that had
/// just succeeded is undone here.
result<void> undo_suspend(int control, std::uint64_t device) {
  const auto state = state_of_mapped(device);
  if (state && !state->suspended) {
    return {};
  }
  const int failure = set_mapped_suspended(control, device, false);
  if (failure != 0) {
    log_error("a disk stays suspended: run dmsetup resume by hand");
    return system_error(failure, "resume the device");
  }
  return {};
}

}  // namespace

std::optional<std::string> volume_group_of(std::string_view mapper_name) {
  std::string group;
  for (std::size_t i = 0; i < mapper_name.size(); ++i) {
    const char c = mapper_name[i];
    if (c != '-') {
      group += c;
      continue;
    }
    if (i + 1 < mapper_name.size() && mapper_name[i + 1] == '-') {
      group += c;
      ++i;
      continue;
    }
    return group.empty() || i + 1 == mapper_name.size() ? std::nullopt
                                                        : std::optional(group);
  }
  return std::nullopt;
}

result<void> drain_writes(std::uint64_t device,
                          milliseconds limit,
                          const std::function<void()>& quiet) {
  const unique_fd control = open_mapper_control();
  if (!control) {
    return system_error(errno, "open /dev/mapper/control");
  }
  const auto state = state_of_mapped(device);
  if (!state) {
    return state.error();
  }
  const auto locks = lock_device(device, *state);
  if (!locks) {
    return locks.error();
  }
  // Asked again under the locks: what others began before has shown by now.
  const auto now = state_of_mapped(device);
  const auto ours = now ? check_ours(*now) : result<void>(now.error());
  if (!ours) {
    return ours;
  }
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error(errno, "socket for suspending the device");
  }
  unique_fd link(ends[0]);
  unique_fd theirs(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    return system_error(errno, "process for suspending the device");
  }
  if (child == 0) {
    hold_suspended(
        {theirs.get(), control.get(), locks->node.get(), locks->group.get()},
        device);
  }
  theirs.reset();
  const int suspended = next_step(link.get(), limit);
  if (suspended == 0) {
    quiet();
  } else if (suspended == ETIMEDOUT) {
    ::kill(child, SIGKILL);
  }
  static_cast<void>(::shutdown(link.get(), SHUT_WR));
  const int resumed = suspended == 0 ? next_step(link.get(), resume_limit) : 0;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (suspended == ETIMEDOUT) {
    const auto undone = undo_suspend(control.get(), device);
    return undone ? result<void>(error(
                        errc::timeout,
                        state->name + " has a write that has not ended for " +
                            std::to_string(limit.count()) + " ms"))
                  : undone;
  }
  if (resumed != 0) {
    return undo_suspend(control.get(), device);
  }
  return suspended == 0
             ? result<void>()
             : result<void>(system_error(suspended, "suspend the device"));
}

}  // namespace teleport
