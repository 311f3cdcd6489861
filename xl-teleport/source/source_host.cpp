// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/source_host.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/digest.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/random.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/xen/facts_json.hpp"

namespace teleport {

namespace {

/// The backend lets go of a destroyed guest's disk a moment after libxl says
/// that it is gone; xenstore has no event for "the device is closed".
constexpr std::chrono::seconds release_limit{20};
constexpr std::chrono::milliseconds release_poll{50};

result<void> set_aside_when_free(disk_home& home) {
  const auto deadline = std::chrono::steady_clock::now() + release_limit;
  for (;;) {
    auto done = home.set_aside();
    if (done || done.error().code != errc::busy ||
        std::chrono::steady_clock::now() > deadline) {
      return done;
    }
    std::this_thread::sleep_for(release_poll);
  }
}

}  // namespace

result<std::string> new_teleport_id() {
  std::array<std::byte, 16> bytes{};
  const auto filled = fill_with_random(bytes);
  if (!filled) {
    return filled.error();
  }
  return to_hex(bytes);
}

result<source_view> look_at_guest(const std::string& name, bool live) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  auto guest = (*xen)->describe(name);
  if (!guest) {
    return guest.error();
  }
  auto host = (*xen)->host();
  if (!host) {
    return host.error();
  }
  source_view view;
  view.guest = std::move(*guest);
  view.host = std::move(*host);
  view.problems = source_problems(view.guest, live);
  const auto state = (*xen)->state(view.guest.domid);
  if (!state) {
    return state.error();
  }
  if (*state != guest_state::running) {
    view.problems.push_back(
        {"not_running",
         fmt::format(
             "{} is {}: only a running guest can be teleported{}",
             view.guest.name,
             name_of(*state),
             *state == guest_state::paused ? "; 'xl unpause' it first" : "")});
  }
  for (const guest_disk& disk : moved_disks(view.guest)) {
    const auto home = find_home(disk.device);
    if (!home) {
      view.problems.push_back({"no_shadow",
                               fmt::format("{} could not be set aside "
                                           "afterwards: {}",
                                           disk.vdev,
                                           home.error().context)});
    }
  }
  return view;
}

result<void> set_paused(std::uint32_t domid, bool paused) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  return paused ? (*xen)->pause(domid) : (*xen)->unpause(domid);
}

result<void> resume_here(std::uint32_t domid) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto state = (*xen)->state(domid);
  if (!state) {
    return state.error();
  }
  return *state == guest_state::suspended ? (*xen)->resume(domid)
                                          : result<void>();
}

std::string guest_text(const guest_info& guest) {
  return to_json(guest);
}

result<guest_info> guest_of(const journal_entry& entry) {
  return read_guest_info(entry.disks);
}

result<std::vector<std::string>> clear_away(const guest_info& guest,
                                            const settings& options) {
  auto book = disk_book::open(options.kept_disks_path());
  auto xen = toolstack::open();
  if (!book || !xen) {
    return book ? xen.error() : book.error();
  }
  // Planned while the device still tells what is behind it.
  std::vector<std::pair<guest_disk, std::unique_ptr<disk_home>>> homes;
  for (const guest_disk& disk : moved_disks(guest)) {
    auto home = find_home(disk.device);
    if (!home) {
      // Done before by a run that was cut short: its place is in the book.
      auto noted = book->find(guest.uuid, disk.vdev);
      if (noted && *noted && (*noted)->shadow) {
        homes.emplace_back(disk, home_at(*(*noted)->shadow));
      } else {
        log_warning(disk.vdev + ": " + home.error().context);
      }
      continue;
    }
    kept_disk entry;
    entry.guest = guest.name;
    entry.uuid = guest.uuid;
    entry.vdev = disk.vdev;
    entry.size = disk.size;
    entry.shadow = (*home)->place();
    if (const auto identity = (*home)->identity()) {
      entry.identity = *identity;
    } else {
      log_warning(disk.vdev + ": " + identity.error().context);
    }
    const auto written = book->write(entry);
    if (!written) {
      return written.error();
    }
    homes.emplace_back(disk, std::move(*home));
  }
  const auto state = (*xen)->state(guest.domid);
  if (state && *state == guest_state::suspended) {
    const auto destroyed = (*xen)->destroy(guest.domid);
    if (!destroyed) {
      return destroyed.error();
    }
  }
  std::vector<std::string> shadows;
  for (const auto& [disk, home] : homes) {
    const auto aside = set_aside_when_free(*home);
    if (!aside) {
      // In use by another guest, as a read-only disk may be: it is no shadow.
      (void)book->remove(guest.uuid, disk.vdev);
      log_warning(disk.vdev + " stays as it is: " + aside.error().context);
      continue;
    }
    shadows.push_back(disk.vdev + " " + home->place().aside);
  }
  return shadows;
}

}  // namespace teleport
