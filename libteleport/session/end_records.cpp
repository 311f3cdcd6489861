// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/end_records.hpp"

#include <utility>

#include "libteleport/base/sentence.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/record_json.hpp"
#include "libteleport/xen/names.hpp"

namespace teleport {

namespace {

constexpr std::size_t id_digits = 32;

}  // namespace

std::string to_json(const go_result& value) {
  return dump({{"runs", value.runs},
               {"sentence", sendable(value.sentence)},
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

byte_buffer encode(const teleport_query& query) {
  const auto id = as_bytes(query.id);
  const auto uuid = as_bytes(query.uuid);
  byte_buffer body(id.begin(), id.end());
  body.insert(body.end(), uuid.begin(), uuid.end());
  return body;
}

result<teleport_query> read_query(byte_span body) {
  const std::string_view text = as_text(body);
  teleport_query query{std::string(text.substr(0, id_digits)), {}};
  if (!is_teleport_id(query.id)) {
    return malformed("QUERY", "not 32 hexadecimal digits");
  }
  query.uuid = text.substr(id_digits);
  if (!query.uuid.empty() && !is_uuid(query.uuid)) {
    return malformed("QUERY", "what follows the id is no uuid");
  }
  return query;
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
      case destination_fate::paused:
        return fate;
    }
  }
  return malformed("QUERY_RESULT", "not one of the five fates");
}

}  // namespace teleport
