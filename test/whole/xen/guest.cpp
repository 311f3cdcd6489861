// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/guest.cpp: a guest: `guest DOMID`. It writes numbered records
// to its disks for as long as its domain runs, and tells the witness of each
// that was written: an acknowledged write. When it boots or arrives it looks
// whether every record that was acknowledged is on its disks.
//
// It suspends itself when it is asked to by xenstore, as a real guest does,
// also when whoever asked is dead by then.

#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "test/whole/xen/records.hpp"
#include "test/whole/xen/step.hpp"
#include "test/whole/xen/store.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport::whole {
namespace {

/// Between two records, unless the harness says otherwise: the rate of a guest
/// that is not busy. A change of the domain ends the pause.
constexpr int usual_pace_ms = 3;

class guest {
 public:
  explicit guest(std::uint32_t domid)
      : domid_(domid), me_(*find_domain(domid)), disks_(me_) {
    changes_.add_folder(store_folder("/local/domain/" + std::to_string(domid) +
                                     "/control/shutdown"));
  }

  void live() {
    for (;;) {
      const auto now = find_domain(domid_);
      if (!now || now->devices == device_state::gone) {
        return;
      }
      if (now->state == guest_state::running && !suspend_if_asked()) {
        one_record();
      }
      rest(now->state == guest_state::running ? pace_ms() : -1);
    }
  }

 private:
  [[nodiscard]] int pace_ms() const {
    std::ifstream in(std::string(witness_folder) + "/" + me_.uuid + ".pace");
    int told = 0;
    return in >> told ? told : usual_pace_ms;
  }

  /// Blocks until the time is over or something has changed.
  void rest(int milliseconds) {
    pollfd fd = {changes_.fd(), POLLIN, 0};
    if (::poll(&fd, 1, milliseconds) > 0) {
      changes_.drain();
    }
  }

  void one_record() {
    const unique_fd running = lock_file_at(run_lock_path(domid_), LOCK_SH);
    const auto now = find_domain(domid_);
    if (!now || now->state != guest_state::running) {
      return;
    }
    if (!last_) {
      wake_up(*now);
    }
    disks_.write(*last_ + 1);
    ++*last_;
    tell("record");
  }

  /// The first moment of this process's guest: after its boot or its arrival.
  void wake_up(const domain& now) {
    const bool arrived = now.memory.has_value();
    last_ = arrived ? *now.memory : disks_.highest();
    tell(arrived ? "arrived" : "booted");
    const std::string wrong = disks_.check(*last_);
    if (!wrong.empty()) {
      tell_witness(me_.uuid + ".violations", wrong);
    }
  }

  void tell(const char* what) {
    tell_witness(me_.uuid,
                 std::string(what) + " " + host_name() + " " +
                     std::to_string(domid_) + " " + std::to_string(*last_));
  }

  static std::string host_name() {
    std::ifstream in("/proc/sys/kernel/hostname");
    std::string name;
    std::getline(in, name);
    return name;
  }

  bool suspend_if_asked() {
    if (read_node(shutdown_node(domid_)).value_or("") != "suspend") {
      return false;
    }
    static_cast<void>(before("suspend"));
    const unique_fd world = lock_world();
    auto now = find_domain(domid_);
    // Withdrawn meanwhile, or paused by somebody.
    if (read_node(shutdown_node(domid_)).value_or("") != "suspend" || !now ||
        now->state != guest_state::running) {
      return false;
    }
    if (!last_) {
      wake_up(*now);
    }
    now->state = guest_state::suspended;
    now->memory = *last_;
    write_node(shutdown_node(domid_), "");
    put_domain(*now);
    return true;
  }

  std::uint32_t domid_;
  domain me_;
  record_disks disks_;
  domain_watch changes_;
  std::optional<std::uint64_t> last_;
};

}  // namespace
}  // namespace teleport::whole

int main(int argc, char** argv) {
  try {
    if (argc != 2) {
      return 2;
    }
    teleport::whole::guest(
        static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10)))
        .live();
  } catch (const std::exception& failure) {
    std::cerr << "guest: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
