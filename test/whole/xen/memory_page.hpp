// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/memory_page.hpp: the page of a guest's memory that matters:
// it holds the number of the last record that the guest has written. It is sent
// with the first pass, stale, and once more when the guest is suspended.

#ifndef TEST_WHOLE_XEN_MEMORY_PAGE_HPP
#define TEST_WHOLE_XEN_MEMORY_PAGE_HPP

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "libteleport/base/bytes.hpp"
#include "libteleport/stream/formats.hpp"

namespace teleport::whole {

/// No page of the stream_maker's begins like this.
inline constexpr std::string_view memory_mark = "the memory of a whole guest: ";
/// Far from the frames that the stream_maker fills.
inline constexpr std::uint64_t memory_pfn = 0x200000;

/// The body of a PAGE_DATA record with this page alone.
[[nodiscard]] inline byte_buffer memory_record(std::uint64_t last) {
  byte_writer out;
  out.number(std::uint32_t{1});
  out.number(std::uint32_t{0});
  out.number(memory_pfn);
  byte_buffer body = std::move(out).take();
  const std::size_t at = body.size();
  body.resize(at + xen_stream::page_bytes);
  std::memcpy(body.data() + at, memory_mark.data(), memory_mark.size());
  std::memcpy(body.data() + at + memory_mark.size(), &last, sizeof(last));
  return body;
}

/// The number in a page, if it is this page.
[[nodiscard]] inline std::optional<std::uint64_t> read_memory_page(
    byte_span page) {
  if (page.size() < memory_mark.size() + sizeof(std::uint64_t) ||
      as_text(page.first(memory_mark.size())) != memory_mark) {
    return std::nullopt;
  }
  std::uint64_t last = 0;
  std::memcpy(&last, page.data() + memory_mark.size(), sizeof(last));
  return last;
}

}  // namespace teleport::whole

#endif  // TEST_WHOLE_XEN_MEMORY_PAGE_HPP
