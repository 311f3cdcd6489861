// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guest_change.hpp: what others have done to a guest since a
// teleport looked at it: plugged a disk in, set its memory, paused, saved,
// rebooted, renamed or destroyed it.
//
//   sight = (domains of the guest's uuid, and what libxl says of the liveliest)
//   change_of(guest as it was offered, sight) -> what that means, and in words
//
// Threads: pure functions.

#ifndef LIBTELEPORT_XEN_GUEST_CHANGE_HPP
#define LIBTELEPORT_XEN_GUEST_CHANGE_HPP

#include <optional>
#include <string>
#include <string_view>

#include "libteleport/xen/facts.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport {

/// A guest at one moment.
struct guest_sight {
  guest_state state = guest_state::absent;
  /// Of the domain with the guest's uuid; 0 when there is none.
  std::uint32_t domid = 0;
  /// nullopt where only the domain was asked for.
  std::optional<guest_info> guest;
};

/// How a teleport goes on.
enum class guest_verdict {
  /// As it was.
  same,
  /// Its configuration differs in what crosses with GUEST_CONFIG.
  carried,
  /// The teleport has to begin anew, at its preflight: what the destination was
  /// asked about and has prepared is not this guest any more.
  anew,
  /// It is not here: shut down, destroyed, or away for its reboot.
  gone,
  /// Another program has the guest: paused, suspended, or resumed.
  others,
};

struct guest_change {
  guest_verdict verdict = guest_verdict::same;
  /// For people: "xvdb was plugged in"; empty for `same`.
  std::string sentence;

  friend bool operator==(const guest_change&, const guest_change&) = default;
};

/// @param before  as it was offered to the destination
/// @param due     the state that the teleport itself has brought about:
///                running, or suspended once its memory was saved
[[nodiscard]] guest_change change_of(const guest_info& before,
                                     const guest_sight& now,
                                     guest_state due);

/// The difference of two configurations of one guest, in words; empty when
/// there is none. What libxl may write differently without anybody's doing is
/// not compared.
[[nodiscard]] guest_change difference(const guest_info& before,
                                      const guest_info& now);

/// Where a guest is that did not move, for people: "web1 is paused here". Empty
/// for one that runs.
[[nodiscard]] std::string stays_as(const std::string& name, guest_state state);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_GUEST_CHANGE_HPP
