// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/offer.hpp: the JSON bodies of the records that set a
// teleport up: OFFER, ANSWER, PREPARED, GO_RESULT and FAIL. PROTOCOL.md,
// sections 3 and 6.
//
// Threads: pure functions.
// Trust:   the readers are made for hostile text.

#ifndef XL_TELEPORT_SETUP_OFFER_HPP
#define XL_TELEPORT_SETUP_OFFER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/rebuild.hpp"
#include "libteleport/xen/domain.hpp"
#include "libteleport/xen/preflight.hpp"

namespace teleport {

/// What the source wants to bring.
struct offer {
  std::string id;  ///< 32 hexadecimal digits
  bool live = true;
  guest_info guest;
  host_facts source;
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
};

/// What came of GO, and the destination's figures.
struct go_result {
  bool runs = false;
  std::string sentence;  ///< why not, when it does not
  rebuild_counts bulk;
  rebuild_counts rounds;
};

/// FAIL: the sender gives up.
struct failure_note {
  std::string code;
  std::string sentence;
};

/// SEED: disks of a guest that stays where it is. Of `guest` only the name, the
/// uuid and of each disk the name and the size count.
struct seed_offer {
  guest_info guest;
};

/// SEEDED: the disks are kept as shadows.
struct seed_result {
  std::vector<offered_target> disks;
  rebuild_counts bulk;
  rebuild_counts rounds;
};

/// The disks that are moved, in the order in which records number them: all
/// but empty drives.
[[nodiscard]] std::vector<guest_disk> moved_disks(const guest_info& guest);

[[nodiscard]] std::string to_json(const offer& value);
[[nodiscard]] std::string to_json(const answer& value);
[[nodiscard]] std::string to_json(const std::vector<offered_target>& value);
[[nodiscard]] std::string to_json(const go_result& value);
[[nodiscard]] std::string to_json(const failure_note& value);

[[nodiscard]] std::string to_json(const seed_offer& value);
[[nodiscard]] std::string to_json(const seed_result& value);

[[nodiscard]] result<offer> read_offer(std::string_view json);
[[nodiscard]] result<answer> read_answer(std::string_view json);
[[nodiscard]] result<std::vector<offered_target>> read_targets(
    std::string_view json);
[[nodiscard]] result<go_result> read_go_result(std::string_view json);
[[nodiscard]] result<failure_note> read_failure(std::string_view json);
[[nodiscard]] result<seed_offer> read_seed_offer(std::string_view json);
[[nodiscard]] result<seed_result> read_seed_result(std::string_view json);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_OFFER_HPP
