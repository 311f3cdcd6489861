// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/preflight.hpp: all that can be known to fail before anything
// is touched: pure decisions over facts, every problem told at once.
//
// Threads: pure functions.
// Trust:   facts may come from a peer, checked by facts_json.hpp.

#ifndef LIBTELEPORT_XEN_PREFLIGHT_HPP
#define LIBTELEPORT_XEN_PREFLIGHT_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/xen/facts.hpp"

namespace teleport {

/// What else the destination looked up for this guest.
struct destination_facts {
  std::vector<std::string> bridges_present;
  /// What its configuration has and this host does not build, in sentences.
  std::vector<std::string> refused_members;
  /// Those of guest_info::boot_files that are allowed and not there.
  std::vector<std::string> missing_boot_files;
};

/// What stands against leaving this host.
///
/// Codes: not_a_guest, pv_live, passthrough, no_migrate, not_carried,
/// migrated_away, disk_backend, disk_size, disk_shared.
/// @param live  the guest is to run during the memory's transfer
[[nodiscard]] std::vector<problem> source_problems(const guest_info& guest,
                                                   bool live);

/// What stands against arriving at this host.
///
/// Codes: xen_version, cpu, hap, memory, name_clash, uuid_clash, bridge,
/// not_allowed, boot_file.
/// @param guest   as the source told it
/// @param source  the source host's facts, as told by it
/// @param here    this host's own
/// @param there   what this host looked up for the guest
[[nodiscard]] std::vector<problem> destination_problems(
    const guest_info& guest,
    const host_facts& source,
    const host_facts& here,
    const destination_facts& there);

/// Memory that must be free for a guest: its maximum, 1 % and 16 MiB for page
/// tables, shadow pool, rings and the device model's share of Xen's heap.
[[nodiscard]] std::uint64_t memory_needed_kib(const guest_info& guest);

/// Features of `source` that `here` lacks, as words a person can look up:
/// "CPUID 7:0 ebx 0x00000100". Empty when there are none.
[[nodiscard]] std::vector<std::string> missing_cpu_features(
    const std::vector<std::uint32_t>& source,
    const std::vector<std::uint32_t>& here);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_PREFLIGHT_HPP
