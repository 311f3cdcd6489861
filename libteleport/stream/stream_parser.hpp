// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/stream/stream_parser.hpp: finds the records in what libxl
// writes, in pieces of any size, without keeping them.
//
// Both sides use it: the source to find PAGE_DATA and END, the destination to
// prove that END is nowhere but at the end, since libxl opens the guest's disks
// as soon as it reads END (gate.hpp). Formats: formats.hpp.
//
//   byte_span rest = bytes;
//   while (!rest.empty()) {
//     auto found = parser.next(rest);
//     ...
//   }
//
// Threads: one owner; no locking.
// Trust: input is hostile at the destination. Nothing is allocated.

#ifndef LIBTELEPORT_STREAM_STREAM_PARSER_HPP
#define LIBTELEPORT_STREAM_STREAM_PARSER_HPP

#include <array>
#include <cstddef>
#include <cstdint>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/stream/formats.hpp"

namespace teleport {

/// Bytes of the stream that lie together and are of one sort.
struct stream_segment {
  enum class sort : std::uint8_t {
    nothing,    ///< a header is not yet whole: feed more
    other,      ///< pass on as it stands
    page_data,  ///< part of a PAGE_DATA record, its header included
    end,        ///< the libxl END record, whole: the stream is over
  };
  sort what = sort::nothing;
  /// A view of the input or of the parser; valid until the next call.
  byte_span bytes;
  /// page_data: bytes of the whole record, at most max_page_record_bytes.
  std::size_t record_bytes = 0;
  /// page_data: this is the record's last part.
  bool is_last = false;
};

/// Walks over a libxl version 2 stream with a libxc version 3 stream inside,
/// little-endian, x86, not checkpointed.
///
/// Unknown records pass as `other`, mandatory or not: the receiving libxl
/// judges them. A PAGE_DATA record longer than libxc writes them passes as
/// `other` too.
class stream_parser {
 public:
  /// Takes the next segment off the front of `input`.
  ///
  /// All of the input comes out again, in order; a header that is split comes
  /// out when its last byte has come in.
  ///
  /// @error errc::unsupported for another format, version, byte order,
  ///        architecture, or Remus or COLO; errc::corrupt for a record that
  ///        cannot be, or bytes after END. Once failed, it stays failed.
  [[nodiscard]] result<stream_segment> next(byte_span& input);

  /// True once the libxl END record has come out.
  [[nodiscard]] bool ended() const noexcept { return at_ == place::ended; }

  /// Bytes of a header that came in and did not come out yet.
  [[nodiscard]] std::size_t held() const noexcept { return have_; }

 private:
  enum class place : std::uint8_t {
    libxl_header,
    libxl_record,
    image_header,
    domain_header,
    libxc_record,
    body,
    ended,
    failed,
  };

  [[nodiscard]] std::size_t header_bytes() const noexcept;
  [[nodiscard]] result<void> read_header(stream_segment& found);
  [[nodiscard]] result<void> read_libxl_header();
  [[nodiscard]] result<void> read_libxl_record(stream_segment& found);
  [[nodiscard]] result<void> read_image_header();
  [[nodiscard]] result<void> read_domain_header();
  [[nodiscard]] result<void> read_libxc_record(stream_segment& found);
  void enter_body(std::uint32_t length) noexcept;
  [[nodiscard]] stream_segment take_body(byte_span& input) noexcept;

  place at_ = place::libxl_header;
  place after_body_ = place::libxl_record;
  bool had_libxc_ = false;
  std::array<std::byte, xen_stream::image_header_bytes> header_{};
  std::size_t have_ = 0;         // bytes of header_ filled
  std::uint64_t body_left_ = 0;  // padding included
  stream_segment::sort body_sort_ = stream_segment::sort::other;
  std::size_t record_bytes_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_STREAM_STREAM_PARSER_HPP
