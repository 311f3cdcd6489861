// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/pinned_tracker.hpp: the maps that a standing tracker shares with
// the kernel, for tests that put into them what only a kernel would: a write
// that is in flight, a table that was full.

#ifndef TELEPORT_TEST_SUPPORT_PINNED_TRACKER_HPP
#define TELEPORT_TEST_SUPPORT_PINNED_TRACKER_HPP

#include <cstdint>
#include <string>

namespace teleport::test {

class pinned_tracker {
 public:
  /// @param folder  in which the one tracker is pinned
  explicit pinned_tracker(const std::string& folder);

  /// A write that has begun, and ends when remove_write() is called.
  void add_write(std::uint64_t offset, std::uint64_t bytes) const;
  void remove_write() const;
  /// So many writes found no place in the table of pending ones.
  void set_insert_failed(std::uint64_t writes) const;

 private:
  std::string folder_;
};

}  // namespace teleport::test

#endif  // TELEPORT_TEST_SUPPORT_PINNED_TRACKER_HPP
