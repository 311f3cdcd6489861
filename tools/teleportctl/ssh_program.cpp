// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/ssh_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/pidfd.hpp"
#include "libteleport/base/process.hpp"
#include "libteleport/base/spawn.hpp"

namespace teleport {

namespace {

/// ssh's own failures; others are those of the program there.
constexpr int ssh_failed = 255;
/// A shell's, where there is no such program.
constexpr int no_such_program = 127;

/// From SIGTERM, at which ssh gives the terminal back, to SIGKILL.
constexpr std::chrono::seconds end_limit{5};

using clock = std::chrono::steady_clock;

/// @return whether there is something to read, or an end, before `until`
bool comes_by(int fd, clock::time_point until) {
  for (;;) {
    pollfd wanted{fd, POLLIN, 0};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    const int r = ::poll(
        &wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (r >= 0 || errno != EINTR) {
      return r > 0;
    }
  }
}

}  // namespace

ssh_program::ssh_program() {
  static_cast<void>(std::signal(SIGINT, SIG_IGN));
  static_cast<void>(std::signal(SIGQUIT, SIG_IGN));
}

ssh_program::~ssh_program() {
  input_.reset();
  output_.reset();
  if (pid_ > 0) {
    static_cast<void>(wait_until_exit(pid_));
  }
  static_cast<void>(std::signal(SIGINT, SIG_DFL));
  static_cast<void>(std::signal(SIGQUIT, SIG_DFL));
}

result<void> ssh_program::start(std::vector<std::string> arguments) {
  spawn_options options;
  options.program = find_program("ssh");
  if (options.program.empty()) {
    return error(errc::not_found, "no program ssh in PATH");
  }
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (::pipe2(to.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "pipe");
  }
  const unique_fd its_input(to[0]);
  input_.reset(to[1]);
  if (::pipe2(from.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "pipe");
  }
  output_.reset(from[0]);
  const unique_fd its_output(from[1]);
  options.argv = std::move(arguments);
  options.argv.insert(options.argv.begin(), "ssh");
  options.descriptors = {
      its_input.get(), its_output.get(), spawn_options::inherited};
  options.group = spawn_group::ours;
  const auto started = spawn(std::move(options));
  if (!started) {
    return started.error();
  }
  pid_ = *started;
  return {};
}

result<std::string> ssh_program::read_to(
    std::string_view last,
    std::size_t limit,
    std::optional<std::chrono::seconds> within) {
  std::string text;
  std::array<char, 4096> piece{};
  const auto until =
      within ? std::optional(clock::now() + *within) : std::nullopt;
  while (last.empty() || text.find(last) == std::string::npos) {
    if (until && !comes_by(output_.get(), *until)) {
      return end(*within);
    }
    const ssize_t got = ::read(output_.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > limit) {
      return error(errc::protocol,
                   fmt::format("more than {} bytes came over ssh", limit));
    }
  }
  return text;
}

void ssh_program::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::write(input_.get(), text.data(), text.size());
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      break;  // its exit code says why
    }
  }
  input_.reset();
}

bool ssh_program::ends_within(std::chrono::milliseconds limit) const {
  const auto process = open_pidfd(pid_);
  return process && teleport::ends_within(*process, limit);
}

error ssh_program::end(std::chrono::seconds limit) {
  static_cast<void>(::kill(pid_, SIGTERM));
  if (!ends_within(end_limit)) {
    static_cast<void>(::kill(pid_, SIGKILL));
  }
  static_cast<void>(wait_until_exit(std::exchange(pid_, -1)));
  return {errc::timeout,
          fmt::format("ssh has not ended within {} s", limit.count())};
}

result<void> ssh_program::wait(std::optional<std::chrono::seconds> limit) {
  input_.reset();
  if (limit && !ends_within(*limit)) {
    return end(*limit);
  }
  const int status = wait_until_exit(std::exchange(pid_, -1));
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return signal == SIGINT || signal == SIGQUIT
               ? error(errc::cancelled, "interrupted")
               : error(errc::system,
                       fmt::format("ssh was killed by signal {}", signal));
  }
  switch (const int code = WEXITSTATUS(status); code) {
    case 0:
      return {};
    case ssh_failed:
      return error(errc::system, "ssh ended without a connection");
    case no_such_program:
      return error(errc::not_found,
                   "no teleportctl there: xl-teleport has to be installed on "
                   "both hosts");
    default:
      return error(errc::refused,
                   fmt::format("teleportctl there ended with code {}", code));
  }
}

}  // namespace teleport
