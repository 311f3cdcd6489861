// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/link_options.hpp: what an administrator may say of a link.

#ifndef LIBTELEPORT_NET_LINK_OPTIONS_HPP
#define LIBTELEPORT_NET_LINK_OPTIONS_HPP

#include <chrono>
#include <string>

#include "libteleport/net/identity.hpp"
#include "libteleport/wire/lane_records.hpp"

namespace teleport {

struct link_options {
  /// TCP's congestion control. Empty: bbr, where the kernel has it.
  std::string congestion_control;
  /// TCP connections side by side, 1 to most_lanes; 0: as many as it takes.
  unsigned connections = 0;
};

/// What a link is made with.
struct link_terms {
  key_files keys;
  link_options options;
  /// For the last records to arrive once a link ends: some round trips, and a
  /// second of data on a slow link before them.
  std::chrono::milliseconds end_limit{5000};
  /// The host whose key must answer. Empty: any that is paired, as whoever
  /// listens has it.
  std::string peer{};
  /// SHA-256, in hexadecimal, of the certificate that the host that must answer
  /// was first paired with, where it is known: whatever the name.
  std::string key{};
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LINK_OPTIONS_HPP
