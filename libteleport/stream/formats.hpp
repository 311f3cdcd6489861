// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/stream/formats.hpp: the numbers of Xen's two nested formats, the
// libxl stream version 2 and inside it the libxc stream version 3.
//
// Specified in Xen's docs/specs/libxl-migration-stream.pandoc and
// docs/specs/libxc-migration-stream.pandoc. Only what a pass-through must
// know stands here: headers, what ends a stream, and PAGE_DATA.
//
// Threads: constants.

#ifndef LIBTELEPORT_STREAM_FORMATS_HPP
#define LIBTELEPORT_STREAM_FORMATS_HPP

#include <array>
#include <cstddef>
#include <cstdint>

namespace teleport::xen_stream {

/// Bytes of a guest's page: page_shift 12, the only one that x86 uses.
inline constexpr std::size_t page_bytes = 4096;

/// Both formats: u32 type, u32 length of the body, body, zeros up to 8.
inline constexpr std::size_t record_header_bytes = 8;

// --- libxl stream, version 2 ----------------------------------------------

/// Big-endian: u64 "LibxlFmt", u32 version, u32 options.
inline constexpr std::size_t libxl_header_bytes = 16;
inline constexpr std::uint64_t libxl_ident = 0x4c6962786c466d74;
inline constexpr std::uint32_t libxl_version = 2;

inline constexpr std::uint32_t libxl_end = 0;
/// Empty; the libxc stream follows without a length, up to its own END.
inline constexpr std::uint32_t libxl_libxc_context = 1;
inline constexpr std::uint32_t libxl_emulator_xenstore_data = 2;
inline constexpr std::uint32_t libxl_emulator_context = 3;
/// Remus and COLO only, as the next.
inline constexpr std::uint32_t libxl_checkpoint_end = 4;
inline constexpr std::uint32_t libxl_checkpoint_state = 5;

/// The libxl END record: type 0, length 0. What the gate holds back.
inline constexpr std::array<std::byte, record_header_bytes> end_record{};

// --- libxc stream, version 3 ----------------------------------------------

/// Big-endian: u64 all ones, u32 "XENF", u32 version, u16 options, 6 reserved.
inline constexpr std::size_t image_header_bytes = 24;
inline constexpr std::uint64_t image_marker = ~std::uint64_t{0};
inline constexpr std::uint32_t image_ident = 0x58454e46;
inline constexpr std::uint32_t image_version = 3;
inline constexpr std::uint32_t image_option_big_endian = 1;

/// u32 guest type, u16 page shift, u16 0, u32 Xen's major, u32 minor.
inline constexpr std::size_t domain_header_bytes = 16;
inline constexpr std::uint32_t guest_x86_pv = 1;
inline constexpr std::uint32_t guest_x86_hvm = 2;
inline constexpr std::uint16_t page_shift = 12;

inline constexpr std::uint32_t libxc_end = 0;
inline constexpr std::uint32_t libxc_page_data = 1;
/// Remus and COLO only, as the next.
inline constexpr std::uint32_t libxc_checkpoint = 0x0e;
inline constexpr std::uint32_t libxc_checkpoint_dirty_pfn_list = 0x0f;

/// Longest body of a libxc record (REC_LENGTH_MAX in xg_sr_stream_format.h).
inline constexpr std::uint32_t max_libxc_body = 128U << 20U;

/// Pages in a PAGE_DATA record as libxc writes it (its MAX_BATCH_SIZE). Its
/// specification sets no limit but the body's.
inline constexpr std::size_t max_batch_pages = 1024;

/// Longest PAGE_DATA record of max_batch_pages, its header included: u32
/// count, u32 0, u64 pfn[count], then a page for each pfn that has data.
inline constexpr std::size_t max_page_record_bytes =
    record_header_bytes + 8 + max_batch_pages * (8 + page_bytes);

/// A pfn's entry: type in bits 63-60; below it the number (bits 59-52 are 0).
inline constexpr unsigned pfn_type_shift = 60;
inline constexpr std::uint64_t pfn_mask =
    (std::uint64_t{1} << pfn_type_shift) - 1;

/// True for the types that have a page's bytes in the stream: all but BROKEN
/// (0xd), XALLOC (0xe) and XTAB (0xf).
[[nodiscard]] inline constexpr bool has_data(unsigned pfn_type) noexcept {
  return pfn_type < 0xd;
}

/// False for 5 to 8, which Xen does not define: has_data() is a guess there.
[[nodiscard]] inline constexpr bool is_known_type(unsigned pfn_type) noexcept {
  return pfn_type <= 4 || (pfn_type >= 9 && pfn_type <= 0xf);
}

}  // namespace teleport::xen_stream

#endif  // LIBTELEPORT_STREAM_FORMATS_HPP
