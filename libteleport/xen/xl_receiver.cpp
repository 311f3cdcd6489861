// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/xl_receiver.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/pidfd.hpp"
#include "libteleport/base/spawn.hpp"

namespace teleport {
namespace {

/// Lines kept for last_words(), and the longest one kept whole.
constexpr std::size_t kept_lines = 20;
constexpr std::size_t max_line = 1024;

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

result<pipe_ends> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return system_error(errno, "pipe for xl");
  }
  return pipe_ends{unique_fd(fds[0]), unique_fd(fds[1])};
}

}  // namespace

struct xl_receiver::state_data {
  unique_fd input;
  unique_fd output;
  unique_fd complaints;
  unique_fd stop;
  pid_t pid = -1;
  std::optional<int> ended;
  std::function<void(std::string_view)> on_line;
  std::thread reader;
  mutable std::mutex mutex;
  std::deque<std::string> lines;  // guarded by mutex

  void take_line(const std::string& line);
  void read_lines();
};

void xl_receiver::state_data::take_line(const std::string& line) {
  {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
    if (lines.size() > kept_lines) {
      lines.pop_front();
    }
  }
  if (on_line) {
    on_line(line);
  } else {
    log_debug("xl migrate-receive: " + line);
  }
}

/// Reads xl's standard error until all who hold it are gone, or until told to
/// stop: a hotplug script may hold it longer than xl lives.
void xl_receiver::state_data::read_lines() {
  std::string line;
  for (;;) {
    std::array<pollfd, 2> fds = {
        {{complaints.get(), POLLIN, 0}, {stop.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) {
      return;
    }
    if (fds[0].revents == 0 && fds[1].revents != 0) {
      return;
    }
    if (fds[0].revents == 0) {
      continue;
    }
    std::array<char, 512> bytes{};
    const ssize_t r = ::read(complaints.get(), bytes.data(), bytes.size());
    if (r <= 0) {
      if (r < 0 && errno == EINTR) {
        continue;
      }
      return;
    }
    for (const char c :
         std::string_view(bytes.data(), static_cast<std::size_t>(r))) {
      if (c != '\n') {
        line += c;
      }
      if ((c == '\n' && !line.empty()) || line.size() >= max_line) {
        take_line(std::exchange(line, {}));
      }
    }
  }
}

xl_receiver::xl_receiver(std::unique_ptr<state_data> data)
    : data_(std::move(data)) {}

xl_receiver::~xl_receiver() {
  data_->input.reset();
  data_->output.reset();
  if (!wait(give_up_time)) {
    log_warning(
        "xl migrate-receive does not end: killed; look at xl list "
        "for what it left");
    ::kill(data_->pid, SIGKILL);
    static_cast<void>(wait(give_up_time));
  }
  static_cast<void>(eventfd_write(data_->stop.get(), 1));
  if (data_->reader.joinable()) {
    data_->reader.join();
  }
}

result<std::unique_ptr<xl_receiver>> xl_receiver::start(
    xl_receiver_options options) {
  auto input = make_pipe();
  auto output = make_pipe();
  auto complaints = make_pipe();
  for (const auto* made : {&input, &output, &complaints}) {
    if (!*made) {
      return made->error();
    }
  }
  auto data = std::make_unique<state_data>();
  data->stop = unique_fd(::eventfd(0, EFD_CLOEXEC));
  if (!data->stop) {
    return system_error(errno, "eventfd");
  }
  spawn_options xl;
  xl.argv = {options.xl, "migrate-receive"};
  if (options.paused) {
    xl.argv.emplace_back("-p");
  }
  // xl also holds the reading ends of what it writes. If we are killed, it
  // says so on standard error and then reports on standard output *before* it
  // destroys its half-made guest; with nobody left to read, that would be its
  // end (SIGPIPE), and a paused guest would stay and hold the disks.
  xl.descriptors = {input->read.get(),
                    output->write.get(),
                    complaints->write.get(),
                    output->read.get(),
                    complaints->read.get()};
  // A terminal's signals are for us: xl must live to clean up.
  xl.group = spawn_group::own_session;
  const auto pid = spawn(std::move(xl));
  if (!pid) {
    return pid.error();
  }
  data->pid = *pid;
  data->input = std::move(input->write);
  data->output = std::move(output->read);
  data->complaints = std::move(complaints->read);
  data->on_line = std::move(options.on_line);
  state_data* self = data.get();
  data->reader = std::thread([self] { self->read_lines(); });
  return std::unique_ptr<xl_receiver>(new xl_receiver(std::move(data)));
}

int xl_receiver::stdin_fd() const noexcept {
  return data_->input.get();
}
int xl_receiver::stdout_fd() const noexcept {
  return data_->output.get();
}
unique_fd xl_receiver::take_stdin() noexcept {
  return std::move(data_->input);
}
unique_fd xl_receiver::take_stdout() noexcept {
  return std::move(data_->output);
}
void xl_receiver::close_stdin() noexcept {
  data_->input.reset();
}
pid_t xl_receiver::pid() const noexcept {
  return data_->pid;
}

result<int> xl_receiver::wait(std::chrono::milliseconds timeout) {
  if (data_->ended) {
    return *data_->ended;
  }
  const auto process = open_pidfd(data_->pid);
  if (!process) {
    return process.error();
  }
  if (!ends_within(*process, timeout)) {
    return error{errc::timeout, "xl migrate-receive still runs"};
  }
  int status = 0;
  if (::waitpid(data_->pid, &status, 0) != data_->pid) {
    return system_error(errno, "wait for xl");
  }
  data_->ended =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *data_->ended;
}

std::string xl_receiver::last_words() const {
  const std::lock_guard lock(data_->mutex);
  std::string text;
  for (const std::string& line : data_->lines) {
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

}  // namespace teleport
