// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guardian_main.cpp: the guardian's side of guardian.hpp.

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libteleport/base/log.hpp"
#include "libteleport/xen/guardian.hpp"
#include "libteleport/xen/guardian_link.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "libteleport/xen/xenstore.hpp"
#include "libteleport/xen/xl_monitor.hpp"

namespace teleport {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// A guest that took the suspend request still suspends itself after the
/// requester is dead: it freezes its processes and devices first. libxl gives
/// it 60 s; so do we, and 5 s more.
constexpr auto watch_time = 65s;

/// The state is polled: no event can be relied on. Xen raises no domain event
/// for a guest that suspends over its suspend event channel, and libxl's own
/// events need a dead process's context.
constexpr auto poll_interval = 100ms;

/// A list that is made while other domains change may lack one for a moment.
constexpr int looks_until_gone = 2;

/// The helper ends by itself when its pipes have lost their other ends. Then
/// it is asked, then forced.
constexpr auto helper_grace = 5s;

struct charge {
  std::uint32_t domid = 0;
  std::string uuid;
  std::string name;
  std::string journal;
  /// Process group of the teleport; the save's helper is in it as well.
  pid_t group = -1;
};

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return std::nullopt;
  }
  return value;
}

/// Save helpers of this domain in the teleport's process group.
std::vector<pid_t> save_helpers(const charge& guest) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc", ignored)) {
    const auto pid = number(entry.path().filename().string());
    if (!pid) {
      continue;
    }
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    const std::string cmdline{std::istreambuf_iterator<char>(file), {}};
    const auto id = static_cast<pid_t>(*pid);
    if (is_save_helper(cmdline, guest.domid) && ::getpgid(id) == guest.group) {
      found.push_back(id);
    }
  }
  return found;
}

void signal_all(const std::vector<pid_t>& pids, int signal) {
  for (const pid_t pid : pids) {
    ::kill(pid, signal);
  }
}

class guard {
 public:
  guard(charge guest, std::unique_ptr<toolstack> tools, xenstore store)
      : guest_(std::move(guest)),
        tools_(std::move(tools)),
        store_(std::move(store)) {}

  /// @return true when released, false when the teleport has died
  bool watch_over();
  /// Undoes a pause of the teleport's, if it died in it.
  void end_pause();
  /// The teleport's save had begun when it died.
  [[nodiscard]] bool save_begun() const { return saving_; }
  /// @return true when the guest was seen running
  bool resume_guest();

  /// Whether the guest that we were started for is still here. While Xen
  /// cannot be asked that is not known, and it is asked again.
  ///
  /// @return false when it is gone, or nobody can tell within the watch's time
  [[nodiscard]] bool is_here();
  [[nodiscard]] bool begin() {
    const bool watching = store_.watch(control_path());
    first_event_due_ = store_.drain_events() == 0;
    return watching;
  }

 private:
  [[nodiscard]] std::string control_path() const {
    return "/local/domain/" + std::to_string(guest_.domid) +
           "/control/shutdown";
  }
  [[nodiscard]] bool has_suspend_channel() {
    // libxl makes the node, empty; a guest that uses it writes a number.
    return !store_
                .read("/local/domain/" + std::to_string(guest_.domid) +
                      "/device/suspend/event-channel")
                .value_or("")
                .empty();
  }
  void outlast_helper();
  void give_name_back();

  charge guest_;
  std::unique_ptr<toolstack> tools_;
  xenstore store_;
  std::string name_now_;
  bool first_event_due_ = true;
  bool suspend_asked_ = false;  // something was written to control/shutdown
  bool paused_ = false;         // by the teleport, for a moment
  bool saving_ = false;         // the teleport's save has begun
};

bool guard::is_here() {
  const auto until = clock::now() + watch_time;
  for (int missed = 0;;) {
    const auto found = tools_->find_by_uuid(guest_.uuid);
    if (found) {
      for (const guest_seen& one : *found) {
        if (one.domid == guest_.domid) {
          name_now_ = one.name;
          return true;
        }
      }
      ++missed;
    } else {
      log_warning(found.error().context);
    }
    if (missed == looks_until_gone || clock::now() >= until) {
      return false;
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

bool guard::watch_over() {
  for (;;) {
    std::array<pollfd, 2> fds = {
        {{STDIN_FILENO, POLLIN, 0}, {store_.fd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      continue;  // EINTR; nothing else can happen with valid descriptors
    }
    if (fds[1].revents != 0) {
      unsigned events = store_.drain_events();
      // The first event of a watch comes at once, without a write.
      if (events > 0 && std::exchange(first_event_due_, false)) {
        --events;
      }
      suspend_asked_ = suspend_asked_ || events > 0;
    }
    if (fds[0].revents != 0) {
      char byte = 0;
      const ssize_t r = ::recv(STDIN_FILENO, &byte, 1, 0);
      if (r == 1 && byte == guardian_released) {
        return true;
      }
      if (r == 0 || (r < 0 && errno != EINTR)) {
        return false;
      }
      if (r == 1) {
        saving_ = saving_ || byte == guardian_saving;
        paused_ = byte == guardian_pausing;
      }
    }
  }
}

void guard::end_pause() {
  if (!paused_ || !is_here()) {
    return;
  }
  // Pauses are counted, and the teleport may have died before its own pause, or
  // after the end of that. A pause by others in these moments is ended here.
  const auto now = tools_->state(guest_.domid);
  if (now && *now != guest_state::paused) {
    return;
  }
  if (auto r = tools_->unpause(guest_.domid); !r) {
    log_error(r.error().context + ": run 'xl unpause' by hand");
  } else {
    log_info("guest '" + guest_.name + "' unpaused: the teleport has died");
  }
}

/// Waits until no helper of the dead save is left.
void guard::outlast_helper() {
  const auto start = clock::now();
  for (;;) {
    const std::vector<pid_t> helpers = save_helpers(guest_);
    if (helpers.empty()) {
      return;
    }
    const auto waited = clock::now() - start;
    if (waited > 2 * helper_grace) {
      signal_all(helpers, SIGKILL);
    } else if (waited > helper_grace) {
      signal_all(helpers, SIGTERM);
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

void guard::give_name_back() {
  if (guest_.name.empty() || name_now_ == guest_.name) {
    return;
  }
  if (auto r = tools_->rename(guest_.domid, name_now_, guest_.name); !r) {
    log_warning(r.error().context);
  }
}

bool guard::resume_guest() {
  const std::string who = "guest '" + guest_.name + "' (domain " +
                          std::to_string(guest_.domid) + ")";
  // The suspend request was withdrawn before the guest read it: the guest will
  // not suspend.
  const bool withdrawn = store_.replace(control_path(), "suspend", "");
  outlast_helper();
  const bool may_suspend =
      !withdrawn && (suspend_asked_ || has_suspend_channel());
  const auto until = clock::now() + watch_time;
  for (;;) {
    if (!is_here()) {
      log_error(who + " is not found; nothing was resumed");
      return false;
    }
    const auto now = tools_->state(guest_.domid);
    if (!now) {
      log_warning(now.error().context);
    } else if (*now == guest_state::suspended) {
      if (auto r = tools_->resume(guest_.domid); r) {
        log_info(who + " resumed: the teleport has died, the guest goes on");
        break;
      } else {
        log_warning(r.error().context);
      }
    } else if (*now == guest_state::shut_down || *now == guest_state::dying) {
      log_warning(who + " is shutting down, or being destroyed, by others");
      return true;
    } else if (*now != guest_state::absent &&
               (!may_suspend || clock::now() >= until)) {
      log_info(who + " runs on: the teleport has died");
      break;
    }
    if (clock::now() >= until) {
      log_error(who + " could not be resumed: try 'xl teleport --recover " +
                guest_.name + "'");
      return false;
    }
    std::this_thread::sleep_for(poll_interval);
  }
  give_name_back();
  return true;
}

/// Signals to the teleport's session or terminal must not end its guardian.
void stand_apart() {
  static_cast<void>(::setsid());
  static_cast<void>(::prctl(PR_SET_NAME, "tp-guardian"));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    static_cast<void>(std::signal(signal, SIG_IGN));
  }
  if (::chdir("/") != 0) {
    log_warning(
        "the guardian keeps a folder in use");  // and works all the same
  }
  std::ofstream("/proc/self/oom_score_adj") << "-1000";
}

}  // namespace

bool is_save_helper(std::string_view cmdline, std::uint32_t domid) {
  std::vector<std::string_view> words;
  while (!cmdline.empty() && words.size() < 5) {
    const std::size_t end = cmdline.find('\0');
    words.push_back(cmdline.substr(0, end));
    cmdline.remove_prefix(end == std::string_view::npos ? cmdline.size()
                                                        : end + 1);
  }
  return words.size() == 5 && words[1] == "--save-domain" &&
         number(words[4]) == domid;
}

int guardian_main(int argc,
                  const char* const* argv,
                  const go_predicate& is_go_journalled) {
  log_setup("teleport-guardian", log_level::info);
  charge guest;
  const auto domid = argc == 6 ? number(argv[2]) : std::nullopt;
  if (!domid || *domid == 0) {
    log_error("usage: --guardian DOMID UUID NAME JOURNAL");
    return 2;
  }
  guest.domid = *domid;
  guest.uuid = argv[3];
  guest.name = argv[4];
  guest.journal = argv[5];
  guest.group = ::getpgrp();
  stand_apart();

  auto tools = toolstack::open();
  auto store = xenstore::open();
  if (!tools || !store) {
    log_error(!tools ? tools.error().context : store.error().context);
    return 1;
  }
  const std::string journal = guest.journal;
  const std::string name = guest.name;
  guard on_duty(std::move(guest), std::move(*tools), std::move(*store));
  if (!on_duty.is_here() || !on_duty.begin()) {
    log_error("domain " + std::to_string(*domid) + " is not that guest");
    return 1;
  }
  if (::send(STDIN_FILENO, &guardian_ready, 1, MSG_NOSIGNAL) != 1) {
    return 1;
  }
  if (on_duty.watch_over()) {
    return 0;
  }
  on_duty.end_pause();
  const auto go = is_go_journalled(journal);
  if (!go) {
    log_error("GO cannot be ruled out, so the guest is left as it is: " +
              go.error().context);
    return 1;
  }
  if (*go) {
    log_warning(
        "the teleport has died after GO: the guest is left as it is; "
        "run 'xl teleport --recover " +
        name + "'");
    return 0;
  }
  const auto monitor_goes_on = [&] {
    (void)continue_monitor(*domid);  // the teleport had stopped it
  };
  if (!on_duty.save_begun()) {
    monitor_goes_on();
    log_info("guest '" + name +
             "' is left as it is: the teleport died before "
             "it saved anything of it");
    return 0;
  }
  const bool runs = on_duty.resume_guest();
  monitor_goes_on();
  return runs ? 0 : 1;
}

}  // namespace teleport
