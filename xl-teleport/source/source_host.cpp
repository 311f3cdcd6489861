// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/source_host.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/digest.hpp"
#include "libteleport/base/random.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/tracker_programs.hpp"
#include "xl-teleport/setup/start_files.hpp"
#include "xl-teleport/source/autostart.hpp"

namespace teleport {

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
  view.start = start_files().find({view.guest.name, view.guest.uuid});
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
  if (const auto possible = tracker_programs::check_kernel(); !possible) {
    view.problems.push_back({"no_tracker", possible.error().context});
  }
  std::vector<std::string> named;
  bool renamed = false;
  for (const guest_disk& disk : moved_disks(view.guest)) {
    named.push_back(disk.configured_path);
    const auto home = find_home(disk.device);
    if (home) {
      const disk_place& place = (*home)->place();
      named.push_back(place.backing);
      // One that is read only another guest may have, too.
      renamed = renamed || (!disk.read_only && place.aside != place.backing);
    } else {
      view.problems.push_back({"no_shadow",
                               fmt::format("{} could not be set aside "
                                           "afterwards: {}",
                                           disk.vdev,
                                           home.error().context)});
    }
  }
  std::erase(named, std::string());
  const guest_name leaving{view.guest.name, view.guest.uuid};
  auto free = start_files().check_departure(
      leaving, renamed ? std::nullopt : std::optional(std::move(named)));
  if (free) {
    free = check_hidable(leaving);
  }
  if (!free) {
    view.problems.push_back({"name_taken", free.error().context});
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

}  // namespace teleport
