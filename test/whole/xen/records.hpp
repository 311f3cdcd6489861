// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/records.hpp: the records that a guest writes to its disks,
// each a block whose every byte follows from its number, so that a block that
// is lost, old or torn is seen.
//
// Record N lies on the disk N % disks, in a place that no later record takes
// before all other places had one.

#ifndef TEST_WHOLE_XEN_RECORDS_HPP
#define TEST_WHOLE_XEN_RECORDS_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport::whole {

class record_disks {
 public:
  /// Opens all disks that the guest may write.
  /// @throw std::runtime_error when one cannot be opened
  explicit record_disks(const domain& one);

  /// Writes a record past the page cache, as the block backend does.
  void write(std::uint64_t number);
  /// The highest number of all records there.
  [[nodiscard]] std::uint64_t highest() const;
  /// What is wrong with the disks if `last` was the last record written: "" or
  /// a sentence.
  [[nodiscard]] std::string check(std::uint64_t last) const;

 private:
  struct opened_disk {
    std::string vdev;
    unique_fd fd;
    std::uint64_t blocks = 0;
    std::uint64_t stride = 1;
  };
  [[nodiscard]] std::vector<std::byte> content(const opened_disk& disk) const;
  [[nodiscard]] static std::uint64_t place_of(const opened_disk& disk,
                                              std::uint64_t turn);

  std::vector<opened_disk> disks_;
};

/// SHA-256 of a whole device in hexadecimal, read past the page cache.
[[nodiscard]] std::string digest_of_device(const std::string& device);

/// Adds a line to a file of the witness's, whole or not at all.
void tell_witness(const std::string& file, const std::string& line);

}  // namespace teleport::whole

#endif  // TEST_WHOLE_XEN_RECORDS_HPP
