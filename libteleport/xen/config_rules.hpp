// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/config_rules.hpp: what of a guest's configuration may come
// from another host, as a table of every member that libxl has.
//
// Threads: constants.

#ifndef LIBTELEPORT_XEN_CONFIG_RULES_HPP
#define LIBTELEPORT_XEN_CONFIG_RULES_HPP

#include <cstdint>
#include <span>
#include <string_view>

namespace teleport {

/// What a member may hold. What is off (null, 0, "", [], {}, false, "False",
/// "none", "disabled") is carried of every known member, whatever its rule.
enum class member_rule : std::uint8_t {
  number,     ///< an integer
  flag,       ///< a truth value, as a bool, an integer or a defbool's word
  word,       ///< letters, digits and "_.:+-", none first like an option
  address,    ///< IP addresses: hexadecimal digits, ".:/" and blanks
  text,       ///< at most 4095 bytes without control characters
  name,       ///< a text that is no path: xl makes a log file's name of it
  plain,      ///< numbers, flags and words in any nesting
  object,     ///< members by a table of their own
  list,       ///< objects by a table of their own
  disks,      ///< as list; each with the path that the destination gave it
  serial,     ///< "pty", or a list of such
  pointer,    ///< "tablet", "mouse" or "keyboard", or a list of such
  boot_file,  ///< a path that the destination lists
  script,     ///< a vif script that the destination lists
  dom0,       ///< dom0, as a number or a name: left out
  of_host,    ///< says something of the host that wrote it: left out
  refused,    ///< must be off
};

/// One member of one of libxl's structures.
struct config_member {
  /// As in libxl's JSON; the variants of a union are "type.hvm" and the like.
  std::string_view name;
  member_rule rule;
  /// Of an object, a list, disks: their members.
  std::span<const config_member> members{};
  /// How xl.cfg(5) calls it, where that is another word: "device_model_args".
  std::string_view option{};
};

/// The members of libxl_domain_config, from libxl_types.idl of Xen 4.17 to
/// 4.22. test/unit/config_rules_test.cpp holds it against the installed libxl.
[[nodiscard]] std::span<const config_member> config_members() noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_CONFIG_RULES_HPP
