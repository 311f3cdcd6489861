// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/golden_records.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "libteleport/session/end_records.hpp"
#include "libteleport/session/record_bodies.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/lane_records.hpp"
#include "libteleport/wire/record.hpp"
#include "libteleport/wire/slice_order.hpp"

namespace teleport::test {

namespace {

byte_buffer bytes_of(std::string_view text) {
  const byte_span bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// Bytes that count up from `first`.
template <class Bytes>
Bytes counting(Bytes bytes, unsigned first) {
  for (std::byte& one : bytes) {
    one = static_cast<std::byte>(first++);
  }
  return bytes;
}

extent_digest digest_from(unsigned first) {
  return counting(extent_digest{}, first);
}

block_mask mask_of(std::initializer_list<std::size_t> blocks) {
  block_mask mask;
  for (const std::size_t block : blocks) {
    mask.set(block);
  }
  return mask;
}

guest_info some_guest() {
  guest_info guest;
  guest.domid = 5;
  guest.name = "web1";
  guest.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  guest.type = "pvh";
  guest.max_memory_kib = 131072;
  guest.vcpus = 2;
  guest.config_json =
      R"({"b_info":{"max_memkb":131072,"max_vcpus":2,"type.pvh":{}},)"
      R"("c_info":{"name":"web1","type":"pvh",)"
      R"("uuid":"6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11"}})";
  guest_disk disk;
  disk.vdev = "xvda";
  disk.device = "/dev/dm-3";
  disk.configured_path = "/dev/vg0/web1";
  disk.size = 3_MiB;
  disk.backend = "phy";
  disk.major = 253;
  disk.minor = 3;
  guest.disks.push_back(disk);
  guest.bridges = {"xenbr0"};
  guest.boot_files = {"/boot/vmlinuz"};
  return guest;
}

host_facts some_host() {
  host_facts host;
  host.xen_version = "4.17";
  host.xen_extra = ".5";
  host.free_memory_kib = 1048576;
  host.cpu_capabilities = {1, 2, 0xffffffff};
  host.guest_names = {"web1", "db1"};
  host.guest_uuids = {"6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11"};
  host.hap = true;
  return host;
}

const std::vector<offered_target> some_targets = {
    {"xvda", "new", "/srv/store/web1-xvda"},
    {"xvdb", "shadow", "/dev/vg0/web1"}};
const rebuild_counts some_counts{1, 2, 3, 4, 5};

void add_setup(std::vector<golden_record>& all) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  all.push_back(
      {record_type::hello, encode(hello_record{3, "xl-teleport 0.1.0"})});
  all.push_back(
      {record_type::offer,
       bytes_of(to_json(offer{id, true, some_guest(), some_host()}))});
  answer reply{"host2", {{"name_clash", "it is there"}}, some_targets, {}};
  reply.room = host_room{1, 2, 3, 4};
  all.push_back({record_type::answer, bytes_of(to_json(reply))});
  all.push_back({record_type::prepared, bytes_of(to_json(some_targets))});
  all.push_back(
      {record_type::seed, bytes_of(to_json(seed_offer{some_guest()}))});
}

void add_disks(std::vector<golden_record>& all) {
  const extent_place place{1, 0x0203};
  all.push_back(
      {record_type::extents,
       encode(extents_record{1, 0x0203, {digest_from(1), std::nullopt}})});
  all.push_back(
      {record_type::extent_states,
       encode(extent_states_record{{{place, extent_state::proven},
                                    {{0, 7}, extent_state::wants_digests},
                                    {{2, 8}, extent_state::mismatch}}})});
  block_digests_record digests{place, mask_of({0, 255}), {}};
  for (block_digest i = 0; i < extent_blocks - 2; ++i) {
    digests.digests.push_back(0x0102030405060708 + i);
  }
  all.push_back({record_type::block_digests, encode(digests)});
  all.push_back({record_type::wanted,
                 encode(wanted_record{place, mask_of({1, 64, 200})})});
  extent_data_record data;
  data.place = place;
  data.digest = digest_from(100);
  data.data = mask_of({3});
  data.zero = mask_of({4});
  data.raw_bytes = block_bytes;
  data.payload = counting(byte_buffer(block_bytes), 0);
  all.push_back({record_type::extent_data, encode(data)});
}

void add_end(std::vector<golden_record>& all) {
  all.push_back(
      {record_type::guest_config, bytes_of(some_guest().config_json)});
  all.push_back({record_type::stream_piece,
                 encode(stream_piece_record{1, counting(byte_buffer(20), 1)})});
  all.push_back(
      {record_type::go_result,
       bytes_of(to_json(go_result{false, "why not", some_counts, {}}))});
  all.push_back(
      {record_type::fail, encode(failure_note{"refused", "a sentence"})});
  all.push_back(
      {record_type::query, bytes_of("0123456789abcdef0123456789abcdef")});
  all.push_back(
      {record_type::query_result, encode(destination_fate::abandoned)});
  all.push_back(
      {record_type::seeded,
       bytes_of(to_json(seed_result{some_targets, some_counts, some_counts}))});
}

/// Section 1.1: name and secret; how many more; the secret; number and bytes.
void add_lanes(std::vector<golden_record>& all) {
  all.push_back({record_type::ask_lanes,
                 counting(byte_buffer(16 + 32), 0),
                 [](byte_span body) -> result<byte_buffer> {
                   const auto ticket = decode_ticket(body);
                   return ticket ? result<byte_buffer>(encode(*ticket))
                                 : ticket.error();
                 }});
  all.push_back({record_type::lanes,
                 encode_lanes(15),
                 [](byte_span body) -> result<byte_buffer> {
                   const auto further = decode_lanes(body);
                   return further ? result<byte_buffer>(encode_lanes(*further))
                                  : further.error();
                 }});
  all.push_back({record_type::join, counting(byte_buffer(32), 16)});
  all.push_back(
      {record_type::slice, encode_slice(0x0102, counting(byte_buffer(40), 0))});
}

void add_empty(std::vector<golden_record>& all) {
  for (const record_row& row : record_rows) {
    if (row.kind == record_kind::empty) {
      all.push_back({row.type, {}});
    }
  }
}

/// "HELLO": hello
std::string file_name(record_type type) {
  std::string name(name_of(type));
  std::ranges::transform(name, name.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return name;
}

/// A body of no bytes, or one that is not ours to decode, stays as it is.
result<byte_buffer> as_it_is(byte_span body) {
  return byte_buffer(body.begin(), body.end());
}

}  // namespace

std::vector<golden_record> golden_records() {
  std::vector<golden_record> all;
  add_setup(all);
  add_disks(all);
  add_end(all);
  add_empty(all);
  add_lanes(all);
  for (golden_record& one : all) {
    one.name = file_name(one.type);
    if (!one.recode) {
      const body_codec* const codec = codec_of(one.type);
      one.recode = codec != nullptr ? codec->rewrite : &as_it_is;
    }
  }
  return all;
}

std::string wire_folder() {
  return "test/golden/wire/v" + std::to_string(protocol_version);
}

std::string to_golden(byte_span bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto line = bytes.first(std::min<std::size_t>(32, bytes.size()));
    text += to_hex(line) + '\n';
    bytes = bytes.subspan(line.size());
  }
  return text;
}

byte_buffer from_golden(const std::string& text) {
  byte_buffer bytes;
  std::string digits;
  for (const char c : text) {
    if (c != '\n') {
      digits += c;
    }
    if (digits.size() == 2) {
      bytes.push_back(static_cast<std::byte>(std::stoi(digits, nullptr, 16)));
      digits.clear();
    }
  }
  return bytes;
}

}  // namespace teleport::test
