// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/setup_records.hpp"

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/record_json.hpp"
#include "libteleport/wire/format.hpp"
#include "libteleport/xen/facts_json.hpp"
#include "libteleport/xen/names.hpp"

namespace teleport {

namespace {

using nlohmann::json;

constexpr std::size_t max_guest_name = 255;
constexpr std::size_t max_vdev = 31;

bool sizes_in_range(const std::vector<guest_disk>& disks) {
  return disks.size() <= max_disks &&
         std::ranges::none_of(disks, [](const guest_disk& disk) {
           return disk.size == 0 || disk.size > max_disk_bytes ||
                  disk.size % sector_bytes != 0;
         });
}

json room_json(const host_room& room) {
  return {{"free_memory_kib", room.free_memory_kib},
          {"needed_memory_kib", room.needed_memory_kib},
          {"free_store_bytes", room.free_store_bytes},
          {"needed_store_bytes", room.needed_store_bytes}};
}

/// Not there in the answer of an older release.
std::optional<host_room> room_of(json_fields& parent) {
  const auto* value = parent.find("room");
  if (value == nullptr) {
    return std::nullopt;
  }
  json_fields fields(*value);
  host_room room;
  room.free_memory_kib = fields.number<std::uint64_t>("free_memory_kib");
  room.needed_memory_kib = fields.number<std::uint64_t>("needed_memory_kib");
  room.free_store_bytes = fields.number<std::uint64_t>("free_store_bytes");
  room.needed_store_bytes = fields.number<std::uint64_t>("needed_store_bytes");
  if (fields.failed()) {
    parent.fail("room: " + *fields.failed());
  }
  return room;
}

/// Not there in the record of an older release.
bool flag_or_false(json_fields& fields, const char* key) {
  return fields.find(key) != nullptr && fields.flag(key);
}

/// Not there where the source has none.
std::optional<start_file> start_of(json_fields& parent) {
  const auto* value = parent.find("configuration");
  if (value == nullptr) {
    return std::nullopt;
  }
  json_fields fields(*value);
  start_file start;
  start.text = fields.raw_text("text", max_start_file_bytes);
  start.autostart = fields.flag("autostart");
  if (fields.failed()) {
    parent.fail("configuration: " + *fields.failed());
  }
  return start;
}

/// What another writer wrote, as a part of a larger object.
json written(const std::string& text) {
  auto object = parse_object(text, text.size());
  return object ? std::move(*object) : json();
}

/// A field that another reader understands, as text.
std::string part_of(json_fields& fields, const char* key) {
  const auto* found = fields.find(key);
  if (found == nullptr) {
    fields.fail(std::string(key) + ": missing");
    return {};
  }
  return dump(*found);
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
  json object = {{"id", value.id},
                 {"live", value.live},
                 {"guest", written(to_json(value.guest))},
                 {"source", written(to_json(value.source))}};
  if (value.start) {
    object["configuration"] = {{"text", value.start->text},
                               {"autostart", value.start->autostart}};
  }
  if (value.takes_turns) {
    object["takes_turns"] = true;
  }
  return dump(object);
}

result<offer> read_offer(std::string_view json) {
  std::string guest;
  std::string source;
  auto offered =
      read_record<offer>("OFFER", json, [&](json_fields& fields, offer& value) {
        value.id = fields.text("id", max_name_bytes);
        value.live = fields.flag("live");
        guest = part_of(fields, "guest");
        source = part_of(fields, "source");
        value.start = start_of(fields);
        value.takes_turns = flag_or_false(fields, "takes_turns");
      });
  if (!offered) {
    return offered;
  }
  if (!is_teleport_id(offered->id)) {
    return malformed("OFFER", "id: not 32 hexadecimal digits");
  }
  auto info = read_guest_info(guest);
  if (!info) {
    return in_context("OFFER record", info.error());
  }
  auto facts = read_host_facts(source);
  if (!facts) {
    return in_context("OFFER record", facts.error());
  }
  offered->guest = std::move(*info);
  offered->source = std::move(*facts);
  if (!sizes_in_range(moved_disks(offered->guest))) {
    return malformed("OFFER", "a disk's size is out of range");
  }
  return offered;
}

std::string to_json(const answer& value) {
  json object = {{"host", value.host},
                 {"problems", written(to_json(value.problems))},
                 {"disks", targets_json(value.disks)}};
  if (value.room) {
    object["room"] = room_json(*value.room);
  }
  if (value.gives_turns) {
    object["gives_turns"] = true;
  }
  return dump(object);
}

result<answer> read_answer(std::string_view json) {
  std::string list;
  auto reply = read_record<answer>(
      "ANSWER", json, [&](json_fields& fields, answer& value) {
        value.host = fields.text("host", max_name_bytes);
        value.disks = read_disks(fields);
        value.room = room_of(fields);
        value.gives_turns = flag_or_false(fields, "gives_turns");
        list = part_of(fields, "problems");
      });
  if (!reply) {
    return reply;
  }
  auto problems = read_problems(list);
  if (!problems) {
    return in_context("ANSWER record", problems.error());
  }
  reply->problems = std::move(*problems);
  return reply;
}

std::string to_json(const std::vector<offered_target>& value) {
  return dump({{"disks", targets_json(value)}});
}

result<std::vector<offered_target>> read_targets(std::string_view json) {
  using targets = std::vector<offered_target>;
  return read_record<targets>(
      "PREPARED", json, [](json_fields& fields, targets& value) {
        value = read_disks(fields);
      });
}

std::string to_json(const seed_offer& value) {
  json disks = json::array();
  for (const guest_disk& disk : moved_disks(value.guest)) {
    disks.push_back({{"vdev", disk.vdev}, {"size", disk.size}});
  }
  return dump({{"name", value.guest.name},
               {"uuid", value.guest.uuid},
               {"disks", std::move(disks)}});
}

result<seed_offer> read_seed_offer(std::string_view json) {
  auto offered = read_record<seed_offer>(
      "SEED", json, [](json_fields& fields, seed_offer& value) {
        value.guest.name = fields.text("name", max_guest_name);
        value.guest.uuid = fields.text("uuid", max_guest_name);
        for (const auto& entry : fields.list("disks", max_disks)) {
          json_fields about(entry);
          guest_disk disk;
          disk.vdev = about.text("vdev", max_vdev);
          disk.size = about.number<std::uint64_t>("size");
          disk.configured_path = disk.vdev;  // no empty drive
          const bool twice = std::ranges::any_of(
              value.guest.disks,
              [&](const auto& other) { return other.vdev == disk.vdev; });
          if (about.failed() || !is_vdev(disk.vdev) || twice) {
            fields.fail("disks: not a list of disks");
            return;
          }
          value.guest.disks.push_back(std::move(disk));
        }
        if (!is_plain_name(value.guest.name) || !is_uuid(value.guest.uuid)) {
          fields.fail("name or uuid: not of a guest");
        }
      });
  if (offered &&
      (offered->guest.disks.empty() || !sizes_in_range(offered->guest.disks))) {
    return malformed("SEED", "no disk, or a disk's size is out of range");
  }
  return offered;
}

}  // namespace teleport
