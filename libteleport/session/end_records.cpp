// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/end_records.hpp"

#include <utility>

#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/record_json.hpp"

namespace teleport {

namespace {

constexpr std::size_t max_sentence_bytes = 4096;

}  // namespace

std::string to_json(const go_result& value) {
  return dump({{"runs", value.runs},
               {"sentence", value.sentence},
               {"bulk", counts_json(value.bulk)},
               {"rounds", counts_json(value.rounds)}});
}

result<go_result> read_go_result(std::string_view json) {
  return read_record<go_result>(
      "GO_RESULT", json, [](json_fields& fields, go_result& value) {
        value.runs = fields.flag("runs");
        value.sentence = fields.text_or_empty("sentence", max_sentence_bytes);
        value.bulk = read_counts("bulk", fields);
        value.rounds = read_counts("rounds", fields);
      });
}

std::string to_json(const seed_result& value) {
  return dump({{"disks", targets_json(value.disks)},
               {"bulk", counts_json(value.bulk)},
               {"rounds", counts_json(value.rounds)}});
}

result<seed_result> read_seed_result(std::string_view json) {
  return read_record<seed_result>(
      "SEEDED", json, [](json_fields& fields, seed_result& value) {
        value.disks = read_disks(fields);
        value.bulk = read_counts("bulk", fields);
        value.rounds = read_counts("rounds", fields);
      });
}

result<std::string> read_query(byte_span body) {
  std::string id(as_text(body));
  if (!is_teleport_id(id)) {
    return malformed("QUERY", "not 32 hexadecimal digits");
  }
  return id;
}

byte_buffer encode(destination_fate fate) {
  byte_writer body;
  body.number(static_cast<std::uint8_t>(fate));
  return std::move(body).take();
}

result<destination_fate> read_query_result(byte_span body) {
  byte_reader in(body);
  const auto number = in.number<std::uint8_t>();
  const auto fate = static_cast<destination_fate>(number);
  if (in.done()) {
    switch (fate) {
      case destination_fate::running:
      case destination_fate::abandoned:
      case destination_fate::uncertain:
      case destination_fate::in_progress:
        return fate;
    }
  }
  return malformed("QUERY_RESULT", "not one of the four fates");
}

}  // namespace teleport
