// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/greeting.hpp"

#include <cstddef>

#include <fmt/format.h>

#include "libteleport/base/sentence.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

namespace {

/// Bytes of a peer's text that a sentence has.
constexpr std::size_t max_shown_software = 60;

}  // namespace

byte_buffer own_hello() {
  hello_record hello;
  hello.software = "xl-teleport " TELEPORT_VERSION;
  return encode(hello);
}

result<void> check_hello(byte_span body, std::string_view peer) {
  const auto hello = decode_hello(body);
  if (!hello) {
    return hello.error();
  }
  if (hello->version != protocol_version) {
    return error(
        errc::unsupported,
        fmt::format("{} speaks version {} of the protocol ({}), this host "
                    "version {} (xl-teleport " TELEPORT_VERSION "): upgrade {}",
                    peer,
                    hello->version,
                    sendable(hello->software, max_shown_software),
                    protocol_version,
                    hello->version > protocol_version ? "this host" : peer));
  }
  return {};
}

error failure_of_destination(byte_span body, std::string_view host) {
  const auto note = decode_failure(body);
  if (!note) {
    return note.error();
  }
  return note->code == name_of(errc::not_paired)
             ? not_paired(host, "it does not know this host's key")
             : error(errc::refused,
                     fmt::format("{}: {}", host, note->sentence));
}

error failure_of_source(byte_span body) {
  const auto note = decode_failure(body);
  return {
      errc::refused,
      "the source gave up: " + (note ? note->sentence : note.error().context)};
}

error out_of_state(record_sender sender,
                   record_type type,
                   std::string_view state) {
  const std::string_view who =
      sender == record_sender::source ? "the source" : "the destination";
  const record_row* const row = row_of(type);
  if (row != nullptr && row->by != record_sender::both && row->by != sender) {
    return {errc::protocol,
            fmt::format("{} sent {} (record {}), which only its peer may send",
                        who,
                        row->name,
                        static_cast<unsigned>(type))};
  }
  return {errc::protocol,
          fmt::format("{} sent {} (record {}) out of time{}{}",
                      who,
                      name_of(type),
                      static_cast<unsigned>(type),
                      state.empty() ? "" : ": the state is ",
                      state)};
}

}  // namespace teleport
