// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/pidfd.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

namespace {

using clock = std::chrono::steady_clock;

/// Standard error kept for the message.
constexpr std::size_t max_error_text = 4096;

/// Where administration programs lie when PATH (of cron, say) leaves them out.
constexpr std::string_view usual_path = "/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace

result<void> check_program(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    return system_error(errno, path);
  }
  if (!S_ISREG(about.st_mode)) {
    return system_error(EACCES, path);
  }
  // access() calls a folder that may be entered the same.
  return ::access(path.c_str(), X_OK) == 0 ? result<void>()
                                           : system_error(errno, path);
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return name;
  }
  std::string path;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::string_view(*entry).substr(0, 5) == "PATH=") {
      path = std::string_view(*entry).substr(5);
      path += ':';
    }
  }
  path += usual_path;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (candidate[0] == '/' && check_program(candidate)) {
      return candidate;
    }
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return {};
}

namespace {

std::string_view name_in(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

/// Our environment with the C locale, so that messages are as expected, and
/// `added` in the place of what has the same name.
std::vector<std::string> child_environment(
    const std::vector<std::string>& added) {
  std::vector<std::string> entries = added;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool is_replaced =
        std::ranges::find(added, name_in(text), name_in) != added.end();
    if (!is_replaced && text.substr(0, 3) != "LC_" &&
        text.substr(0, 4) != "LANG") {
      entries.emplace_back(text);
    }
  }
  entries.emplace_back("LC_ALL=C");
  return entries;
}

/// One end for us, one for the child. Sockets, so that writing to a child
/// that has gone is an error code and not a signal.
struct channel {
  unique_fd ours;
  unique_fd theirs;
};

result<channel> open_channel() {
  std::array<int, 2> ends = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error(errno, "socketpair");
  }
  channel made{unique_fd(ends[0]), unique_fd(ends[1])};
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
    return system_error(errno, "fcntl O_NONBLOCK");
  }
  return made;
}

/// A started child; killed and reaped when it was not waited for.
class child {
 public:
  child() = default;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  child(child&&) = delete;
  child& operator=(child&&) = delete;
  ~child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      static_cast<void>(wait());
    }
  }

  result<void> start(const std::vector<std::string>& argv,
                     const std::string& path,
                     const std::vector<std::string>& environment);
  /// Reaps it. Blocks until it has ended.
  int wait();

  channel in;
  channel out;
  channel err;
  unique_fd ended;  // becomes readable when the child has ended

 private:
  pid_t pid_ = -1;
};

result<void> child::start(const std::vector<std::string>& argv,
                          const std::string& path,
                          const std::vector<std::string>& environment) {
  for (channel* each : {&in, &out, &err}) {
    auto made = open_channel();
    if (!made) {
      return made.error();
    }
    *each = std::move(*made);
  }
  spawn_options options;
  options.argv = argv;
  options.program = path;
  options.descriptors = {in.theirs.get(), out.theirs.get(), err.theirs.get()};
  options.group = spawn_group::own;
  options.environment = child_environment(environment);
  const auto started = spawn(std::move(options));
  for (channel* each : {&in, &out, &err}) {
    each->theirs.reset();
  }
  if (!started) {
    return started.error();
  }
  pid_ = *started;
  auto process = open_pidfd(pid_);
  if (!process) {
    return process.error();
  }
  ended = std::move(*process);
  return {};
}

int child::wait() {
  return wait_until_exit(std::exchange(pid_, -1));
}

/// Appends what can be read now. False when the other end is closed.
bool drain(const unique_fd& from, std::string& to, std::size_t limit) {
  std::array<char, 16384> piece{};
  while (to.size() <= limit) {
    const ssize_t got = ::read(from.get(), piece.data(), piece.size());
    if (got > 0) {
      to.append(piece.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      return false;
    } else if (errno == EAGAIN) {
      return true;
    }
  }
  return true;
}

/// Gives what was read to on_output. False when that wants no more.
bool hand_over(std::string& from, const program_options& options) {
  if (!options.on_output || from.empty()) {
    return true;
  }
  const bool more = options.on_output(from);
  from.clear();
  return more;
}

/// Sends what can be sent now of `rest`; closes when nothing is left.
void feed(unique_fd& to, std::string_view& rest) {
  while (!rest.empty()) {
    const ssize_t sent =
        ::send(to.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      break;  // the child does not want it: no failure of its own
    }
  }
  to.reset();
}

struct outputs {
  std::string out;
  std::string err;
};

result<outputs> converse(child& running, const program_options& options) {
  outputs got;
  std::string_view rest = options.input;
  const auto deadline = clock::now() + options.timeout;
  feed(running.in.ours, rest);
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    if (left.count() <= 0) {
      return error(errc::timeout,
                   "no end after " + std::to_string(options.timeout.count()) +
                       " ms, killed");
    }
    // A descriptor of -1 is one that poll() leaves alone.
    std::array<pollfd, 5> waits = {{{running.ended.get(), POLLIN, 0},
                                    {running.out.ours.get(), POLLIN, 0},
                                    {running.err.ours.get(), POLLIN, 0},
                                    {running.in.ours.get(), POLLOUT, 0},
                                    {options.stop, POLLIN, 0}}};
    constexpr std::chrono::milliseconds::rep longest = 60'000;
    const int r = ::poll(waits.data(),
                         waits.size(),
                         static_cast<int>(std::min(left.count(), longest)));
    if (r < 0 && errno != EINTR) {
      return system_error(errno, "poll");
    }
    // Reads what the child wrote before its end.
    for (bool more = true; more && running.out.ours;) {
      if (!drain(running.out.ours, got.out, options.max_output)) {
        running.out.ours.reset();
      }
      more = options.on_output && got.out.size() > options.max_output;
      if (!hand_over(got.out, options)) {
        return error(errc::cancelled, "no more output wanted, killed");
      }
    }
    if (running.err.ours &&
        !drain(running.err.ours, got.err, options.max_output)) {
      running.err.ours.reset();
    }
    if (std::max(got.out.size(), got.err.size()) > options.max_output) {
      return error(errc::system,
                   "more than " + std::to_string(options.max_output) +
                       " bytes of output, killed");
    }
    if (waits[0].revents != 0) {
      return got;
    }
    if (waits[4].revents != 0) {
      return error(errc::cancelled, "not wanted any more, killed");
    }
    if (running.in.ours && waits[3].revents != 0) {
      feed(running.in.ours, rest);
    }
  }
}

/// What a program said last, on one line.
std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  if (text.size() > max_error_text) {
    text = "... " + text.substr(text.size() - max_error_text);
  }
  std::replace(text.begin(), text.end(), '\n', ';');
  return text;
}

}  // namespace

result<std::string> run_program(const std::vector<std::string>& argv,
                                const program_options& options) {
  if (argv.empty()) {
    return error(errc::bad_input, "no program to run");
  }
  const std::string path = find_program(argv[0]);
  if (path.empty()) {
    return error(errc::not_found, "no program " + argv[0] + " in PATH");
  }
  std::string command;
  for (const std::string& word : argv) {
    command += (command.empty() ? "" : " ") + word;
  }
  child running;
  auto started = running.start(argv, path, options.environment);
  if (!started) {
    return in_context(command, started.error());
  }
  auto got = converse(running, options);
  if (!got) {
    return in_context(command, got.error());
  }
  const int status = running.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return std::move(got->out);
  }
  const std::string how =
      WIFEXITED(status)
          ? "exit code " + std::to_string(WEXITSTATUS(status))
          : "killed by signal " + std::to_string(WTERMSIG(status));
  return error(errc::system,
               command + ": " + how + ": " + one_line(std::move(got->err)));
}

}  // namespace teleport
