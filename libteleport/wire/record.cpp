// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/record.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

namespace teleport {

namespace {

/// Longest name of a peer's software, in bytes.
constexpr std::size_t max_software_bytes = 200;

/// Runs of EXTENTS (section 4.2).
constexpr std::uint8_t run_of_zero = 0;
constexpr std::uint8_t run_of_digests = 1;

error malformed(std::string_view record, std::string_view what) {
  return {errc::protocol, fmt::format("{} record: {}", record, what)};
}

void put_place(byte_writer& out, const extent_place& place) {
  out.number(place.disk);
  out.number(place.extent);
}

extent_place get_place(byte_reader& in) {
  extent_place place;
  place.disk = in.number<std::uint16_t>();
  place.extent = in.number<std::uint64_t>();
  return place;
}

void put_mask(byte_writer& out, const block_mask& mask) {
  for (const std::uint64_t word : mask.words) {
    out.number(word);
  }
}

block_mask get_mask(byte_reader& in) {
  block_mask mask;
  for (std::uint64_t& word : mask.words) {
    word = in.number<std::uint64_t>();
  }
  return mask;
}

extent_digest get_digest(byte_reader& in) {
  extent_digest digest{};
  const byte_span raw = in.take(digest.size());
  std::copy(raw.begin(), raw.end(), digest.begin());
  return digest;
}

/// A disk and extent that no disk can have are refused here, so that products
/// of them cannot overflow anywhere.
bool possible(const extent_place& place) {
  return place.disk < max_disks && place.extent < max_disk_bytes / extent_bytes;
}

}  // namespace

byte_buffer encode(const hello_record& record) {
  byte_writer out;
  out.number(protocol_magic);
  out.number(record.version);
  out.counted(as_bytes(record.software));
  return std::move(out).take();
}

result<void> check_empty(record_type type, byte_span body) {
  const record_row* const row = row_of(type);
  return row != nullptr && row->kind == record_kind::empty && !body.empty()
             ? malformed(
                   row->name,
                   fmt::format("{} bytes, where it has none", body.size()))
             : result<void>();
}

result<hello_record> decode_hello(byte_span body) {
  byte_reader in(body);
  hello_record record;
  const auto magic = in.number<std::uint64_t>();
  record.version = in.number<std::uint32_t>();
  record.software = as_text(in.counted(max_software_bytes));
  if (!in.done() || magic != protocol_magic) {
    return malformed("HELLO", "this is not a teleport peer");
  }
  return record;
}

byte_buffer encode(const extents_record& record) {
  assert(!record.digests.empty() && record.digests.size() <= max_announced);
  byte_writer out;
  out.number(record.disk);
  out.number(record.first);
  out.number(static_cast<std::uint16_t>(record.digests.size()));
  for (auto it = record.digests.begin(); it != record.digests.end();) {
    const bool zero = !it->has_value();
    const auto end =
        std::find_if(it, record.digests.end(), [&](const auto& digest) {
          return digest.has_value() == zero;
        });
    out.number(zero ? run_of_zero : run_of_digests);
    out.number(static_cast<std::uint16_t>(end - it));
    for (; it != end; ++it) {
      if (*it) {
        out.bytes(**it);
      }
    }
  }
  return std::move(out).take();
}

result<extents_record> decode_extents(byte_span body) {
  byte_reader in(body);
  extents_record record;
  record.disk = in.number<std::uint16_t>();
  record.first = in.number<std::uint64_t>();
  const auto count = in.number<std::uint16_t>();
  if (!in.ok() || count == 0 || count > max_announced ||
      !possible({record.disk, record.first})) {
    return malformed("EXTENTS", "count or place out of range");
  }
  while (record.digests.size() < count) {
    const auto kind = in.number<std::uint8_t>();
    const auto run = in.number<std::uint16_t>();
    if (!in.ok() || run == 0 || run > count - record.digests.size() ||
        kind > run_of_digests) {
      return malformed("EXTENTS", "a run is out of range");
    }
    for (std::uint16_t i = 0; i < run; ++i) {
      if (kind == run_of_zero) {
        record.digests.emplace_back();
      } else {
        record.digests.emplace_back(get_digest(in));
      }
    }
  }
  if (!in.done()) {
    return malformed("EXTENTS", "its length does not fit its runs");
  }
  return record;
}

byte_buffer encode(const extent_states_record& record) {
  assert(!record.entries.empty() && record.entries.size() <= max_announced);
  byte_writer out;
  out.number(static_cast<std::uint16_t>(record.entries.size()));
  for (const auto& entry : record.entries) {
    put_place(out, entry.place);
    out.number(static_cast<std::uint8_t>(entry.state));
  }
  return std::move(out).take();
}

result<extent_states_record> decode_extent_states(byte_span body) {
  byte_reader in(body);
  extent_states_record record;
  const auto count = in.number<std::uint16_t>();
  if (count == 0 || count > max_announced) {
    return malformed("EXTENT_STATES", "count out of range");
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    extent_states_record::entry entry;
    entry.place = get_place(in);
    const auto state = in.number<std::uint8_t>();
    if (!in.ok() || !possible(entry.place) || state < 1 || state > 3) {
      return malformed("EXTENT_STATES", "an entry is out of range");
    }
    entry.state = static_cast<extent_state>(state);
    record.entries.push_back(entry);
  }
  if (!in.done()) {
    return malformed("EXTENT_STATES", "bytes are left over");
  }
  return record;
}

byte_buffer encode(const block_digests_record& record) {
  byte_writer out;
  put_place(out, record.place);
  put_mask(out, record.zero);
  out.number(static_cast<std::uint16_t>(record.digests.size()));
  for (const block_digest digest : record.digests) {
    out.number(digest);
  }
  return std::move(out).take();
}

result<block_digests_record> decode_block_digests(byte_span body) {
  byte_reader in(body);
  block_digests_record record;
  record.place = get_place(in);
  record.zero = get_mask(in);
  const auto count = in.number<std::uint16_t>();
  if (!in.ok() || !possible(record.place) ||
      count > extent_blocks - record.zero.count()) {
    return malformed("BLOCK_DIGESTS", "count or place out of range");
  }
  record.digests.reserve(count);
  for (std::uint16_t i = 0; i < count; ++i) {
    record.digests.push_back(in.number<std::uint64_t>());
  }
  if (!in.done()) {
    return malformed("BLOCK_DIGESTS", "its length does not fit its count");
  }
  return record;
}

byte_buffer encode(const wanted_record& record) {
  byte_writer out;
  put_place(out, record.place);
  put_mask(out, record.blocks);
  return std::move(out).take();
}

result<wanted_record> decode_wanted(byte_span body) {
  byte_reader in(body);
  wanted_record record;
  record.place = get_place(in);
  record.blocks = get_mask(in);
  if (!in.done() || !possible(record.place)) {
    return malformed("WANTED", "place or length out of range");
  }
  return record;
}

byte_buffer encode(const extent_data_record& record) {
  byte_writer out;
  put_place(out, record.place);
  out.bytes(record.digest);
  put_mask(out, record.data);
  put_mask(out, record.zero);
  out.number(record.raw_bytes);
  out.number(static_cast<std::uint8_t>(record.coding));
  out.counted(record.payload);
  return std::move(out).take();
}

result<extent_data_record> decode_extent_data(byte_span body) {
  byte_reader in(body);
  extent_data_record record;
  record.place = get_place(in);
  record.digest = get_digest(in);
  record.data = get_mask(in);
  record.zero = get_mask(in);
  record.raw_bytes = in.number<std::uint32_t>();
  const auto coding = in.number<std::uint8_t>();
  const byte_span payload = in.counted(max_payload_bytes);
  if (!in.done() || !possible(record.place) ||
      (coding != static_cast<std::uint8_t>(data_coding::plain) &&
       coding != static_cast<std::uint8_t>(data_coding::streamed)) ||
      !(record.data & record.zero).none() ||
      record.raw_bytes > record.data.count() * block_bytes ||
      (coding == static_cast<std::uint8_t>(data_coding::plain) &&
       record.raw_bytes != payload.size())) {
    return malformed("EXTENT_DATA", "a field is out of range");
  }
  record.coding = static_cast<data_coding>(coding);
  record.payload.assign(payload.begin(), payload.end());
  return record;
}

byte_buffer encode(const stream_piece_record& record) {
  byte_writer out;
  out.number(record.kind);
  out.bytes(record.body);
  return std::move(out).take();
}

result<stream_piece_record> decode_stream_piece(byte_span body) {
  byte_reader in(body);
  stream_piece_record record;
  record.kind = in.number<std::uint8_t>();
  const byte_span rest = in.rest();
  if (!in.ok()) {
    return malformed("STREAM_PIECE", "it is empty");
  }
  record.body.assign(rest.begin(), rest.end());
  return record;
}

}  // namespace teleport
