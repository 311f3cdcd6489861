// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/receive_handshake.cpp: what is said between xl's two ends of
// a migration, byte for byte as tools/xl/xl_migrate.c has it (unchanged since
// Xen 4.5).

#include "libteleport/xen/receive_handshake.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace teleport {
namespace {

using namespace std::string_view_literals;

// The banner has no NUL at its end; the other messages have theirs.
constexpr auto banner =
    "xl migration receiver ready, send binary domain data.\n"sv;
constexpr auto ready_text = "domain received, ready to unpause\0"sv;
constexpr auto go_text = "domain is yours, you are cleared to unpause\0"sv;
constexpr auto report_text = "my copy unpause results are as follows\0"sv;

constexpr auto header_magic = "Xen saved domain, xl format\n \0 \r"sv;

static_assert(banner.size() == 54 && ready_text.size() == 34 &&
              go_text.size() == 44 && report_text.size() == 39);

}  // namespace

byte_buffer save_header(const std::string& config_json) {
  constexpr std::size_t magic_bytes = 32;
  constexpr std::uint32_t byte_order = 0x01020304;
  constexpr std::uint32_t json_config = 1;
  constexpr std::uint32_t stream_v2 = 2;
  static_assert(header_magic.size() <= magic_bytes);
  std::array<std::byte, magic_bytes> magic{};
  std::ranges::copy(as_bytes(header_magic), magic.begin());

  const auto config_length = static_cast<std::uint32_t>(config_json.size() + 1);
  byte_writer out;
  out.bytes(magic);
  out.number(byte_order);
  out.number(json_config | stream_v2);
  out.number(std::uint32_t{0});  // optional flags
  out.number(static_cast<std::uint32_t>(sizeof(config_length) + config_length));
  out.number(config_length);
  out.bytes(as_bytes(std::string_view(config_json.c_str(), config_length)));
  return std::move(out).take();
}

byte_span permission_to_go() noexcept {
  return as_bytes(go_text);
}

std::string_view receive_handshake::expected() const noexcept {
  switch (stage_) {
    case stage::waiting_for_banner:
      return banner;
    case stage::restoring:
      return ready_text;
    case stage::ready:
      return report_text;
    case stage::failed:
      return go_text;  // xl gives the guest back in the same words
    case stage::running:
    case stage::given_back:
      break;
  }
  return {};
}

result<void> receive_handshake::take_status(unsigned status) {
  if (status == 0 && !go_sent_) {
    broken_ = true;
    return error{errc::protocol,
                 "xl migrate-receive says the guest runs, before GO"};
  }
  status_ = status;
  stage_ = status == 0 ? stage::running : stage::failed;
  return {};
}

result<void> receive_handshake::feed(byte_span bytes) {
  for (const char c : as_text(bytes)) {
    if (broken_) {
      break;
    }
    if (report_seen_) {
      report_seen_ = false;
      if (auto r = take_status(static_cast<unsigned char>(c)); !r) {
        return r;
      }
      continue;
    }
    const std::string_view text = expected();
    if (matched_ >= text.size() || text[matched_] != c) {
      broken_ = true;
      break;
    }
    if (++matched_ < text.size()) {
      continue;
    }
    matched_ = 0;
    switch (stage_) {
      case stage::waiting_for_banner:
        stage_ = stage::restoring;
        break;
      case stage::restoring:
        stage_ = stage::ready;
        break;
      case stage::ready:
        report_seen_ = true;
        break;
      default:
        stage_ = stage::given_back;
        break;
    }
  }
  if (broken_) {
    return error{errc::protocol,
                 "xl migrate-receive said something unexpected: is another "
                 "version or a wrapper of xl in use?"};
  }
  return {};
}

void receive_handshake::go_sent() {
  go_sent_ = true;
}

}  // namespace teleport
