// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/stream/page_codec.hpp: a PAGE_DATA record in few bytes, and back
// to the same bytes.
//
// Layout: CODING.md, section 3. Each page has a code of its own, so that later
// versions can add pages that the destination knows and deltas.
//
// Threads: one owner each; no locking.
// Trust: the decoder's input is hostile. Nothing is allocated from a number
// that was not checked; what comes out is at most max_page_record_bytes.

#ifndef LIBTELEPORT_STREAM_PAGE_CODEC_HPP
#define LIBTELEPORT_STREAM_PAGE_CODEC_HPP

#include <cstddef>
#include <cstdint>
#include <memory>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/stream/formats.hpp"

namespace teleport {

/// A PAGE_DATA record's parts; views into the record.
struct page_record {
  std::uint32_t count = 0;  ///< pfns, never 0
  std::uint32_t reserved = 0;
  byte_span pfns;   ///< count x u64
  byte_span pages;  ///< page_bytes for each pfn that has data, in order

  /// Entry `i` as it stands: type in the top four bits.
  [[nodiscard]] std::uint64_t pfn(std::size_t i) const noexcept {
    return load_le<std::uint64_t>(pfns.subspan(i * 8, 8));
  }
  [[nodiscard]] std::size_t data_pages() const noexcept {
    return pages.size() / xen_stream::page_bytes;
  }
  /// False for the rare record that libxc does not write and that the codec
  /// has no coding for; it is to be sent as it stands.
  [[nodiscard]] bool is_codable() const noexcept {
    return count <= xen_stream::max_batch_pages && reserved == 0;
  }
};

/// Reads a whole PAGE_DATA record, from its header on.
///
/// @error errc::corrupt when its length is not what its pfns ask for, or a
///        pfn has a type that Xen does not define
[[nodiscard]] result<page_record> read_page_record(byte_span record);

/// What became of the pages of a record.
struct page_counts {
  std::uint64_t pages = 0;  ///< with data
  std::uint64_t zero = 0;   ///< of these, all zero
};

/// Codes records for the wire.
class page_encoder {
 public:
  /// @param level  of zstd, 1 to 19; more than 3 seldom pays for memory
  explicit page_encoder(int level);
  page_encoder(page_encoder&&) noexcept;
  page_encoder& operator=(page_encoder&&) noexcept;
  page_encoder(const page_encoder&) = delete;
  page_encoder& operator=(const page_encoder&) = delete;
  ~page_encoder();

  /// @pre record.is_codable()
  /// @param counts  grows by this record's
  [[nodiscard]] byte_buffer encode(const page_record& record,
                                   page_counts& counts);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Makes the records again.
class page_decoder {
 public:
  page_decoder();
  page_decoder(page_decoder&&) noexcept;
  page_decoder& operator=(page_decoder&&) noexcept;
  page_decoder(const page_decoder&) = delete;
  page_decoder& operator=(const page_decoder&) = delete;
  ~page_decoder();

  /// @return the whole PAGE_DATA record, header included
  /// @error errc::protocol for anything that CODING.md does not allow
  [[nodiscard]] result<byte_buffer> decode(byte_span body);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_STREAM_PAGE_CODEC_HPP
