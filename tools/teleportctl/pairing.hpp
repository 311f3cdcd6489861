// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/pairing.hpp: exchanges two hosts' certificates over the
// administrator's ssh, once; and shows and removes those that are here.
//
// The other host shows its certificate first, and pins ours once it has been
// looked at here: a pairing that is refused here has changed nothing there.
//
// Blocks: on ssh, which may ask the person at the terminal.

#ifndef TOOLS_TELEPORTCTL_PAIRING_HPP
#define TOOLS_TELEPORTCTL_PAIRING_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/peer_rights.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct pairing_request {
  /// As ssh takes it (ssh_host.hpp); the host's name is the one under which it
  /// is paired here.
  std::string destination;
  std::uint16_t ssh_port = 0;  ///< 0: ssh's own
  std::string own_name;        ///< under which this host is paired there
  bool replace = false;        ///< a name that has another key gets the new one
  std::optional<peer_limits> limits;  ///< none: a host of ours
  /// From the other host's first word to ssh's end: nobody types any more.
  std::chrono::seconds exchange_limit{60};
  /// To that word where there is no terminal, so that nobody can be asked.
  std::chrono::seconds unattended_limit{120};
};

/// Pairs this host with another, both ways, and prints what was done.
///
/// @error what the other host answered; errc::refused when a name has another
///        key already
result<void> pair_with(const pairing_request& asked, const settings& options);

/// The other end of pair_with(), on standard input and output.
result<void> accept_pairing(const std::string& name,
                            bool replace,
                            const settings& options);

/// Removes a host's key under all its names, with what limited it, and prints
/// these.
result<void> unpair(const std::string& name, const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_PAIRING_HPP
