// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/wire/block_packer.hpp: blocks compressed for the link, all of a
// session in one zstd stream, so that what was sent 32 MiB ago still helps. The
// only user of zstd here; libteleport/stream has its own for pages.
//
// Pieces are unpacked in the order in which they were packed. PROTOCOL.md, 4.6.
//
// Threads: one call at a time for each object.
// Trust:   unpack() is given hostile input and an exact size to reach.

#ifndef LIBTELEPORT_WIRE_BLOCK_PACKER_HPP
#define LIBTELEPORT_WIRE_BLOCK_PACKER_HPP

#include <memory>
#include <span>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

struct packed {
  data_coding coding = data_coding::plain;
  byte_buffer bytes;
};

class block_packer {
 public:
  block_packer();
  block_packer(const block_packer&) = delete;
  block_packer& operator=(const block_packer&) = delete;
  block_packer(block_packer&&) noexcept;
  block_packer& operator=(block_packer&&) noexcept;
  ~block_packer();

  /// @param level  zstd's, 1 to 19; 0 leaves the bytes as they are. Another
  ///               level than before begins a new frame, which knows nothing of
  ///               what was sent before.
  [[nodiscard]] packed pack(byte_span raw, int level);

 private:
  struct context;
  std::unique_ptr<context> context_;
};

class block_unpacker {
 public:
  block_unpacker();
  block_unpacker(const block_unpacker&) = delete;
  block_unpacker& operator=(const block_unpacker&) = delete;
  block_unpacker(block_unpacker&&) noexcept;
  block_unpacker& operator=(block_unpacker&&) noexcept;
  ~block_unpacker();

  /// Fills `out` exactly.
  ///
  /// @error errc::protocol when the bytes are not the next out.size() bytes of
  ///        the stream; what comes after such an error cannot be unpacked
  [[nodiscard]] result<void> unpack(byte_span payload,
                                    data_coding coding,
                                    std::span<std::byte> out);

 private:
  struct context;
  std::unique_ptr<context> context_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_WIRE_BLOCK_PACKER_HPP
