// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/stream/page_codec.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <string>
#include <vector>

#include <zstd.h>

#include "libteleport/base/digest.hpp"

namespace teleport {

namespace {

using namespace xen_stream;

constexpr std::uint8_t coding_version = 1;

enum packing : std::uint8_t { stored = 0, zstd_frame = 1 };

// A page's code. 2 to 7 are free: content the destination knows, deltas.
enum page_code : std::uint8_t { zero_page = 0, whole_page = 1 };

constexpr unsigned pfn_type_bits = 4;
constexpr unsigned page_code_bits = 3;

// Longest varint: 9 bytes of 7 bits hold every number of the coding.
constexpr unsigned max_varint_bytes = 9;

void put_varint(byte_writer& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.number(static_cast<std::uint8_t>((value & 0x7fU) | 0x80U));
    value >>= 7U;
  }
  out.number(static_cast<std::uint8_t>(value));
}

// After a failure the reader is at its end: in.ok() turns false at the latest
// with the next number.
std::uint64_t take_varint(byte_reader& in) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < max_varint_bytes; ++i) {
    const auto byte = in.number<std::uint8_t>();
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if ((byte & 0x80U) == 0) {
      return value;
    }
  }
  static_cast<void>(in.take(~std::size_t{0}));  // too long: fail the reader
  return 0;
}

unsigned type_of(std::uint64_t entry) {
  return static_cast<unsigned>(entry >> pfn_type_shift);
}

// Runs of pfns that rise by one and have one type.
void put_pfns(const page_record& record, byte_writer& out) {
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < record.count;) {
    const std::uint64_t first = record.pfn(i);
    std::size_t length = 1;
    while (i + length < record.count &&
           record.pfn(i + length) == first + length) {
      ++length;
    }
    const std::uint64_t number = first & pfn_mask;
    put_varint(out,
               number >= expected ? (number - expected) << 1U
                                  : ((expected - number) << 1U) - 1);
    put_varint(out, (length - 1) << pfn_type_bits | type_of(first));
    expected = number + length;
    i += length;
  }
}

// Runs of pages of one code.
void put_codes(const std::vector<page_code>& codes, byte_writer& out) {
  for (std::size_t i = 0; i < codes.size();) {
    std::size_t length = 1;
    while (i + length < codes.size() && codes[i + length] == codes[i]) {
      ++length;
    }
    put_varint(out, (length - 1) << page_code_bits | codes[i]);
    i += length;
  }
}

error refused(std::string what) {
  return {errc::protocol, "coded pages: " + std::move(what)};
}

// The coded list of pfns, as entries.
result<std::vector<std::uint64_t>> take_pfns(byte_reader& in,
                                             std::size_t count) {
  std::vector<std::uint64_t> pfns;
  pfns.reserve(count);
  std::uint64_t expected = 0;
  while (pfns.size() < count) {
    const std::uint64_t step = take_varint(in);
    const std::uint64_t run = take_varint(in);
    if (!in.ok()) {
      return refused("the list of pfns is cut short");
    }
    const std::uint64_t type = run & ((1U << pfn_type_bits) - 1);
    const std::uint64_t more = run >> pfn_type_bits;
    if (more >= count - pfns.size()) {
      return refused("a run of pfns goes past the record's count");
    }
    if (!is_known_type(static_cast<unsigned>(type))) {
      return refused("page type " + std::to_string(type));
    }
    // Below 2^63 each, so neither wraps into range.
    const std::uint64_t first = (step & 1U) == 0
                                    ? expected + (step >> 1U)
                                    : expected - ((step >> 1U) + 1);
    if (first > pfn_mask || more > pfn_mask - first) {
      return refused("a pfn is out of range");
    }
    for (std::uint64_t i = 0; i <= more; ++i) {
      pfns.push_back(type << pfn_type_shift | (first + i));
    }
    expected = first + more + 1;
  }
  return pfns;
}

result<std::vector<page_code>> take_codes(byte_reader& in, std::size_t pages) {
  std::vector<page_code> codes;
  codes.reserve(pages);
  while (codes.size() < pages) {
    const std::uint64_t run = take_varint(in);
    if (!in.ok()) {
      return refused("the list of page codes is cut short");
    }
    const std::uint64_t code = run & ((1U << page_code_bits) - 1);
    const std::uint64_t more = run >> page_code_bits;
    if (more >= pages - codes.size()) {
      return refused("a run of page codes goes past the record's pages");
    }
    if (code != zero_page && code != whole_page) {
      return refused("page code " + std::to_string(code));
    }
    codes.insert(codes.end(), more + 1, static_cast<page_code>(code));
  }
  return codes;
}

}  // namespace

result<page_record> read_page_record(byte_span record) {
  byte_reader in(record);
  const auto type = in.number<std::uint32_t>();
  const auto length = in.number<std::uint32_t>();
  page_record found;
  found.count = in.number<std::uint32_t>();
  found.reserved = in.number<std::uint32_t>();
  if (!in.ok() || type != libxc_page_data ||
      length != record.size() - record_header_bytes) {
    return error(errc::corrupt, "a PAGE_DATA record's length is wrong");
  }
  found.pfns = in.take(std::size_t{found.count} * 8);
  if (!in.ok() || found.count == 0) {
    return error(errc::corrupt,
                 "a PAGE_DATA record of " + std::to_string(length) +
                     " bytes says that it has " + std::to_string(found.count) +
                     " pfns");
  }
  std::size_t with_data = 0;
  for (std::size_t i = 0; i < found.count; ++i) {
    const unsigned page_type = type_of(found.pfn(i));
    if (!is_known_type(page_type)) {
      return error(
          errc::corrupt,
          "a PAGE_DATA record has page type " + std::to_string(page_type));
    }
    with_data += has_data(page_type) ? 1U : 0U;
  }
  found.pages = in.rest();
  if (found.pages.size() != with_data * page_bytes) {
    return error(errc::corrupt,
                 "a PAGE_DATA record has " +
                     std::to_string(found.pages.size()) + " bytes of pages, " +
                     std::to_string(with_data * page_bytes) +
                     " would fit its pfns");
  }
  return found;
}

struct page_encoder::state {
  struct free_context {
    void operator()(ZSTD_CCtx* old) const { ZSTD_freeCCtx(old); }
  };
  std::unique_ptr<ZSTD_CCtx, free_context> context{ZSTD_createCCtx()};
  int level = 0;
  byte_buffer gathered;  // the whole pages of a record
  byte_buffer packed;
  std::vector<page_code> codes;
};

page_encoder::page_encoder(int level) : state_(std::make_unique<state>()) {
  if (!state_->context) {
    throw std::bad_alloc();
  }
  state_->level = std::clamp(level, 1, 19);
}
page_encoder::page_encoder(page_encoder&&) noexcept = default;
page_encoder& page_encoder::operator=(page_encoder&&) noexcept = default;
page_encoder::~page_encoder() = default;

byte_buffer page_encoder::encode(const page_record& record,
                                 page_counts& counts) {
  assert(record.is_codable());
  state& s = *state_;
  s.gathered.clear();
  s.codes.clear();
  for (std::size_t i = 0; i < record.data_pages(); ++i) {
    const byte_span page = record.pages.subspan(i * page_bytes, page_bytes);
    const bool zero = is_zero(page);
    s.codes.push_back(zero ? zero_page : whole_page);
    if (zero) {
      ++counts.zero;
    } else {
      s.gathered.insert(s.gathered.end(), page.begin(), page.end());
    }
  }
  counts.pages += record.data_pages();

  // Only what is smaller than the pages as they stand is worth a frame.
  byte_span payload = s.gathered;
  packing pack = stored;
  if (!s.gathered.empty()) {
    s.packed.resize(s.gathered.size());
    const std::size_t size = ZSTD_compressCCtx(s.context.get(),
                                               s.packed.data(),
                                               s.packed.size() - 1,
                                               s.gathered.data(),
                                               s.gathered.size(),
                                               s.level);
    if (ZSTD_isError(size) == 0) {
      payload = byte_span(s.packed).first(size);
      pack = zstd_frame;
    }
  }
  byte_writer out;
  out.number(coding_version);
  out.number(static_cast<std::uint8_t>(pack));
  out.number(static_cast<std::uint16_t>(record.count));
  put_pfns(record, out);
  put_codes(s.codes, out);
  out.bytes(payload);
  return std::move(out).take();
}

struct page_decoder::state {
  struct free_context {
    void operator()(ZSTD_DCtx* old) const { ZSTD_freeDCtx(old); }
  };
  std::unique_ptr<ZSTD_DCtx, free_context> context{ZSTD_createDCtx()};
  byte_buffer unpacked;
};

page_decoder::page_decoder() : state_(std::make_unique<state>()) {
  if (!state_->context) {
    throw std::bad_alloc();
  }
}
page_decoder::page_decoder(page_decoder&&) noexcept = default;
page_decoder& page_decoder::operator=(page_decoder&&) noexcept = default;
page_decoder::~page_decoder() = default;

result<byte_buffer> page_decoder::decode(byte_span body) {
  byte_reader in(body);
  const auto version = in.number<std::uint8_t>();
  const auto pack = in.number<std::uint8_t>();
  const auto count = in.number<std::uint16_t>();
  if (!in.ok() || version != coding_version || pack > zstd_frame) {
    return refused("coding " + std::to_string(version) + ", packing " +
                   std::to_string(pack));
  }
  if (count == 0 || count > max_batch_pages) {
    return refused(std::to_string(count) + " pfns in a record");
  }
  const auto pfns = take_pfns(in, count);
  if (!pfns) {
    return pfns.error();
  }
  const auto pages = static_cast<std::size_t>(
      std::count_if(pfns->begin(), pfns->end(), [](std::uint64_t entry) {
        return has_data(type_of(entry));
      }));
  const auto codes = take_codes(in, pages);
  if (!codes) {
    return codes.error();
  }
  // At most max_batch_pages of each: the sizes below are bounded.
  const std::size_t whole =
      page_bytes * static_cast<std::size_t>(
                       std::count(codes->begin(), codes->end(), whole_page));
  byte_span payload = in.rest();
  if (pack == zstd_frame && whole == 0) {
    return refused("a zstd frame without pages");
  }
  if (pack == zstd_frame) {
    state_->unpacked.resize(whole);
    const std::size_t size = ZSTD_decompressDCtx(state_->context.get(),
                                                 state_->unpacked.data(),
                                                 whole,
                                                 payload.data(),
                                                 payload.size());
    if (ZSTD_isError(size) != 0) {
      return refused(std::string("zstd says ") + ZSTD_getErrorName(size));
    }
    payload = byte_span(state_->unpacked).first(size);
  }
  if (payload.size() != whole) {
    return refused(std::to_string(payload.size()) + " bytes of pages, " +
                   std::to_string(whole) + " announced");
  }
  byte_writer out;
  out.number(libxc_page_data);
  out.number(
      static_cast<std::uint32_t>(8 + pfns->size() * 8 + pages * page_bytes));
  out.number(std::uint32_t{count});
  out.number(std::uint32_t{0});
  for (const std::uint64_t entry : *pfns) {
    out.number(entry);
  }
  byte_buffer record = std::move(out).take();
  record.reserve(record.size() + pages * page_bytes);
  for (const page_code code : *codes) {
    if (code == zero_page) {
      record.resize(record.size() + page_bytes);
    } else {
      const byte_span page = payload.first(page_bytes);
      record.insert(record.end(), page.begin(), page.end());
      payload = payload.subspan(page_bytes);
    }
  }
  return record;
}

}  // namespace teleport
