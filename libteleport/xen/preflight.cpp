// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/preflight.cpp: see preflight.hpp.

#include "libteleport/xen/preflight.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "libteleport/base/units.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/guest_config.hpp"

namespace teleport {
namespace {

using problems = std::vector<problem>;

std::string mebibytes(std::uint64_t kib) {
  return std::to_string(count_of(kib, 1024)) + " MiB";
}

bool has(const std::vector<std::string>& list, const std::string& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

/// "4.17" as {4, 17}.
std::optional<std::pair<unsigned, unsigned>> version_of(std::string_view text) {
  unsigned major = 0;
  unsigned minor = 0;
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, major);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != '.') {
    return std::nullopt;
  }
  parsed = std::from_chars(parsed.ptr + 1, end, minor);
  if (parsed.ec != std::errc()) {
    return std::nullopt;
  }
  return std::pair{major, minor};
}

void check_disk(const guest_disk& disk, problems& found) {
  if (disk.is_empty()) {
    return;
  }
  const std::string name =
      "disk " + disk.vdev + " (" + disk.configured_path + ")";
  if (disk.backend != "phy" || disk.device.empty()) {
    found.push_back(
        {"disk_backend",
         name + " is served by the backend '" + disk.backend +
             "'; only block devices under the in-kernel backend (phy:) can be "
             "followed while the guest writes: put the image on a loop device "
             "or an LV and name it phy: in the configuration"});
    return;
  }
  if (disk.size == 0 || disk.size > max_disk_bytes ||
      disk.size % sector_bytes != 0) {
    found.push_back({"disk_size",
                     name + " has " + std::to_string(disk.size) +
                         " bytes; it must be above 0, at most 64 TiB and a "
                         "multiple of 512"});
  }
}

void check_shared(const guest_info& guest, problems& found) {
  std::map<std::pair<unsigned, unsigned>, std::string> seen;
  for (const guest_disk& disk : guest.disks) {
    if (disk.is_empty() || (disk.major == 0 && disk.minor == 0)) {
      continue;
    }
    const auto [at, fresh] =
        seen.emplace(std::pair{disk.major, disk.minor}, disk.vdev);
    if (!fresh) {
      found.push_back({"disk_shared",
                       "disks " + at->second + " and " + disk.vdev +
                           " are the same device " + disk.device +
                           "; detach one of them (xl block-detach)"});
    }
  }
}

void check_version(const host_facts& source,
                   const host_facts& here,
                   problems& found) {
  const auto from = version_of(source.xen_version);
  const auto to = version_of(here.xen_version);
  if (!from || !to || *to < *from) {
    found.push_back({"xen_version",
                     "the destination runs Xen " + here.xen_version +
                         ", the source " + source.xen_version +
                         "; a guest can only move to the same version or a "
                         "newer one: upgrade the destination"});
  }
}

void check_cpu(const host_facts& source,
               const host_facts& here,
               problems& found) {
  const std::vector<std::string> missing =
      missing_cpu_features(source.cpu_capabilities, here.cpu_capabilities);
  if (missing.empty()) {
    return;
  }
  std::string words;
  for (const std::string& word : missing) {
    words += (words.empty() ? "" : ", ") + word;
  }
  found.push_back({"cpu",
                   "the destination's processors lack features of the "
                   "source's, which the guest may be using: " +
                       words +
                       "; start the guest with a cpuid= that hides them, or "
                       "choose another host"});
}

void check_names(const guest_info& guest,
                 const host_facts& here,
                 problems& found) {
  // xl itself runs the arriving guest under the second name until GO.
  for (const std::string& name : {guest.name, guest.name + "--incoming"}) {
    if (has(here.guest_names, name)) {
      found.push_back({"name_clash",
                       "a guest named '" + name +
                           "' is already at the destination: look there ('xl "
                           "list'). If it may be this very guest, 'xl teleport "
                           "--recover " +
                           guest.name +
                           "' on both hosts says what is right; another guest "
                           "of this name is to be renamed"});
    }
  }
  if (has(here.guest_uuids, guest.uuid)) {
    found.push_back({"uuid_clash",
                     "a guest with uuid " + guest.uuid +
                         " is at the destination already, and may be this very "
                         "guest: 'xl teleport --recover " +
                         guest.name + "' on both hosts says what is right"});
  }
}

}  // namespace

std::uint64_t memory_needed_kib(const guest_info& guest) {
  constexpr std::uint64_t fixed_kib = 16_MiB / 1_KiB;
  return guest.max_memory_kib + guest.max_memory_kib / 100 + fixed_kib;
}

std::vector<std::string> missing_cpu_features(
    const std::vector<std::uint32_t>& source,
    const std::vector<std::uint32_t>& here) {
  // The order of Xen's featureset words, xen/include/public/arch-x86/
  // cpufeatureset.h; physinfo's hw_cap has the first eight.
  static constexpr std::array<const char*, 8> names = {"1 edx",
                                                       "1 ecx",
                                                       "80000001 edx",
                                                       "80000001 ecx",
                                                       "d:1 eax",
                                                       "7:0 ebx",
                                                       "7:0 ecx",
                                                       "80000007 edx"};
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::uint32_t other = i < here.size() ? here[i] : 0;
    const std::uint32_t lost = source[i] & ~other;
    if (lost == 0) {
      continue;
    }
    std::array<char, 16> hex{};
    static_cast<void>(std::snprintf(hex.data(), hex.size(), " 0x%08x", lost));
    missing.push_back((i < names.size() ? std::string("CPUID ") + names.at(i)
                                        : "CPU word " + std::to_string(i)) +
                      hex.data());
  }
  return missing;
}

std::vector<problem> source_problems(const guest_info& guest, bool live) {
  problems found;
  if (guest.domid == 0) {
    found.push_back({"not_a_guest", "Domain-0 is the host itself"});
  }
  if (guest.type == "pv" && live) {
    found.push_back({"pv_live",
                     "guest '" + guest.name +
                         "' is PV, and Debian's Xen cannot follow a PV guest's "
                         "writes to memory (no shadow paging): use --non-live, "
                         "which copies the disks while it runs and stops it "
                         "for the memory alone"});
  }
  if (guest.has_passthrough) {
    found.push_back({"passthrough",
                     "guest '" + guest.name +
                         "' has a device of this host (PCI, USB): detach it "
                         "first (xl pci-detach, xl usbdev-detach)"});
  }
  for (const std::string& veto : migration_vetoes(guest.config_json)) {
    found.push_back({"no_migrate",
                     "the configuration of guest '" + guest.name +
                         "' forbids a migration: " + veto});
  }
  for (const std::string& refusal : unbuildable_members(guest.config_json)) {
    found.push_back({"not_carried", "guest '" + guest.name + "': " + refusal});
  }
  for (const std::string_view end : {"--migratedaway", "--incoming"}) {
    if (guest.name.ends_with(end)) {
      found.push_back({"migrated_away",
                       "the name '" + guest.name +
                           "' says that this is what another migration left "
                           "behind; if the guest is really to run here, give "
                           "it its name back (xl rename)"});
    }
  }
  for (const guest_disk& disk : guest.disks) {
    check_disk(disk, found);
  }
  check_shared(guest, found);
  return found;
}

std::vector<problem> destination_problems(const guest_info& guest,
                                          const host_facts& source,
                                          const host_facts& here,
                                          const destination_facts& there) {
  problems found;
  check_version(source, here, found);
  check_cpu(source, here, found);
  if (guest.type != "pv" && source.hap && !here.hap) {
    found.push_back({"hap",
                     "the destination has no hardware assisted paging, which "
                     "a " +
                         guest.type + " guest needs"});
  }
  const std::uint64_t needed = memory_needed_kib(guest);
  if (needed > here.free_memory_kib) {
    found.push_back({"memory",
                     "the guest needs " + mebibytes(needed) +
                         ", the destination has " +
                         mebibytes(here.free_memory_kib) +
                         " free; dom0 is not asked to give memory back: do "
                         "that by hand (xl mem-set Domain-0 ...) or stop a "
                         "guest"});
  }
  check_names(guest, here, found);
  for (const std::string& bridge : guest.bridges) {
    if (!has(there.bridges_present, bridge)) {
      found.push_back({"bridge",
                       "the destination has no bridge '" + bridge +
                           "': make one, or a guest would arrive without its "
                           "network"});
    }
  }
  for (const std::string& refusal : there.refused_members) {
    found.push_back({"not_allowed", refusal});
  }
  for (const std::string& file : there.missing_boot_files) {
    found.push_back({"boot_file",
                     "the destination has no " + file +
                         ", which the guest's configuration names: without it "
                         "the guest would not come back from its next "
                         "reboot"});
  }
  return found;
}

}  // namespace teleport
