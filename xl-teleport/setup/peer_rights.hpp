// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/peer_rights.hpp: what a paired host may do. A host of ours
// may do all that the product does; a limited one what its file names, and
// nothing where the file cannot be read.
//
// Threads: plain values, pure functions.
// Trust:   the file is root's. Names and uuids of guests are a peer's.

#ifndef XL_TELEPORT_SETUP_PEER_RIGHTS_HPP
#define XL_TELEPORT_SETUP_PEER_RIGHTS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/facts.hpp"

namespace teleport {

/// What one host does to the other; "here" is the host that has the file.
enum class peer_deed { teleport_here, seed_here, teleport_there, seed_there };

/// As the file has it: "teleport-here".
[[nodiscard]] std::string_view name_of(peer_deed deed) noexcept;
[[nodiscard]] std::vector<std::string> names_of(
    const std::set<peer_deed>& deeds_of_host);
[[nodiscard]] std::optional<peer_deed> deed_called(std::string_view name);

/// What a limited host's file says. What it leaves out is nothing.
struct peer_limits {
  std::set<peer_deed> may;
  /// Names, which may have * and ? in them, and uuids.
  std::vector<std::string> guests;
  /// Bytes of disks that the host may have brought here, all together.
  std::uint64_t store_limit = 0;
  /// Teleports and seeds to here at a time.
  std::size_t sessions = 1;

  friend bool operator==(const peer_limits&, const peer_limits&) = default;
};

/// @param path  of the file, for sentences
/// @error errc::bad_input: line, what was found, what was expected
[[nodiscard]] result<peer_limits> read_peer_limits(std::string_view text,
                                                   const std::string& path);
/// As read_peer_limits() reads it, with comments for whoever edits it.
[[nodiscard]] std::string peer_limits_text(const peer_limits& limits);

class peer_rights {
 public:
  /// Of a host of ours.
  peer_rights() = default;
  /// Of a limited host.
  ///
  /// @param host, file  for sentences
  peer_rights(std::string host, std::string file, peer_limits limits);
  /// Of a host whose limits are not known.
  ///
  /// @param fault  why, as a sentence that names the file
  [[nodiscard]] static peer_rights nothing(std::string host, std::string fault);

  [[nodiscard]] bool is_limited() const noexcept { return limits_.has_value(); }
  /// Empty where the host may do what limits() says.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  /// @pre is_limited()
  [[nodiscard]] const peer_limits& limits() const { return *limits_; }

  /// Whether a guest or its disks may go that way.
  ///
  /// @error errc::refused, with the words that an administrator would add
  [[nodiscard]] result<void> check(peer_deed deed,
                                   const guest_info& guest) const;

  /// Whether the disks that the host has brought may become more.
  ///
  /// @param held   bytes now
  /// @param asked  bytes once what is offered is here, too
  /// @error errc::no_space, with the figures
  [[nodiscard]] result<void> check_store(std::uint64_t held,
                                         std::uint64_t asked) const;

  /// Teleports and seeds to here at a time; the largest number for a host of
  /// ours.
  [[nodiscard]] std::size_t most_sessions() const noexcept;

  friend bool operator==(const peer_rights&, const peer_rights&) = default;

 private:
  std::string host_;
  std::string file_;
  std::string fault_;
  std::optional<peer_limits> limits_;  ///< none: a host of ours
};

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_PEER_RIGHTS_HPP
