// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guest_change.cpp: see guest_change.hpp. Field names are those
// of libxl_types.idl.

#include "libteleport/xen/guest_change.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/xen/config.hpp"

namespace teleport {
namespace {

using nlohmann::json;

/// Differences one after the other; the gravest gives the verdict.
class findings {
 public:
  void add(guest_verdict verdict, const std::string& words) {
    found_.verdict = std::max(found_.verdict, verdict);
    found_.sentence += (found_.sentence.empty() ? "" : "; ") + words;
  }
  [[nodiscard]] guest_change result() && { return std::move(found_); }

 private:
  guest_change found_;
};

json part_of(const json& config, const char* group) {
  const auto at = config.find(group);
  return at == config.end() ? json() : *at;
}

json field_of(const json& config, const char* group, const char* name) {
  const json part = part_of(config, group);
  const auto at = part.is_object() ? part.find(name) : part.end();
  return part.is_object() && at != part.end() ? *at : json();
}

std::string text_at(const json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && at != object.end() && at->is_string()
             ? at->get<std::string>()
             : std::string();
}

const guest_disk* find(const std::vector<guest_disk>& disks,
                       const std::string& vdev) {
  const auto at = std::ranges::find(disks, vdev, &guest_disk::vdev);
  return at == disks.end() ? nullptr : &*at;
}

void compare_disks(const guest_info& before,
                   const guest_info& now,
                   findings& found) {
  for (const guest_disk& disk : now.disks) {
    const guest_disk* old = find(before.disks, disk.vdev);
    if (old == nullptr) {
      found.add(guest_verdict::anew, disk.vdev + " was plugged in");
      continue;
    }
    if (*old == disk) {
      continue;
    }
    const bool other = old->configured_path != disk.configured_path ||
                       old->major != disk.major || old->minor != disk.minor;
    found.add(guest_verdict::anew,
              disk.vdev + (other ? " is another disk by now" : " was changed"));
  }
  for (const guest_disk& disk : before.disks) {
    if (find(now.disks, disk.vdev) == nullptr) {
      found.add(guest_verdict::anew, disk.vdev + " was unplugged");
    }
  }
}

/// A bridge that the destination was not asked about needs a new preflight.
void compare_nics(const json& before,
                  const json& now,
                  const guest_info& asked,
                  findings& found) {
  const json old_nics = part_of(before, "nics");
  const json new_nics = part_of(now, "nics");
  if (old_nics == new_nics) {
    return;
  }
  const auto macs = [](const json& nics) {
    std::vector<std::string> all;
    for (const json& nic : nics.is_array() ? nics : json::array()) {
      all.push_back(text_at(nic, "mac"));
    }
    return all;
  };
  const auto lacks = [](const std::vector<std::string>& all,
                        const std::string& one) {
    return std::ranges::find(all, one) == all.end();
  };
  bool known = true;
  for (const json& nic : new_nics.is_array() ? new_nics : json::array()) {
    const std::string bridge = text_at(nic, "bridge");
    known = known && (bridge.empty() || !lacks(asked.bridges, bridge));
  }
  const auto verdict = known ? guest_verdict::carried : guest_verdict::anew;
  bool named = false;
  for (const std::string& mac : macs(new_nics)) {
    if (lacks(macs(old_nics), mac)) {
      named = true;
      found.add(verdict, "the network interface " + mac + " was plugged in");
    }
  }
  for (const std::string& mac : macs(old_nics)) {
    if (lacks(macs(new_nics), mac)) {
      named = true;
      found.add(verdict, "the network interface " + mac + " was unplugged");
    }
  }
  if (!named) {
    found.add(verdict, "a network interface was changed");
  }
}

void compare_sizes(const json& before,
                   const json& now,
                   const guest_info& old,
                   const guest_info& fresh,
                   findings& found) {
  const auto differs = [&](const char* name) {
    return field_of(before, "b_info", name) != field_of(now, "b_info", name);
  };
  if (fresh.max_memory_kib != old.max_memory_kib || differs("target_memkb")) {
    // The destination was asked for room for the largest.
    found.add(fresh.max_memory_kib > old.max_memory_kib
                  ? guest_verdict::anew
                  : guest_verdict::carried,
              "its memory was set");
  }
  if (fresh.vcpus != old.vcpus || differs("avail_vcpus")) {
    found.add(guest_verdict::carried, "its processors were set");
  }
}

}  // namespace

guest_change difference(const guest_info& before, const guest_info& now) {
  findings found;
  if (now.name != before.name) {
    found.add(guest_verdict::anew, "it was renamed to " + now.name);
  }
  compare_disks(before, now, found);
  const auto old = parse_object(before.config_json, max_config_bytes);
  const auto fresh = parse_object(now.config_json, max_config_bytes);
  if (old && fresh) {
    compare_nics(*old, *fresh, before, found);
    compare_sizes(*old, *fresh, before, now, found);
    for (const char* kind : {"pcidevs", "usbdevs", "dtdevs"}) {
      if (part_of(*old, kind) != part_of(*fresh, kind)) {
        found.add(guest_verdict::anew, "a device was passed through to it");
      }
    }
  }
  return std::move(found).result();
}

guest_change change_of(const guest_info& before,
                       const guest_sight& now,
                       guest_state due) {
  if (has_ended(now.state)) {
    return {guest_verdict::gone,
            "it is not here any more: it was shut down or destroyed"};
  }
  if (now.domid != before.domid) {
    return {guest_verdict::anew,
            "it was restarted and is domain " + std::to_string(now.domid) +
                " by now"};
  }
  if (now.state != due) {
    switch (now.state) {
      case guest_state::paused:
        return {guest_verdict::others, "it was paused"};
      case guest_state::suspended:
        return {guest_verdict::others,
                "another program has suspended it to save or migrate it"};
      default:
        return {guest_verdict::others, "another program has resumed it"};
    }
  }
  return now.guest ? difference(before, *now.guest) : guest_change();
}

std::string stays_as(const std::string& name, guest_state state) {
  switch (state) {
    case guest_state::running:
      return {};
    case guest_state::paused:
      return name + " is paused here, and not by this teleport";
    case guest_state::suspended:
      return name +
             " is suspended here by another program, which saves or "
             "migrates it; this teleport leaves it so";
    case guest_state::shut_down:
    case guest_state::dying:
    case guest_state::absent:
      break;
  }
  return name +
         " is not here any more: it was shut down or destroyed "
         "meanwhile, and not by this teleport";
}

}  // namespace teleport
