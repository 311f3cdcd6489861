// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/setup_records.hpp: the JSON bodies of the records that
// set a session up: OFFER, SEED, ANSWER and PREPARED. PROTOCOL.md, sections 3
// and 7.1.
//
// Threads: pure functions.
// Trust:   the readers are made for hostile text.

#ifndef LIBTELEPORT_SESSION_SETUP_RECORDS_HPP
#define LIBTELEPORT_SESSION_SETUP_RECORDS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/facts.hpp"

namespace teleport {

/// The file from which a guest is started, as xl.cfg(5) has it.
struct start_file {
  std::string text;
  /// `xendomains` starts it at boot.
  bool autostart = false;

  friend bool operator==(const start_file&, const start_file&) = default;
};

/// A configuration that people write has some KiB.
inline constexpr std::size_t max_start_file_bytes = std::size_t{64} << 10U;

/// What the source wants to bring.
struct offer {
  std::string id;  ///< 32 hexadecimal digits
  bool live = true;
  guest_info guest;
  host_facts source;
  std::optional<start_file> start = std::nullopt;
  bool takes_turns = false;  ///< sends ASK_TURN before the memory
};

/// A disk as the destination will have it.
struct offered_target {
  std::string vdev;
  std::string kind;    ///< "new", "shadow" or "partial"
  std::string target;  ///< its path there; "" before it was made
};

/// What the destination has for a guest and what the guest takes of it: for
/// whoever plans for several guests at once.
struct host_room {
  std::uint64_t free_memory_kib = 0;
  std::uint64_t needed_memory_kib = 0;
  std::uint64_t free_store_bytes = 0;
  std::uint64_t needed_store_bytes = 0;

  friend bool operator==(const host_room&, const host_room&) = default;
};

struct answer {
  std::string host;  ///< the destination's own name
  std::vector<problem> problems;
  std::vector<offered_target> disks;
  /// Missing where the store could not be looked at.
  std::optional<host_room> room;
  bool gives_turns = false;  ///< answers ASK_TURN
};

/// SEED: disks of a guest that stays where it is. Of `guest` only the name, the
/// uuid and of each disk the name and the size count.
struct seed_offer {
  guest_info guest;
};

/// The disks that are moved, in the order in which records number them: all
/// but empty drives.
[[nodiscard]] std::vector<guest_disk> moved_disks(const guest_info& guest);

[[nodiscard]] std::string to_json(const offer& value);
[[nodiscard]] std::string to_json(const answer& value);
[[nodiscard]] std::string to_json(const std::vector<offered_target>& value);

[[nodiscard]] std::string to_json(const seed_offer& value);

[[nodiscard]] result<offer> read_offer(std::string_view json);
[[nodiscard]] result<answer> read_answer(std::string_view json);
[[nodiscard]] result<std::vector<offered_target>> read_targets(
    std::string_view json);
[[nodiscard]] result<seed_offer> read_seed_offer(std::string_view json);

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_SETUP_RECORDS_HPP
