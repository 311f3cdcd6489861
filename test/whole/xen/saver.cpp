// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/saver.cpp: libteleport/xen/saver.hpp in the place of
// saver.cpp. As libxl, it starts a helper that writes the stream, asks the
// guest through xenstore to suspend, and lets the helper finish once it has.

#include "libteleport/xen/saver.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/stream/formats.hpp"
#include "test/whole/xen/records.hpp"
#include "test/whole/xen/step.hpp"
#include "test/whole/xen/store.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport {

namespace {

/// The number that the pipe has in the helper.
constexpr int stream_fd = 3;

/// In the teleport's process group, and with all that is not O_CLOEXEC, as
/// libxl's own helper is.
pid_t start_helper(std::uint32_t domid, int pipe, int talk) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, talk, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe, stream_fd);
  std::array<std::string, 5> words{"libxl-save-helper",
                                   "--save-domain",
                                   std::to_string(stream_fd),
                                   "-1",
                                   std::to_string(domid)};
  std::array<char*, 6> argv{};
  std::ranges::transform(
      words, argv.begin(), [](std::string& word) { return word.data(); });
  pid_t pid = -1;
  const int failure = ::posix_spawn(&pid,
                                    "/opt/whole/libxl-save-helper",
                                    &actions,
                                    nullptr,
                                    argv.data(),
                                    environ);
  posix_spawn_file_actions_destroy(&actions);
  return failure == 0 ? pid : -1;
}

}  // namespace

struct saver::state_data {
  std::uint32_t domid = 0;
  unique_fd pipe;
  bool live = true;
  save_events events;
  unique_fd wake;
  std::atomic<bool> abort_wanted = false;
  std::thread thread;

  void run();
  [[nodiscard]] result<void> save();
  [[nodiscard]] result<void> talk_with_helper(int talk);
  [[nodiscard]] result<std::uint64_t> suspend();
  /// @return false when the save is to be given up
  [[nodiscard]] bool wait_for(int fd) const;
};

bool saver::state_data::wait_for(int fd) const {
  std::array<pollfd, 2> fds = {{{fd, POLLIN, 0}, {wake.get(), POLLIN, 0}}};
  while (!abort_wanted) {
    if (::poll(fds.data(), fds.size(), -1) > 0 && fds[0].revents != 0) {
      return !abort_wanted;
    }
  }
  return false;
}

/// @return what the guest's memory holds when it is suspended
result<std::uint64_t> saver::state_data::suspend() {
  const whole::domain_watch changes;
  {
    const unique_fd world = whole::lock_world();
    whole::write_node(whole::shutdown_node(domid), "suspend");
  }
  for (;;) {
    const auto now = whole::find_domain(domid);
    if (!now || has_ended(now->state)) {
      return error{errc::not_found, "the domain is gone"};
    }
    if (now->state == guest_state::suspended) {
      return now->memory.value_or(0);
    }
    if (!wait_for(changes.fd())) {
      return error{errc::cancelled, "save aborted"};
    }
    changes.drain();
  }
}

/// The disks as the guest left them: what the destination's must equal.
void note_disks(std::uint32_t domid) {
  const auto one = whole::find_domain(domid);
  for (const whole::world_disk& disk : one->disks) {
    whole::tell_witness(one->uuid + ".cut",
                        disk.vdev + " " + whole::digest_of_device(disk.device));
  }
}

/// The helper writes one byte when the guest is to be suspended, and is told
/// what the guest's memory holds then.
result<void> saver::state_data::talk_with_helper(int talk) {
  char byte = 0;
  if (!wait_for(talk) || ::read(talk, &byte, 1) != 1) {
    return abort_wanted ? error(errc::cancelled, "save aborted")
                        : error(errc::system, "the save helper has died");
  }
  const auto last = suspend();
  if (!last) {
    return last.error();
  }
  if (events.on_suspended) {
    events.on_suspended();
  }
  note_disks(domid);
  if (::send(talk, &*last, sizeof(*last), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(sizeof(*last))) {
    return error{errc::system, "the save helper has died"};
  }
  // Its end is all that is left to wait for.
  if (!wait_for(talk)) {
    return error{errc::cancelled, "save aborted"};
  }
  return {};
}

result<void> saver::state_data::save() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error(errno, "socket for the save helper");
  }
  const unique_fd ours(ends[0]);
  unique_fd theirs(ends[1]);
  const pid_t helper = start_helper(domid, pipe.get(), theirs.get());
  theirs.reset();
  if (helper < 0) {
    return error{errc::system, "the save helper did not start"};
  }
  auto outcome = talk_with_helper(ours.get());
  if (!outcome) {
    ::kill(helper, SIGKILL);
  }
  int status = 0;
  while (::waitpid(helper, &status, 0) < 0 && errno == EINTR) {
  }
  if (outcome && status != 0) {
    return error{errc::system, "the save helper has failed"};
  }
  // libxl writes the stream's last record itself, when its helper has ended.
  constexpr auto end = xen_stream::end_record;
  if (outcome && ::write(pipe.get(), end.data(), end.size()) !=
                     static_cast<ssize_t>(end.size())) {
    return error{errc::peer_lost, "the stream's reader is gone"};
  }
  static_cast<void>(whole::before("save-done"));
  return outcome;
}

void saver::state_data::run() {
  sigset_t set{};
  sigemptyset(&set);
  for (const int signal : {SIGPIPE, SIGINT, SIGHUP, SIGQUIT, SIGTSTP}) {
    sigaddset(&set, signal);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  auto outcome = save();
  pipe.reset();
  if (events.on_done) {
    events.on_done(std::move(outcome));
  }
}

saver::saver(std::unique_ptr<state_data> data) : data_(std::move(data)) {}

saver::~saver() {
  if (data_->thread.joinable()) {
    data_->thread.join();
  }
}

result<std::unique_ptr<saver>> saver::start(std::uint32_t domid,
                                            unique_fd pipe_write_end,
                                            bool live,
                                            save_events events) {
  auto data = std::make_unique<state_data>();
  data->domid = domid;
  data->pipe = std::move(pipe_write_end);
  data->live = live;
  data->events = std::move(events);
  data->wake = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  state_data* self = data.get();
  data->thread = std::thread([self] { self->run(); });
  return std::unique_ptr<saver>(new saver(std::move(data)));
}

void saver::abort() {
  data_->abort_wanted = true;
  static_cast<void>(eventfd_write(data_->wake.get(), 1));
}

}  // namespace teleport
