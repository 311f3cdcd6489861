// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/stream_maker.hpp: synthetic guests' streams, valid by Xen's
// specifications (its own verify-stream-v2 accepts them), and bad ones.
//
// Threads: one owner.

#ifndef TEST_SUPPORT_STREAM_MAKER_HPP
#define TEST_SUPPORT_STREAM_MAKER_HPP

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/stream/stream_filter.hpp"

namespace teleport::test {

enum class guest_kind { pv, pvh, hvm };

/// How large the stream is and what is in its pages.
struct stream_shape {
  guest_kind kind = guest_kind::pvh;
  std::uint32_t seed = 1;
  unsigned rounds = 3;             ///< passes over the memory
  unsigned pages = 64;             ///< of the first pass; later ones have less
  unsigned batch = 16;             ///< pfns in a PAGE_DATA record
  unsigned random_percent = 20;    ///< pages that do not compress
  unsigned zero_percent = 30;      ///< pages of zeros
  std::size_t context_bytes = 77;  ///< of HVM_CONTEXT and EMULATOR_CONTEXT
};

/// Builds a stream part by part.
class stream_maker {
 public:
  explicit stream_maker(std::uint32_t seed) : random_(seed) {}

  void libxl_header(std::uint32_t version = 2, std::uint32_t options = 0);
  void image_header(std::uint32_t version = 3, std::uint16_t options = 0);
  void domain_header(std::uint32_t type, std::uint16_t shift = 12);
  /// A record of either format, padded.
  void record(std::uint32_t type, byte_span body = {});
  /// A PAGE_DATA record of these entries; contents by `shape`.
  void page_data(std::span<const std::uint64_t> entries,
                 const stream_shape& shape);
  /// Everything before the memory, for `shape.kind`.
  void beginning(const stream_shape& shape);
  /// All passes over the memory.
  void memory(const stream_shape& shape);
  /// Everything after the memory, the libxl END record included.
  void ending(const stream_shape& shape);

  [[nodiscard]] byte_buffer noise(std::size_t size);
  [[nodiscard]] const byte_buffer& bytes() const noexcept { return bytes_; }

 private:
  void page(const stream_shape& shape, byte_buffer& out);
  void add(byte_span bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  std::mt19937 random_;
  byte_buffer bytes_;
};

/// A whole stream.
[[nodiscard]] byte_buffer make_stream(const stream_shape& shape);

/// A PAGE_DATA record with any count and pages, fitting or not.
[[nodiscard]] byte_buffer make_page_record(
    std::uint32_t count,
    std::span<const std::uint64_t> entries,
    std::size_t pages_size);

/// Pieces one after the other, as golden files and fuzzers have them: u8 kind,
/// u32 length, body.
[[nodiscard]] byte_buffer join_pieces(const std::vector<coded_piece>& pieces);

/// @return the pieces up to the first that is cut short
[[nodiscard]] std::vector<coded_piece> split_pieces(byte_span joined);

}  // namespace teleport::test

#endif  // TEST_SUPPORT_STREAM_MAKER_HPP
