// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/stream/stream_parser.hpp"

#include <algorithm>
#include <functional>

#include "test/support/catch.hpp"
#include "test/support/stream_maker.hpp"

namespace teleport {

namespace {

using namespace xen_stream;
using test::guest_kind;
using test::stream_maker;

// Everything that comes out, put together again, and the first error.
struct walked {
  byte_buffer bytes;
  std::size_t page_records = 0;
  bool ended = false;
  std::optional<error> failure;
};

walked walk(byte_span stream, std::size_t step) {
  walked out;
  stream_parser parser;
  while (!stream.empty() && !out.failure) {
    byte_span part = stream.first(std::min(step, stream.size()));
    stream = stream.subspan(part.size());
    while (!part.empty()) {
      const auto found = parser.next(part);
      if (!found) {
        out.failure = found.error();
        break;
      }
      out.bytes.insert(
          out.bytes.end(), found->bytes.begin(), found->bytes.end());
      out.page_records += found->is_last ? 1U : 0U;
    }
  }
  out.ended = parser.ended();
  return out;
}

// A stream as `make` leaves it is refused, as a whole and byte by byte.
errc refusal(const std::function<void(stream_maker&)>& make) {
  stream_maker maker(1);
  make(maker);
  const walked whole = walk(maker.bytes(), maker.bytes().size());
  const walked bytewise = walk(maker.bytes(), 1);
  REQUIRE(whole.failure.has_value());
  REQUIRE(bytewise.failure.has_value());
  CHECK(whole.failure->context == bytewise.failure->context);
  CHECK_FALSE(whole.ended);
  return whole.failure->code;
}

// The headers up to where libxc's records begin.
void open_libxc(stream_maker& maker) {
  maker.libxl_header();
  maker.record(libxl_libxc_context);
  maker.image_header();
  maker.domain_header(guest_x86_hvm);
}

}  // namespace

TEST_CASE("the parser gives all bytes back in order", "[stream]") {
  for (const auto kind : {guest_kind::pv, guest_kind::pvh, guest_kind::hvm}) {
    const byte_buffer stream = test::make_stream({.kind = kind, .pages = 20});
    for (const unsigned step : {1U, 3U, 8U, 13U, 4096U, 1U << 20U}) {
      const walked out = walk(stream, step);
      CHECK_FALSE(out.failure.has_value());
      CHECK(out.ended);
      CHECK(out.bytes == stream);
      CHECK(out.page_records > 2);
    }
  }
}

TEST_CASE("the parser refuses what is not libxl version 2", "[stream]") {
  CHECK(refusal([](stream_maker& m) { m.record(0, byte_buffer(8)); }) ==
        errc::unsupported);
  CHECK(refusal([](stream_maker& m) { m.libxl_header(1); }) ==
        errc::unsupported);
  CHECK(refusal([](stream_maker& m) { m.libxl_header(3); }) ==
        errc::unsupported);
  // Big-endian; converted from the old format; unknown.
  for (const std::uint32_t options : {1U, 2U, 4U}) {
    CHECK(refusal([&](stream_maker& m) { m.libxl_header(2, options); }) ==
          errc::unsupported);
  }
}

TEST_CASE("the parser refuses what is not libxc version 3 on x86", "[stream]") {
  const auto after_context = [](const std::function<void(stream_maker&)>& f) {
    return refusal([&](stream_maker& m) {
      m.libxl_header();
      m.record(libxl_libxc_context);
      f(m);
    });
  };
  CHECK(after_context([](stream_maker& m) { m.record(7, byte_buffer(32)); }) ==
        errc::unsupported);
  CHECK(after_context([](stream_maker& m) { m.image_header(2); }) ==
        errc::unsupported);
  CHECK(after_context([](stream_maker& m) { m.image_header(3, 1); }) ==
        errc::unsupported);
  for (const std::uint32_t type : {0U, 3U}) {
    CHECK(after_context([&](stream_maker& m) {
            m.image_header();
            m.domain_header(type);
          }) == errc::unsupported);
  }
  CHECK(after_context([](stream_maker& m) {
          m.image_header();
          m.domain_header(guest_x86_pv, 16);
        }) == errc::unsupported);
}

TEST_CASE("the parser refuses records that cannot be", "[stream]") {
  const byte_buffer eight(8);
  CHECK(refusal([&](stream_maker& m) {
          m.libxl_header();
          m.record(libxl_end);
        }) == errc::corrupt);
  CHECK(refusal([&](stream_maker& m) {
          m.libxl_header();
          m.record(libxl_libxc_context, eight);
        }) == errc::corrupt);
  CHECK(refusal([&](stream_maker& m) {
          open_libxc(m);
          m.record(libxc_end, eight);
        }) == errc::corrupt);
  CHECK(refusal([&](stream_maker& m) {
          open_libxc(m);
          m.record(libxc_end);
          m.record(libxl_end, eight);
        }) == errc::corrupt);
  CHECK(refusal([&](stream_maker& m) {
          open_libxc(m);
          m.record(libxc_end);
          m.record(libxl_libxc_context);
        }) == errc::corrupt);
}

TEST_CASE("the parser refuses checkpointed streams", "[stream]") {
  for (const auto type : {libxc_checkpoint, libxc_checkpoint_dirty_pfn_list}) {
    CHECK(refusal([&](stream_maker& m) {
            open_libxc(m);
            m.record(type);
          }) == errc::unsupported);
  }
  for (const auto type : {libxl_checkpoint_end, libxl_checkpoint_state}) {
    CHECK(refusal([&](stream_maker& m) {
            m.libxl_header();
            m.record(type);
          }) == errc::unsupported);
  }
}

TEST_CASE("a libxc record longer than Xen allows is refused by its header",
          "[stream]") {
  for (const std::uint32_t length : {max_libxc_body + 1, ~std::uint32_t{0}}) {
    stream_maker maker(1);
    open_libxc(maker);
    byte_writer header;
    header.number(std::uint32_t{9});
    header.number(length);
    byte_buffer stream = maker.bytes();
    const byte_buffer more = std::move(header).take();
    stream.insert(stream.end(), more.begin(), more.end());
    CHECK(walk(stream, 1).failure.has_value());
  }
}

TEST_CASE("unknown records pass, mandatory or optional", "[stream]") {
  stream_maker maker(1);
  open_libxc(maker);
  maker.record(0x7fff, maker.noise(13));
  maker.record(0x80000001, maker.noise(5000));
  maker.record(libxc_end);
  maker.record(0x55, maker.noise(3));
  maker.record(0x80000000, maker.noise(1));
  maker.record(libxl_end);
  for (const std::size_t step : {1U, 1000000U}) {
    const walked out = walk(maker.bytes(), step);
    CHECK(out.ended);
    CHECK(out.bytes == maker.bytes());
  }
}

TEST_CASE("the parser tells how long a PAGE_DATA record is, up to its limit",
          "[stream]") {
  for (const std::size_t over : {0U, 8U}) {
    stream_parser parser;
    stream_maker maker(1);
    open_libxc(maker);
    byte_writer header;
    header.number(libxc_page_data);
    header.number(static_cast<std::uint32_t>(max_page_record_bytes - 8 + over));
    byte_span headers = maker.bytes();
    while (!headers.empty()) {
      REQUIRE(parser.next(headers).has_value());
    }
    const byte_buffer bytes = std::move(header).take();
    byte_span rest = bytes;
    const auto found = parser.next(rest);
    REQUIRE(found.has_value());
    CHECK(found->record_bytes == (over == 0 ? max_page_record_bytes : 0));
    CHECK(found->what == (over == 0 ? stream_segment::sort::page_data
                                    : stream_segment::sort::other));
  }
}

}  // namespace teleport
