// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/format.hpp"

namespace teleport {

std::string_view name_of(record_type type) noexcept {
  switch (type) {
    case record_type::hello:
      return "HELLO";
    case record_type::offer:
      return "OFFER";
    case record_type::answer:
      return "ANSWER";
    case record_type::prepare:
      return "PREPARE";
    case record_type::prepared:
      return "PREPARED";
    case record_type::extents:
      return "EXTENTS";
    case record_type::extent_states:
      return "EXTENT_STATES";
    case record_type::block_digests:
      return "BLOCK_DIGESTS";
    case record_type::wanted:
      return "WANTED";
    case record_type::extent_data:
      return "EXTENT_DATA";
    case record_type::disks_complete:
      return "DISKS_COMPLETE";
    case record_type::disks_durable:
      return "DISKS_DURABLE";
    case record_type::guest_config:
      return "GUEST_CONFIG";
    case record_type::stream_piece:
      return "STREAM_PIECE";
    case record_type::guest_received:
      return "GUEST_RECEIVED";
    case record_type::go:
      return "GO";
    case record_type::go_result:
      return "GO_RESULT";
    case record_type::fail:
      return "FAIL";
    case record_type::query:
      return "QUERY";
    case record_type::query_result:
      return "QUERY_RESULT";
    case record_type::seed:
      return "SEED";
    case record_type::seeded:
      return "SEEDED";
    case record_type::ask_lanes:
      return "ASK_LANES";
    case record_type::lanes:
      return "LANES";
    case record_type::join:
      return "JOIN";
    case record_type::slice:
      return "SLICE";
  }
  return {};
}

bool is_known(std::uint16_t type) noexcept {
  return !name_of(static_cast<record_type>(type)).empty();
}

}  // namespace teleport
