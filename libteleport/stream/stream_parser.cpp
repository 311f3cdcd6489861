// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/stream/stream_parser.hpp"

#include <algorithm>
#include <string>

namespace teleport {

namespace {

using namespace xen_stream;

template <class T>
T load_be(byte_span bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((value << 8U) | std::to_integer<T>(bytes[i]));
  }
  return value;
}

struct record_header {
  std::uint32_t type = 0;
  std::uint32_t length = 0;
};

record_header load_header(byte_span bytes) {
  return {load_le<std::uint32_t>(bytes),
          load_le<std::uint32_t>(bytes.subspan(4))};
}

error corrupt(std::string what) {
  return {errc::corrupt, "the guest's stream: " + std::move(what)};
}

error unsupported(std::string what) {
  return {errc::unsupported, "the guest's stream: " + std::move(what)};
}

}  // namespace

result<stream_segment> stream_parser::next(byte_span& input) {
  if (at_ == place::failed) {
    return corrupt("used after it was refused");
  }
  if (input.empty()) {
    return stream_segment{};
  }
  if (at_ == place::ended) {
    at_ = place::failed;
    return corrupt("bytes after its END record");
  }
  if (at_ == place::body) {
    return take_body(input);
  }
  const std::size_t wanted = header_bytes();
  const std::size_t n = std::min(wanted - have_, input.size());
  std::copy_n(input.begin(), n, header_.begin() + have_);
  input = input.subspan(n);
  have_ += n;
  if (have_ < wanted) {
    return stream_segment{};
  }
  have_ = 0;
  stream_segment found;
  found.what = stream_segment::sort::other;
  found.bytes = byte_span(header_).first(wanted);
  const auto read = read_header(found);
  if (!read) {
    at_ = place::failed;
    return read.error();
  }
  return found;
}

std::size_t stream_parser::header_bytes() const noexcept {
  switch (at_) {
    case place::libxl_header:
      return libxl_header_bytes;
    case place::image_header:
      return image_header_bytes;
    case place::domain_header:
      return domain_header_bytes;
    default:
      return record_header_bytes;
  }
}

result<void> stream_parser::read_header(stream_segment& found) {
  switch (at_) {
    case place::libxl_header:
      return read_libxl_header();
    case place::libxl_record:
      return read_libxl_record(found);
    case place::image_header:
      return read_image_header();
    case place::domain_header:
      return read_domain_header();
    default:
      return read_libxc_record(found);
  }
}

result<void> stream_parser::read_libxl_header() {
  const byte_span header(header_);
  if (load_be<std::uint64_t>(header) != libxl_ident) {
    return unsupported("it does not begin with libxl's mark \"LibxlFmt\"");
  }
  const auto version = load_be<std::uint32_t>(header.subspan(8));
  if (version != libxl_version) {
    return unsupported("libxl version " + std::to_string(version) +
                       ", only 2 is known");
  }
  const auto options = load_be<std::uint32_t>(header.subspan(12));
  if (options != 0) {
    return unsupported("libxl options " + std::to_string(options) +
                       ", big-endian or converted from an old format");
  }
  at_ = place::libxl_record;
  return {};
}

result<void> stream_parser::read_libxl_record(stream_segment& found) {
  const auto [type, length] = load_header(header_);
  after_body_ = place::libxl_record;
  switch (type) {
    case libxl_end:
      if (length != 0 || !had_libxc_) {
        return corrupt(length != 0 ? "a libxl END record with a body"
                                   : "END before the guest's memory");
      }
      found.what = stream_segment::sort::end;
      at_ = place::ended;
      return {};
    case libxl_libxc_context:
      if (length != 0 || had_libxc_) {
        return corrupt(length != 0 ? "a libxl LIBXC_CONTEXT with a body"
                                   : "the guest's memory for a second time");
      }
      had_libxc_ = true;
      at_ = place::image_header;
      return {};
    case libxl_checkpoint_end:
    case libxl_checkpoint_state:
      return unsupported("checkpoints of Remus or COLO");
    default:
      enter_body(length);
      return {};
  }
}

result<void> stream_parser::read_image_header() {
  const byte_span header(header_);
  if (load_be<std::uint64_t>(header) != image_marker ||
      load_be<std::uint32_t>(header.subspan(8)) != image_ident) {
    return unsupported("the memory does not begin with libxc's mark \"XENF\"");
  }
  const auto version = load_be<std::uint32_t>(header.subspan(12));
  if (version != image_version) {
    return unsupported("libxc version " + std::to_string(version) +
                       ", only 3 is known");
  }
  const auto options = load_be<std::uint16_t>(header.subspan(16));
  if ((options & image_option_big_endian) != 0) {
    return unsupported("libxc's numbers are big-endian");
  }
  at_ = place::domain_header;
  return {};
}

result<void> stream_parser::read_domain_header() {
  const byte_span header(header_);
  const auto type = load_le<std::uint32_t>(header);
  if (type != guest_x86_pv && type != guest_x86_hvm) {
    return unsupported("guest type " + std::to_string(type) +
                       ", neither x86 PV (1) nor x86 HVM or PVH (2)");
  }
  const auto shift = load_le<std::uint16_t>(header.subspan(4));
  if (shift != page_shift) {
    return unsupported("page shift " + std::to_string(shift) +
                       ", only 12 is known");
  }
  at_ = place::libxc_record;
  return {};
}

result<void> stream_parser::read_libxc_record(stream_segment& found) {
  const auto [type, length] = load_header(header_);
  if (length > max_libxc_body) {
    return corrupt("a libxc record of type " + std::to_string(type) + " with " +
                   std::to_string(length) + " bytes, above " +
                   std::to_string(max_libxc_body));
  }
  after_body_ = place::libxc_record;
  switch (type) {
    case libxc_end:
      if (length != 0) {
        return corrupt("a libxc END record with a body");
      }
      at_ = place::libxl_record;
      return {};
    case libxc_checkpoint:
    case libxc_checkpoint_dirty_pfn_list:
      return unsupported("checkpoints of Remus or COLO");
    default:
      enter_body(length);
      break;
  }
  if (type == libxc_page_data &&
      record_header_bytes + body_left_ <= max_page_record_bytes) {
    body_sort_ = stream_segment::sort::page_data;
    record_bytes_ = record_header_bytes + static_cast<std::size_t>(body_left_);
    found.what = body_sort_;
    found.record_bytes = record_bytes_;
    found.is_last = body_left_ == 0;
  }
  return {};
}

void stream_parser::enter_body(std::uint32_t length) noexcept {
  body_left_ = (std::uint64_t{length} + 7) & ~std::uint64_t{7};
  body_sort_ = stream_segment::sort::other;
  at_ = body_left_ == 0 ? after_body_ : place::body;
}

stream_segment stream_parser::take_body(byte_span& input) noexcept {
  const auto n = static_cast<std::size_t>(
      std::min<std::uint64_t>(body_left_, input.size()));
  stream_segment found;
  found.what = body_sort_;
  found.bytes = input.first(n);
  input = input.subspan(n);
  body_left_ -= n;
  if (body_left_ == 0) {
    at_ = after_body_;
  }
  if (body_sort_ == stream_segment::sort::page_data) {
    found.record_bytes = record_bytes_;
    found.is_last = body_left_ == 0;
  }
  return found;
}

}  // namespace teleport
