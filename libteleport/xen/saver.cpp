// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/saver.cpp: see save.hpp.
//
// The save thread is the only one that touches its context: it runs libxl's
// event loop itself, poll by poll, so that callbacks are made with no libxl
// lock held and abort() is only a word to that thread.

#include "libteleport/xen/saver.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/eventfd.h>

#include "libteleport/base/log.hpp"
#include "libteleport/xen/libxl_context.hpp"

namespace teleport {
namespace {

struct pass_progress {
  unsigned iteration = 0;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

/// Signals that are for the main program: the save thread and the helper it
/// starts (which inherits this) leave them alone. With SIGPIPE blocked both
/// see EPIPE when the reader is gone; the helper then also ends log-dirty
/// mode. A terminal's SIGINT must not end the helper behind our back. libxl
/// asks the helper once to end, by SIGTERM, perhaps before it has a handler of
/// its own: it unblocks the signal then (libxl_save_helper.c, setup_signals()).
void block_signals() {
  sigset_t set{};
  sigemptyset(&set);
  for (const int signal :
       {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
    sigaddset(&set, signal);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

struct saver::state_data {
  // Set by start(), then the save thread's.
  std::unique_ptr<libxl_context> context;
  std::uint32_t domid = 0;
  unique_fd pipe;
  bool live = true;
  save_events events;
  unique_fd wake;
  // What libxl's logger saw during one turn of the loop.
  std::optional<pass_progress> progress;
  bool suspended_seen = false;
  bool suspended_told = false;
  bool abort_asked = false;

  std::atomic<bool> abort_wanted = false;
  std::thread thread;

  void note_progress(std::string_view what,
                     std::uint64_t done,
                     std::uint64_t total);
  void tell();
  void ask_abort();
  [[nodiscard]] std::optional<int> finished();
  [[nodiscard]] result<void> one_turn(std::vector<pollfd>& fds);
  [[nodiscard]] result<void> outcome(int rc) const;
  [[nodiscard]] result<void> save();
  void run();
};

/// libxl's names for what it reports, xen/tools/libs/guest/xg_sr_save.c.
void saver::state_data::note_progress(std::string_view what,
                                      std::uint64_t done,
                                      std::uint64_t total) {
  constexpr std::string_view pass = "Frames iteration ";
  if (what == "Domain now suspended") {
    suspended_seen = true;
  } else if (what.starts_with(pass)) {
    pass_progress now{0, done, total};
    what.remove_prefix(pass.size());
    std::from_chars(what.data(), what.data() + what.size(), now.iteration);
    progress = now;
  } else {
    log_debug("save of domain " + std::to_string(domid) + ": " +
              std::string(what));
  }
}

void saver::state_data::tell() {
  if (auto now = std::exchange(progress, std::nullopt);
      now && events.on_progress) {
    events.on_progress(now->iteration, now->done, now->total);
  }
  if (suspended_seen && !std::exchange(suspended_told, true) &&
      events.on_suspended) {
    events.on_suspended();
  }
}

namespace {

libxl_asyncop_how how_of(const void* save) {
  libxl_asyncop_how how{};
  how.callback = nullptr;
  how.u.for_event = reinterpret_cast<std::uintptr_t>(save);
  return how;
}

}  // namespace

void saver::state_data::ask_abort() {
  if (!abort_wanted || std::exchange(abort_asked, true)) {
    return;
  }
  const libxl_asyncop_how how = how_of(this);
  const int rc = libxl_ao_abort(context->get(), &how);
  log_debug("save of domain " + std::to_string(domid) +
            ": abort asked, libxl says " + std::to_string(rc));
}

std::optional<int> saver::state_data::finished() {
  libxl_event* event = nullptr;
  while (libxl_event_check(
             context->get(), &event, LIBXL_EVENTMASK_ALL, nullptr, nullptr) ==
         0) {
    const bool ours = event->type == LIBXL_EVENT_TYPE_OPERATION_COMPLETE &&
                      event->for_user == how_of(this).u.for_event;
    const int rc = ours ? event->u.operation_complete.rc : 0;
    libxl_event_free(context->get(), event);
    if (ours) {
      return rc;
    }
  }
  return std::nullopt;
}

/// Waits for what libxl waits for, or a word from abort(), and lets libxl act.
result<void> saver::state_data::one_turn(std::vector<pollfd>& fds) {
  const auto now = [] {
    timeval time{};
    gettimeofday(&time, nullptr);
    return time;
  };
  int timeout = -1;
  int count = 0;
  for (;;) {
    count = static_cast<int>(fds.size()) - 1;  // one is for abort()
    const int rc = libxl_osevent_beforepoll(
        context->get(), &count, fds.data(), &timeout, now());
    if (rc == 0) {
      break;
    }
    if (rc != ERROR_BUFFERFULL) {
      return context->failure(rc, "libxl's event loop");
    }
    fds.resize(static_cast<std::size_t>(count) + 1);
  }
  pollfd& ours = fds[static_cast<std::size_t>(count)];
  ours = {wake.get(), POLLIN, 0};
  const int r = ::poll(fds.data(), static_cast<nfds_t>(count) + 1, timeout);
  if (r < 0 && errno != EINTR) {
    return system_error(errno, "poll for libxl");
  }
  if (r < 0) {
    return {};
  }
  if (ours.revents != 0) {
    eventfd_t ignored = 0;
    static_cast<void>(eventfd_read(wake.get(), &ignored));
  }
  libxl_osevent_afterpoll(context->get(), count, fds.data(), now());
  return {};
}

/// libxl calls a broken pipe a guest that did not answer; better say so.
result<void> saver::state_data::outcome(int rc) const {
  if (rc == 0) {
    return {};
  }
  error cause = context->failure(rc, "save of domain " + std::to_string(domid));
  pollfd reader = {pipe.get(), 0, 0};
  if (rc != ERROR_ABORTED && ::poll(&reader, 1, 0) == 1 &&
      (reader.revents & POLLERR) != 0) {
    return error{errc::peer_lost,
                 "the stream's reader is gone; " + cause.context};
  }
  return cause;
}

result<void> saver::state_data::save() {
  const libxl_asyncop_how how = how_of(this);
  const int flags = live ? LIBXL_SUSPEND_LIVE : 0;
  const std::string what = "save of domain " + std::to_string(domid);
  const int started =
      libxl_domain_suspend(context->get(), domid, pipe.get(), flags, &how);
  if (started != 0) {
    return context->failure(started, what);
  }
  std::vector<pollfd> fds(8);
  for (;;) {
    tell();
    ask_abort();
    if (const auto rc = finished()) {
      tell();
      return outcome(*rc);
    }
    // A failed poll leaves the operation pending; libxl cannot be freed then.
    if (auto r = one_turn(fds); !r) {
      log_error(r.error().context);
      abort_wanted = true;
    }
  }
}

void saver::state_data::run() {
  block_signals();
  result<void> outcome = save();
  pipe.reset();
  context.reset();
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
  if (!data->wake) {
    return system_error(errno, "eventfd");
  }
  state_data* self = data.get();
  auto context = libxl_context::open(
      [self](std::string_view what, std::uint64_t done, std::uint64_t total) {
        self->note_progress(what, done, total);
      });
  if (!context) {
    return context.error();
  }
  data->context = std::move(*context);
  data->thread = std::thread([self] { self->run(); });
  return std::unique_ptr<saver>(new saver(std::move(data)));
}

void saver::abort() {
  data_->abort_wanted = true;
  static_cast<void>(eventfd_write(data_->wake.get(), 1));
}

}  // namespace teleport
