// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/duet_world.hpp: a guest's disks, the targets and the donors of
// one seed, for duet.hpp to work on.
//
// Disks of odd sizes hold zeros, noise, blocks that donors have, and blocks
// that collide with others in their digest. Targets are blank, hold garbage,
// or an earlier copy. The lookup lies.

#ifndef TELEPORT_TEST_SUPPORT_DUET_WORLD_HPP
#define TELEPORT_TEST_SUPPORT_DUET_WORLD_HPP

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libteleport/disk/dirty_map.hpp"
#include "libteleport/migrate/rebuild.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/snapshot_content.hpp"

namespace teleport {

class duet_world {
 public:
  /// @param max_extents  of each disk; it has more than one less
  duet_world(std::uint64_t seed, std::size_t disks, std::size_t max_extents);

  [[nodiscard]] std::vector<block_device*> sources() const;
  [[nodiscard]] const std::vector<target_disk>& targets() const {
    return targets_;
  }
  [[nodiscard]] fake_lookup& lookup() { return lookup_; }

  /// What is known of each disk, from now on: of most extents what they hold
  /// now, of the others nothing.
  [[nodiscard]] std::vector<known_content*> know_some();

  /// The guest writes a few sectors somewhere; the tracker marks them.
  void write_somewhere();
  /// The marks so far, which start anew.
  [[nodiscard]] std::vector<dirty_map> take_dirty();

  [[nodiscard]] std::uint64_t total_bytes() const;
  /// Empty when every target equals its disk; else where it does not.
  [[nodiscard]] std::string difference() const;

 private:
  void fill_source(byte_buffer& disk);
  [[nodiscard]] byte_buffer make_block();
  void add_target(const byte_buffer& source);

  std::mt19937_64 random_;
  std::vector<byte_buffer> library_;  ///< blocks that donors hold
  std::vector<std::unique_ptr<memory_device>> disks_;
  std::vector<std::unique_ptr<memory_device>> target_devices_;
  std::vector<target_disk> targets_;
  std::vector<dirty_map> dirty_;
  std::vector<std::unique_ptr<snapshot_content>> known_;
  fake_lookup lookup_;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_DUET_WORLD_HPP
