// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_json_bodies.cpp: the JSON of a hostile peer. The first byte
// chooses the record, the rest is its body. What is read from it must survive
// being written and read again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libteleport/session/record_bodies.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/guest_config.hpp"

namespace {

using namespace teleport;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_body(const body_codec& codec, byte_span body) {
  const auto once = codec.rewrite(body);
  if (once) {
    const auto again = codec.rewrite(*once);
    require(again.has_value() && *again == *once);
  }
}

void check_config(const std::string& body) {
  (void)migration_vetoes(body);
  const auto guest = read_config(body);
  if (!guest) {
    return;
  }
  std::map<std::string, std::string> paths;
  for (const guest_disk& disk : guest->disks) {
    if (!disk.is_empty()) {
      paths[disk.vdev] = "/dev/mapped-" + disk.vdev;
    }
  }
  (void)unbuildable_members(body);
  if (const auto mapped =
          build_config(body, *guest, paths, default_arrival_rules())) {
    const auto there = read_config(*mapped);
    require(there.has_value() && there->name == guest->name);
    for (const guest_disk& disk : there->disks) {
      require(disk.is_empty() || disk.configured_path == paths[disk.vdev]);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto type = static_cast<record_type>(data[0]);
  if (const body_codec* const codec = codec_of(type)) {
    check_body(*codec, as_bytes(body));
  }
  if (type == record_type::guest_config) {
    check_config(body);
  }
  return 0;
}
