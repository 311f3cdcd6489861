// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/thin_dump_reader.hpp: reads what `thin_dump` says of one
// volume of a thin pool: which parts of it are provisioned.
//
// Its XML and not its human-readable form: that one names no chunk size and is
// made for eyes. expat, which takes the text in pieces as it comes, so that the
// map of a large fragmented volume (gigabytes of XML) is never in memory.
// thin_ls would count chunks without saying where they are, and thin_delta
// compares two volumes, of which there is one.
//
//   thin_dump_reader reader(device_id, disk_bytes);
//   while (more) { reader.feed(piece); }
//   auto parts = reader.finish();
//
// Threads: one owner. Blocks: no.
// Trust: nothing of it: whatever is not as it should be fails finish(), and the
// number of chunks must be what the volume's entry says.

#ifndef LIBTELEPORT_DISK_THIN_DUMP_READER_HPP
#define LIBTELEPORT_DISK_THIN_DUMP_READER_HPP

#include <cstdint>
#include <memory>
#include <string_view>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_map.hpp"

namespace teleport {

class thin_dump_reader {
 public:
  /// @param device      the volume's number in its pool
  /// @param disk_bytes  its size; chunks past it are passed over
  thin_dump_reader(std::uint32_t device, std::uint64_t disk_bytes);
  thin_dump_reader(const thin_dump_reader&) = delete;
  thin_dump_reader& operator=(const thin_dump_reader&) = delete;
  thin_dump_reader(thin_dump_reader&&) = delete;
  thin_dump_reader& operator=(thin_dump_reader&&) = delete;
  ~thin_dump_reader();

  /// After a failure nothing more is looked at.
  void feed(std::string_view piece);

  /// @return marks on each extent that is provisioned, if only in part
  /// @error errc::corrupt when the text is damaged or not whole;
  ///        errc::not_found when the volume is not in it
  [[nodiscard]] result<dirty_map> finish();

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_THIN_DUMP_READER_HPP
