// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_json_bodies.cpp: the JSON of a hostile peer. The first byte
// chooses the record, the rest is its body. What is read from it must survive
// being written and read again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libteleport/session/end_records.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/guest_config.hpp"

namespace {

using namespace teleport;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

template <class Read>
void check(std::string_view body, Read read) {
  const auto value = read(body);
  if (!value) {
    return;
  }
  const std::string once = to_json(*value);
  const auto again = read(once);
  require(again.has_value() && to_json(*again) == once);
}

void check_failure(std::string_view body) {
  if (const auto note = decode_failure(as_bytes(body))) {
    const auto again = decode_failure(encode(*note));
    require(again.has_value() && again->code == note->code &&
            again->sentence == note->sentence);
  }
}

/// GUEST_CONFIG, as the destination reads it.
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
  switch (data[0] % 8U) {
    case 0:
      check(body, read_offer);
      break;
    case 1:
      check(body, read_answer);
      break;
    case 2:
      check(body, read_targets);
      break;
    case 3:
      check(body, read_seed_offer);
      break;
    case 4:
      check(body, read_go_result);
      break;
    case 5:
      check(body, read_seed_result);
      break;
    case 6:
      check_failure(body);
      break;
    default:
      check_config(body);
      break;
  }
  return 0;
}
