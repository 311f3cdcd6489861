// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/record_json.hpp: the parts that several JSON bodies have
// in common; for the sources of this folder alone.
//
// Threads: pure functions.
// Trust:   the readers are made for hostile text.

#ifndef LIBTELEPORT_SESSION_RECORD_JSON_HPP
#define LIBTELEPORT_SESSION_RECORD_JSON_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/base/json_fields.hpp"
#include "libteleport/migrate/rebuild_counts.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

/// Longest name of a host, a kind or a vdev in a body, in bytes.
inline constexpr std::size_t max_name_bytes = 256;

[[nodiscard]] error malformed(std::string_view record, const std::string& why);

[[nodiscard]] nlohmann::json counts_json(const rebuild_counts& counts);
/// The field `name` of `parent`, which is told of what is wrong.
[[nodiscard]] rebuild_counts read_counts(const char* name, json_fields& parent);

[[nodiscard]] nlohmann::json targets_json(
    const std::vector<offered_target>& targets);
/// The field "disks" of `parent`, which is told of what is wrong.
[[nodiscard]] std::vector<offered_target> read_disks(json_fields& parent);

/// What the JSON text of a record says, by `read(fields, value)`.
template <class Value, class Read>
[[nodiscard]] result<Value> read_record(const char* record,
                                        std::string_view text,
                                        Read read) {
  const auto object = parse_object(text, max_json_bytes);
  if (!object) {
    return malformed(record, object.error().context);
  }
  json_fields fields(*object);
  Value value;
  read(fields, value);
  if (fields.failed()) {
    return malformed(record, *fields.failed());
  }
  return value;
}

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_RECORD_JSON_HPP
