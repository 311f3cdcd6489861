// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/digest.hpp: the two digests, one that finds and one that
// proves.
//
// XXH3-64 of a block finds candidates; it is not collision-safe and guests
// choose their blocks, so it never proves anything. SHA-256 of an extent
// proves. The only user of xxhash.h and of OpenSSL's digests.
//
// Threads: functions are pure; a sha256_stream has one owner.

#ifndef LIBTELEPORT_BASE_DIGEST_HPP
#define LIBTELEPORT_BASE_DIGEST_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace teleport {

/// XXH3-64 (seed 0) of one block of 4096 bytes. A short last block is hashed
/// as if zeros filled it up.
using block_digest = std::uint64_t;

/// SHA-256 of an extent's bytes (of as many as the disk has there).
using extent_digest = std::array<std::byte, 32>;

/// @param block  at most 4096 bytes
[[nodiscard]] block_digest digest_block(std::span<const std::byte> block);

/// @param bytes  any length
[[nodiscard]] extent_digest digest_extent(std::span<const std::byte> bytes);

/// True when every byte is 0. Any length, an empty span included.
[[nodiscard]] bool is_zero(std::span<const std::byte> bytes) noexcept;

/// SHA-256 over bytes that arrive in pieces.
class sha256_stream {
 public:
  sha256_stream();
  sha256_stream(sha256_stream&&) noexcept;
  sha256_stream& operator=(sha256_stream&&) noexcept;
  sha256_stream(const sha256_stream&) = delete;
  sha256_stream& operator=(const sha256_stream&) = delete;
  ~sha256_stream();

  void update(std::span<const std::byte> bytes);
  /// The digest of all so far. Call once, last.
  [[nodiscard]] extent_digest finish();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_DIGEST_HPP
