// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/stream/stream_filter.hpp: the guest's memory stream across the
// link: coded at the source, rebuilt byte for byte at the destination, proven.
//
// The source feeds what libxl_domain_suspend wrote to stream_filter and sends
// the pieces in order; the destination gives each to stream_rebuild and writes
// the bytes it gets to `xl migrate-receive`. The libxl END record is never
// among these bytes: the gate has it (gate.hpp). Coding: CODING.md.
//
// Threads: one owner each; no locking, no I/O.
// Trust: the source's libxl is trusted, its bytes are checked nevertheless.
// Pieces are hostile.

#ifndef LIBTELEPORT_STREAM_STREAM_FILTER_HPP
#define LIBTELEPORT_STREAM_STREAM_FILTER_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/stream/page_codec.hpp"
#include "libteleport/stream/stream_parser.hpp"

namespace teleport {

/// One coded piece of the stream, to be carried in order.
struct coded_piece {
  /// Values are the wire's: never reused or renumbered.
  enum class kind : std::uint8_t {
    raw = 1,    ///< bytes of the stream as they stand
    pages = 2,  ///< one PAGE_DATA record, coded
    end = 3,    ///< u64 length and SHA-256 of the whole stream, END included
  };
  kind type = kind::raw;
  byte_buffer body;
};

/// Longest `raw` body made; a receiver takes up to max_raw_piece.
inline constexpr std::size_t raw_piece_bytes = std::size_t{64} << 10U;
inline constexpr std::size_t max_raw_piece = std::size_t{1} << 20U;

/// Longest body of any piece: a PAGE_DATA record that does not compress, with
/// the largest lists of pfns and codes before it (10 + 3 and 2 bytes a page).
inline constexpr std::size_t max_piece_bytes =
    4 + xen_stream::max_batch_pages * (10 + 3 + 2 + xen_stream::page_bytes);

/// What the source's side has done so far.
struct stream_statistics {
  std::uint64_t bytes_in = 0;   ///< from libxl
  std::uint64_t bytes_out = 0;  ///< in pieces' bodies
  std::uint64_t page_records = 0;
  std::uint64_t pages = 0;       ///< with data
  std::uint64_t zero_pages = 0;  ///< of these, all zero
};

/// The source's side.
class stream_filter {
 public:
  /// @param level  of zstd, 1 to 19
  explicit stream_filter(int level = 3) : encoder_(level) {}

  /// Takes bytes that libxl wrote, in pieces of any size.
  ///
  /// Keeps back at most one unfinished PAGE_DATA record (4.2 MB) or header;
  /// all else is in the pieces returned. Large slices make many pieces: feed
  /// what one read() returned.
  ///
  /// @error as of stream_parser::next() and read_page_record(); after an error
  ///        the stream is lost and every later call fails
  [[nodiscard]] result<std::vector<coded_piece>> feed(byte_span from_libxl);

  /// True when libxl's END record has come; the last piece was of kind `end`.
  [[nodiscard]] bool ended() const noexcept { return parser_.ended(); }

  [[nodiscard]] const stream_statistics& statistics() const noexcept {
    return statistics_;
  }

 private:
  void add_raw(byte_span bytes, std::vector<coded_piece>& pieces);
  void flush_raw(std::vector<coded_piece>& pieces);
  void add_piece(coded_piece::kind type,
                 byte_buffer body,
                 std::vector<coded_piece>& pieces);
  [[nodiscard]] result<void> add_pages(const stream_segment& part,
                                       std::vector<coded_piece>& pieces);
  void add_end(std::vector<coded_piece>& pieces);

  stream_parser parser_;
  page_encoder encoder_;
  sha256_stream hash_;
  byte_buffer raw_;     // empty between calls of feed()
  byte_buffer record_;  // the unfinished PAGE_DATA record
  std::optional<error> failure_;
  stream_statistics statistics_;
};

/// The destination's side.
class stream_rebuild {
 public:
  /// Takes the next piece.
  ///
  /// @return bytes for `xl migrate-receive`; empty for the `end` piece, whose
  ///         8 bytes of END only the gate gives out
  /// @error errc::protocol for what CODING.md does not allow, errc::corrupt or
  ///        errc::unsupported for a stream that stream_parser refuses or that
  ///        holds END before its end; errc::mismatch when length or SHA-256 are
  ///        not the source's. After an error every later call fails: close
  ///        the pipe, so that the restore fails and the source resumes.
  [[nodiscard]] result<byte_buffer> accept(coded_piece piece);

  /// True once the `end` piece has come and has proven all bytes before it.
  [[nodiscard]] bool complete() const noexcept { return complete_; }

  /// Bytes of the stream returned by accept() so far.
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return bytes_out_; }

 private:
  [[nodiscard]] result<byte_buffer> rebuild(coded_piece piece);
  [[nodiscard]] result<void> walk(byte_span bytes);
  [[nodiscard]] result<void> prove_end(byte_span body);

  stream_parser parser_;
  page_decoder decoder_;
  sha256_stream hash_;
  std::uint64_t bytes_out_ = 0;
  bool complete_ = false;
  std::optional<error> failure_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_STREAM_STREAM_FILTER_HPP
