// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/child_program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "libteleport/base/pidfd.hpp"
#include "libteleport/base/process.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

using boost::asio::posix::stream_descriptor;

/// Standard error kept for the message.
constexpr std::size_t max_said = 4_KiB;

constexpr int exec_failed = 127;

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

result<pipe_ends> open_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "pipe");
  }
  return pipe_ends{unique_fd(ends[0]), unique_fd(ends[1])};
}

/// In the child, between fork() and exec: nothing but plain system calls.
[[noreturn]] void become(char** argv, std::array<int, 3> files, pid_t parent) {
  for (int i = 0; i < 3; ++i) {
    (void)::dup2(files.at(static_cast<std::size_t>(i)), i);
  }
  (void)::syscall(SYS_close_range, 3U, ~0U, 0U);
  (void)::setpgid(0, 0);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a forked child has one thread
  (void)::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a forked child has one thread
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent) {  // else we have died already
    (void)::execv(argv[0], argv);
  }
  ::_exit(exec_failed);
}

}  // namespace

struct child_program::state : std::enable_shared_from_this<state> {
  explicit state(event_loop& loop)
      : out(loop.context()), err(loop.context()), ended(loop.context()) {}

  events callbacks;
  pid_t pid = -1;
  unique_fd in;
  stream_descriptor out;
  stream_descriptor err;
  stream_descriptor ended;
  std::string line;
  std::string said;

  void wait_for_output(stream_descriptor& from);
  /// Reads what is there. False at the end.
  bool drain(stream_descriptor& from);
  void take(stream_descriptor& from, std::string_view piece);
  void wait_for_end();
  void over();
};

void child_program::state::wait_for_output(stream_descriptor& from) {
  from.async_wait(stream_descriptor::wait_read,
                  [self = shared_from_this(),
                   &from](const boost::system::error_code& failure) {
                    if (!failure && self->pid > 0 && self->drain(from)) {
                      self->wait_for_output(from);
                    }
                  });
}

bool child_program::state::drain(stream_descriptor& from) {
  std::array<char, 16384> piece{};
  for (;;) {
    if (!from.is_open()) {
      return false;
    }
    const ssize_t got =
        ::read(from.native_handle(), piece.data(), piece.size());
    if (got > 0) {
      take(from, {piece.data(), static_cast<std::size_t>(got)});
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      return got < 0 && errno == EAGAIN;
    }
  }
}

void child_program::state::take(stream_descriptor& from,
                                std::string_view piece) {
  if (&from == &err) {
    said += piece;
    if (said.size() > max_said) {
      said.erase(0, said.size() - max_said);
    }
    return;
  }
  for (const char c : piece) {
    if (c == '\n' || line.size() >= max_program_line) {
      const std::string whole = std::exchange(line, {});
      callbacks.on_line(whole);
    }
    if (c != '\n') {
      line += c;
    }
  }
}

void child_program::state::wait_for_end() {
  ended.async_wait(
      stream_descriptor::wait_read,
      [self = shared_from_this()](const boost::system::error_code& failure) {
        if (!failure && self->pid > 0) {
          self->over();
        }
      });
}

void child_program::state::over() {
  // A process that the child left running may hold the pipes open: only what is
  // in them now is read.
  (void)drain(out);
  (void)drain(err);
  if (!line.empty()) {
    const std::string last = std::exchange(line, {});
    callbacks.on_line(last);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  pid = -1;
  in.reset();
  out.close();
  err.close();
  ended.close();
  program_end how;
  how.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  how.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  how.said = std::move(said);
  const auto tell = std::exchange(callbacks.on_end, {});
  tell(std::move(how));
}

result<std::unique_ptr<child_program>> child_program::start(
    event_loop& loop, const std::vector<std::string>& argv, events callbacks) {
  const std::string program = argv.empty() ? "" : find_program(argv[0]);
  if (program.empty() || ::access(program.c_str(), X_OK) != 0) {
    return system_error(ENOENT, "run " + (argv.empty() ? "" : argv[0]));
  }
  auto in = open_pipe();
  auto out = open_pipe();
  auto err = open_pipe();
  if (!in || !out || !err) {
    return system_error(errno, "pipes for " + argv[0]);
  }
  std::vector<std::string> words = argv;
  words[0] = program;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return system_error(errno, "fork for " + argv[0]);
  }
  if (pid == 0) {
    // Descriptors above 2, also when one of 0 to 2 is closed here: dup2() onto
    // itself would leave FD_CLOEXEC set.
    become(pointers.data(),
           {::fcntl(in->read.get(), F_DUPFD, 3),
            ::fcntl(out->write.get(), F_DUPFD, 3),
            ::fcntl(err->write.get(), F_DUPFD, 3)},
           parent);
  }
  auto inner = std::make_shared<state>(loop);
  inner->callbacks = std::move(callbacks);
  inner->pid = pid;
  inner->in = std::move(in->write);
  inner->out.assign(out->read.release());
  inner->err.assign(err->read.release());
  inner->out.non_blocking(true);
  inner->err.non_blocking(true);
  std::unique_ptr<child_program> made(new child_program(inner));
  auto process = open_pidfd(pid);
  if (!process) {
    return process.error();
  }
  inner->ended.assign(process->release());
  inner->wait_for_output(inner->out);
  inner->wait_for_output(inner->err);
  inner->wait_for_end();
  return made;
}

child_program::child_program(std::shared_ptr<state> inner)
    : state_(std::move(inner)) {}

child_program::~child_program() {
  if (state_->pid > 0) {
    // SIGTERM only, never SIGKILL: a teleport that has suspended its guest
    // resumes it before it ends.
    cancel();
    state_->pid = -1;
  }
  boost::system::error_code ignored;
  state_->out.close(ignored);
  state_->err.close(ignored);
  state_->ended.close(ignored);
}

void child_program::cancel() {
  if (state_->pid > 0) {
    (void)::kill(state_->pid, SIGTERM);
    hang_up();
  }
}

void child_program::hang_up() {
  state_->in.reset();
}

}  // namespace teleport
