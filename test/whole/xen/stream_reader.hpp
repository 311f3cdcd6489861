// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/stream_reader.hpp: reads a guest's stream as libxl does when
// it restores one, by Xen's specification and by none of the product's code but
// its numbers.

#ifndef TEST_WHOLE_XEN_STREAM_READER_HPP
#define TEST_WHOLE_XEN_STREAM_READER_HPP

#include <cstdint>

namespace teleport::whole {

/// Reads a stream to its last record and nothing behind it.
///
/// @return what the memory page of the last pass holds (memory_page.hpp)
/// @throw std::runtime_error at the stream's end before its time, and at what
///        no libxl writes
[[nodiscard]] std::uint64_t read_stream(int fd);

/// Reads exactly so many bytes.
/// @throw std::runtime_error when there are fewer
void read_exactly(int fd, void* into, std::size_t bytes);

}  // namespace teleport::whole

#endif  // TEST_WHOLE_XEN_STREAM_READER_HPP
