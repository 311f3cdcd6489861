// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/snapshot_content.hpp: knows what a disk held when this was made.

#ifndef TELEPORT_TEST_SUPPORT_SNAPSHOT_CONTENT_HPP
#define TELEPORT_TEST_SUPPORT_SNAPSHOT_CONTENT_HPP

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/capture.hpp"
#include "libteleport/migrate/known_content.hpp"
#include "test/support/memory_device.hpp"

namespace teleport {

class snapshot_content : public known_content {
 public:
  explicit snapshot_content(byte_buffer disk) : disk_(std::move(disk)) {}

  /// What was known of an extent is not known any more.
  void forget(std::uint64_t extent) { forgotten_.insert(extent); }
  /// What audit() will say.
  void set_audit(result<void> outcome) { audit_ = std::move(outcome); }
  /// What check() will say.
  void set_check(result<void> outcome) { check_ = std::move(outcome); }
  [[nodiscard]] unsigned audits() const noexcept { return audits_; }

  [[nodiscard]] std::optional<known_extent> find(
      std::uint64_t extent) override {
    const auto held = forgotten_.contains(extent)
                          ? result<captured_extent>(error(errc::not_found, ""))
                          : capture(disk_, {0, extent});
    if (!held) {
      return std::nullopt;
    }
    known_extent known;
    known.zero = held->zero;
    if (!held->zero) {
      auto digests = digests_of(*held);
      known.digest = held->digest;
      known.zero_blocks = digests.zero;
      known.blocks = std::move(digests.digests);
    }
    told_.insert(extent);
    return known;
  }
  [[nodiscard]] result<void> check() override { return check_; }
  [[nodiscard]] result<void> audit() override {
    ++audits_;
    return audit_;
  }
  void mark_told(dirty_map& dirty) override {
    for (const std::uint64_t extent : told_) {
      dirty.mark(extent * extent_bytes, extent_length(disk_.size(), extent));
    }
    told_.clear();
  }

 private:
  memory_device disk_;
  std::set<std::uint64_t> forgotten_;
  std::set<std::uint64_t> told_;
  result<void> check_;
  result<void> audit_;
  unsigned audits_ = 0;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_SNAPSHOT_CONTENT_HPP
