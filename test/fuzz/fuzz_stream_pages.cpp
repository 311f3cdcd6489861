// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_stream_pages.cpp: any bytes as a coded PAGE_DATA record. What
// decodes is a record that codes and decodes to itself.
//
// Input: the body of a `pages` piece.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "libteleport/stream/page_codec.hpp"

namespace {

using namespace teleport;

void must(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static page_decoder decoder;
  static page_encoder encoder(1);
  const auto record = decoder.decode(std::as_bytes(std::span(data, size)));
  if (!record) {
    return 0;
  }
  must(record->size() <= xen_stream::max_page_record_bytes);
  const auto parts = read_page_record(*record);
  must(parts.has_value() && parts->is_codable());
  page_counts counts;
  const byte_buffer body = encoder.encode(*parts, counts);
  const auto again = decoder.decode(body);
  must(again.has_value() && *again == *record);
  must(counts.pages == parts->data_pages() && counts.zero <= counts.pages);
  return 0;
}
