// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/record_json.hpp"

#include <utility>

namespace teleport {

namespace {

using nlohmann::json;

constexpr std::size_t max_path_bytes = 4096;

}  // namespace

error malformed(std::string_view record, const std::string& why) {
  return {errc::protocol, std::string(record) + " record: " + why};
}

json counts_json(const rebuild_counts& counts) {
  return {{"zero", counts.zero},
          {"in_place", counts.in_place},
          {"donors", counts.donors},
          {"link", counts.link},
          {"mismatches", counts.mismatches}};
}

rebuild_counts read_counts(const char* name, json_fields& parent) {
  rebuild_counts counts;
  const auto* value = parent.find(name);
  if (value == nullptr) {
    parent.fail(std::string(name) + ": missing");
    return counts;
  }
  json_fields fields(*value);
  counts.zero = fields.number<std::uint64_t>("zero");
  counts.in_place = fields.number<std::uint64_t>("in_place");
  counts.donors = fields.number<std::uint64_t>("donors");
  counts.link = fields.number<std::uint64_t>("link");
  counts.mismatches = fields.number<std::uint64_t>("mismatches");
  if (fields.failed()) {
    parent.fail(*fields.failed());
  }
  return counts;
}

json targets_json(const std::vector<offered_target>& targets) {
  json list = json::array();
  for (const auto& target : targets) {
    list.push_back({{"vdev", target.vdev},
                    {"kind", target.kind},
                    {"target", target.target}});
  }
  return list;
}

std::vector<offered_target> read_disks(json_fields& parent) {
  std::vector<offered_target> targets;
  for (const auto& entry : parent.list("disks", max_disks)) {
    json_fields fields(entry);
    offered_target target;
    target.vdev = fields.text("vdev", max_name_bytes);
    target.kind = fields.text("kind", max_name_bytes);
    target.target = fields.text_or_empty("target", max_path_bytes);
    if (fields.failed()) {
      parent.fail(*fields.failed());
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace teleport
