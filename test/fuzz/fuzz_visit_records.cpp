// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_visit_records.cpp: what the processes that the network reaches
// and teleportd tell each other, each decoder of it, from a side that was taken
// over. The input's first byte says which packet the others are. What is
// decoded keeps its limits and is the same after it was encoded again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/net/visit_records.hpp"

namespace {

using namespace teleport;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void decode_one(char packet, std::string_view bytes) {
  switch (packet) {
    case 'o':
      if (const auto from = decode_listen_order(bytes)) {
        const auto again = decode_listen_order(encode_listen_order(*from));
        require(again && again->texts() == from->texts());
      }
      break;
    case 'v':
      if (const auto address = decode_visit(bytes)) {
        require(address->size() <= max_visit_bytes);
        require(encode_visit(*address) == bytes);
      }
      break;
    case 't':
      if (const auto terms = decode_terms(bytes)) {
        require(encode(*terms) == bytes);
      }
      break;
    case 'i':
      if (const auto who = decode_introduction(bytes)) {
        require(!who->has_key || who->text.size() == 64);
        require(who->text.find('\n') == std::string::npos);
        const auto again = decode_introduction(encode(*who));
        require(again && again->text == who->text);
      }
      break;
    case 'd':
      if (const auto said = decode_verdict(bytes)) {
        require(decode_verdict(encode(*said))->keys == said->keys);
        require(said->what == verdict::kind::come_in || bytes.front() != '+');
      }
      break;
    case 'l':
      (void)read_announcement(bytes);
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string input(data, data + size);
  if (!input.empty()) {
    decode_one(input.front(), std::string_view(input).substr(1));
  }
  return 0;
}
