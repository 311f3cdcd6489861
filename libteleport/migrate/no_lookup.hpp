// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/no_lookup.hpp: a destination without an index: it holds
// nothing but what is in place.

#ifndef LIBTELEPORT_MIGRATE_NO_LOOKUP_HPP
#define LIBTELEPORT_MIGRATE_NO_LOOKUP_HPP

#include <optional>
#include <span>
#include <vector>

#include "libteleport/migrate/content_lookup.hpp"

namespace teleport {

class no_lookup : public content_lookup {
 public:
  std::vector<donor_run> find_blocks(
      std::span<const block_digest> /*wanted*/) override {
    return {};
  }
  std::optional<donor_extent> find_extent(
      const extent_digest& /*wanted*/) override {
    return std::nullopt;
  }
  result<void> read_donor(donor_id /*donor*/,
                          std::uint64_t /*offset*/,
                          std::span<std::byte> /*out*/) override {
    return error(errc::not_found, "there is no index");
  }
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_NO_LOOKUP_HPP
