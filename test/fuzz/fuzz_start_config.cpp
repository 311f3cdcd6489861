// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_start_config.cpp: the configuration (xl.cfg(5)) that a hostile
// peer sends along with a guest. What is made of it has known options alone,
// and is the same when it is made anew.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libteleport/xen/start_config.hpp"
#include "libteleport/xen/start_options.hpp"
#include "libteleport/xen/xl_assignments.hpp"

namespace {

using namespace teleport;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

guest_info offered() {
  guest_info guest;
  guest.name = "web1";
  guest.type = "pvh";
  guest.max_memory_kib = 1 << 20U;
  guest.vcpus = 4;
  return guest;
}

void check_option(const xl_assignment& one) {
  const auto known =
      std::ranges::find(start_options(), one.key, &start_option::key);
  require(known != start_options().end() &&
          known->rule != member_rule::refused && one.key != "disk" &&
          one.key != "uuid");
  require(one.key != "name" || one.value.text == "web1");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rules = default_arrival_rules();
  const auto built = build_start_config(text, offered(), rules);
  if (!built) {
    return 0;
  }
  require(std::ranges::none_of(built->text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n';
  }));
  const auto read = read_xl_assignments(built->text);
  require(read.has_value());
  std::ranges::for_each(*read, check_option);
  const auto again = build_start_config(built->text, offered(), rules);
  require(again.has_value() && again->left_out.empty() &&
          built->text.starts_with(again->text));
  return 0;
}
