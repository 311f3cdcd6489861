// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/domain_signs.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace teleport {

namespace {

/// Of XenbusState, Closing or Closed; and by the tool stack, not by the guest,
/// which may connect again.
bool is_closing(const node_reader& nodes, const std::string& backend) {
  const auto state = nodes.read(backend + "/state");
  return (state == "5" || state == "6") &&
         nodes.read(backend + "/online") == "0";
}

bool is_half_destroyed(const domain_signs& domain) {
  return (domain.has_memory && !domain.has_name) || domain.devices.closing ||
         domain.devices.gone;
}

}  // namespace

device_signs devices_of(const node_reader& nodes, std::uint32_t domid) {
  device_signs found;
  const std::string tree = fmt::format("/libxl/{}", domid);
  // libxl writes it once the memory is there, and adds devices then.
  const bool is_built =
      nodes.read(fmt::format("/local/domain/{}/store/port", domid)).has_value();
  found.gone = is_built && !nodes.list(tree).empty() &&
               nodes.list(tree + "/device").empty();
  const std::string folder = fmt::format("{}/{}", disk_backends, domid);
  const auto disks = nodes.list(folder);
  // All of them: of a guest that goes on one alone may be unplugged.
  found.closing =
      !disks.empty() && std::ranges::all_of(disks, [&](const auto& one) {
        return is_closing(nodes, fmt::format("{}/{}", folder, one));
      });
  return found;
}

bool may_be_half_destroyed(const domain_signs& domain) {
  return !domain.dying && (domain.paused || domain.shut_down);
}

guest_state state_of(const domain_signs& domain) {
  if (domain.dying ||
      (may_be_half_destroyed(domain) && is_half_destroyed(domain))) {
    return guest_state::dying;
  }
  if (domain.shut_down) {
    return domain.by_suspend ? guest_state::suspended : guest_state::shut_down;
  }
  return domain.paused ? guest_state::paused : guest_state::running;
}

}  // namespace teleport
