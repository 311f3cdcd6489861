// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/offer.hpp"

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include "libteleport/migrate/journal.hpp"
#include "libteleport/wire/format.hpp"
#include "libteleport/xen/facts_json.hpp"
#include "libteleport/xen/json_fields.hpp"

namespace teleport {

namespace {

using nlohmann::json;

constexpr std::size_t max_name = 256;
constexpr std::size_t max_path = 4096;
constexpr std::size_t max_sentence = 4096;

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

rebuild_counts read_counts(const json* value, json_fields& parent) {
  rebuild_counts counts;
  if (value == nullptr) {
    parent.fail("counts are missing");
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

std::vector<offered_target> targets_of(json_fields& parent) {
  std::vector<offered_target> targets;
  for (const auto& entry : parent.list("disks", max_disks)) {
    json_fields fields(entry);
    offered_target target;
    target.vdev = fields.text("vdev", max_name);
    target.kind = fields.text("kind", max_name);
    target.target = fields.text_or_empty("target", max_path);
    if (fields.failed()) {
      parent.fail(*fields.failed());
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace

std::vector<guest_disk> moved_disks(const guest_info& guest) {
  std::vector<guest_disk> disks;
  std::ranges::copy_if(guest.disks,
                       std::back_inserter(disks),
                       [](const guest_disk& disk) { return !disk.is_empty(); });
  return disks;
}

std::string to_json(const offer& value) {
  return dump({{"id", value.id},
               {"live", value.live},
               {"guest", json::parse(to_json(value.guest))},
               {"source", json::parse(to_json(value.source))}});
}

result<offer> read_offer(std::string_view text) {
  const auto object = parse_object(text, max_json_bytes);
  if (!object) {
    return malformed("OFFER", "no JSON object within its limit");
  }
  json_fields fields(*object);
  offer value;
  value.id = fields.text("id", max_name);
  value.live = fields.flag("live");
  const auto* guest = fields.find("guest");
  const auto* source = fields.find("source");
  if (fields.failed() || guest == nullptr || source == nullptr ||
      !is_teleport_id(value.id)) {
    return malformed("OFFER",
                     fields.failed().value_or("id, guest or source missing"));
  }
  auto info = read_guest_info(dump(*guest));
  if (!info) {
    return in_context("OFFER record", info.error());
  }
  auto facts = read_host_facts(dump(*source));
  if (!facts) {
    return in_context("OFFER record", facts.error());
  }
  value.guest = std::move(*info);
  value.source = std::move(*facts);
  const auto disks = moved_disks(value.guest);
  if (disks.size() > max_disks ||
      std::ranges::any_of(disks, [](const guest_disk& disk) {
        return disk.size == 0 || disk.size > max_disk_bytes ||
               disk.size % sector_bytes != 0;
      })) {
    return malformed("OFFER", "a disk's size is out of range");
  }
  return value;
}

std::string to_json(const answer& value) {
  return dump({{"host", value.host},
               {"problems", json::parse(to_json(value.problems))},
               {"disks", targets_json(value.disks)}});
}

result<answer> read_answer(std::string_view text) {
  const auto object = parse_object(text, max_json_bytes);
  if (!object) {
    return malformed("ANSWER", "no JSON object within its limit");
  }
  json_fields fields(*object);
  answer value;
  value.host = fields.text("host", max_name);
  value.disks = targets_of(fields);
  const auto* list = fields.find("problems");
  if (list == nullptr || fields.failed()) {
    return malformed("ANSWER", fields.failed().value_or("problems: missing"));
  }
  auto problems = read_problems(dump(*list));
  if (!problems) {
    return in_context("ANSWER record", problems.error());
  }
  value.problems = std::move(*problems);
  return value;
}

std::string to_json(const std::vector<offered_target>& value) {
  return dump({{"disks", targets_json(value)}});
}

result<std::vector<offered_target>> read_targets(std::string_view text) {
  const auto object = parse_object(text, max_json_bytes);
  if (!object) {
    return malformed("PREPARED", "no JSON object within its limit");
  }
  json_fields fields(*object);
  auto targets = targets_of(fields);
  if (fields.failed()) {
    return malformed("PREPARED", *fields.failed());
  }
  return targets;
}

std::string to_json(const go_result& value) {
  return dump({{"runs", value.runs},
               {"sentence", value.sentence},
               {"bulk", counts_json(value.bulk)},
               {"rounds", counts_json(value.rounds)}});
}

result<go_result> read_go_result(std::string_view text) {
  const auto object = parse_object(text, max_json_bytes);
  if (!object) {
    return malformed("GO_RESULT", "no JSON object within its limit");
  }
  json_fields fields(*object);
  go_result value;
  value.runs = fields.flag("runs");
  value.sentence = fields.text_or_empty("sentence", max_sentence);
  value.bulk = read_counts(fields.find("bulk"), fields);
  value.rounds = read_counts(fields.find("rounds"), fields);
  if (fields.failed()) {
    return malformed("GO_RESULT", *fields.failed());
  }
  return value;
}

std::string to_json(const failure_note& value) {
  return dump({{"code", value.code}, {"sentence", value.sentence}});
}

result<failure_note> read_failure(std::string_view text) {
  const auto object = parse_object(text, max_json_bytes);
  if (!object) {
    return malformed("FAIL", "no JSON object within its limit");
  }
  json_fields fields(*object);
  failure_note value;
  value.code = fields.text("code", max_name);
  value.sentence = fields.text("sentence", max_sentence);
  if (fields.failed()) {
    return malformed("FAIL", *fields.failed());
  }
  return value;
}

}  // namespace teleport
