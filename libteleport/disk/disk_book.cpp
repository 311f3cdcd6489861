// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_book.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

constexpr std::size_t max_entry_bytes = 64_KiB;

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                  (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
         });
}

std::string string_at(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>()
                                             : std::string();
}

nlohmann::json to_json(const kept_disk& disk) {
  nlohmann::json json = {{"guest", disk.guest},
                         {"uuid", disk.uuid},
                         {"vdev", disk.vdev},
                         {"size", disk.size}};
  if (disk.shadow) {
    json["shadow"] = {{"kind", static_cast<int>(disk.shadow->kind)},
                      {"device", disk.shadow->device},
                      {"backing", disk.shadow->backing},
                      {"aside", disk.shadow->aside}};
  } else {
    json["partial"] = disk.partial;
  }
  if (disk.identity) {
    json["identity"] = disk.identity->text();
  }
  if (!disk.peer.empty()) {
    json["peer"] = disk.peer;
  }
  if (disk.own) {
    json["own"] = true;
  }
  return json;
}

}  // namespace

std::string kept_disk_text(const kept_disk& disk) {
  return dump(to_json(disk));
}

result<kept_disk> read_kept_disk(std::string_view text) {
  const auto parsed = parse_object(text, max_entry_bytes);
  const error damaged(errc::corrupt, "no entry of a kept disk");
  if (!parsed) {
    return damaged;
  }
  const nlohmann::json& json = *parsed;
  kept_disk disk;
  disk.guest = string_at(json, "guest");
  disk.uuid = string_at(json, "uuid");
  disk.vdev = string_at(json, "vdev");
  disk.partial = string_at(json, "partial");
  disk.peer = string_at(json, "peer");
  disk.own = json.value("own", nlohmann::json()) == true;
  const auto size = json.find("size");
  if (size == json.end() || !size->is_number_unsigned() ||
      !is_plain(disk.uuid) || !is_plain(disk.vdev)) {
    return damaged;
  }
  disk.size = size->get<std::uint64_t>();
  const auto shadow = json.find("shadow");
  if (shadow != json.end() && shadow->is_object()) {
    const auto kind = shadow->find("kind");
    const auto known = kind != shadow->end() && kind->is_number_integer()
                           ? disk_kind_of(kind->get<int>())
                           : std::nullopt;
    if (!known) {
      return damaged;
    }
    disk_place place;
    place.kind = *known;
    place.device = string_at(*shadow, "device");
    place.backing = string_at(*shadow, "backing");
    place.aside = string_at(*shadow, "aside");
    disk.shadow = std::move(place);
  }
  if (!disk.shadow && disk.partial.empty()) {
    return damaged;
  }
  if (const std::string noted = string_at(json, "identity"); !noted.empty()) {
    const auto identity = disk_identity::parse(noted);
    if (!identity) {
      return damaged;
    }
    disk.identity = *identity;
  }
  return disk;
}

namespace {

result<kept_disk> read_entry(const std::string& path) {
  const auto text = read_small_file(path, max_entry_bytes);
  if (!text) {
    return text.error();
  }
  auto disk = read_kept_disk(*text);
  return disk ? disk : in_context(path, disk.error());
}

}  // namespace

std::string uuid_of_name(std::string_view name) {
  const std::string salted = "xl-teleport guest " + std::string(name);
  const auto digest = digest_extent(as_bytes(salted));
  std::string hex = to_hex(std::span(digest).first(16));
  hex[12] = '8';  // the version
  hex[16] = '8';  // the variant
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
    hex.insert(dash, 1, '-');
  }
  return hex;
}

result<disk_book> disk_book::open(const std::string& folder) {
  const auto made = make_folders(folder);
  if (!made) {
    return in_context("disks kept for guests", made.error());
  }
  return disk_book(folder);
}

result<std::string> disk_book::path_of(const std::string& uuid,
                                       const std::string& vdev) const {
  if (!is_plain(uuid) || !is_plain(vdev)) {
    return error(errc::bad_input, "not a guest's uuid and disk: " + uuid);
  }
  return folder_ + "/" + uuid + "_" + vdev + ".json";
}

result<void> disk_book::write(const kept_disk& disk) {
  const auto path = path_of(disk.uuid, disk.vdev);
  if (!path) {
    return path.error();
  }
  return write_durably(*path, dump(to_json(disk), 1) + "\n", 0600);
}

result<std::optional<kept_disk>> disk_book::find(
    const std::string& uuid, const std::string& vdev) const {
  const auto path = path_of(uuid, vdev);
  if (!path) {
    return path.error();
  }
  auto disk = read_entry(*path);
  if (disk) {
    return std::optional(std::move(*disk));
  }
  if (disk.error().code == errc::not_found) {
    return std::optional<kept_disk>();
  }
  return disk.error();
}

result<std::optional<kept_disk>> disk_book::find_for(
    const kept_disk& wanted) const {
  auto own = find(wanted.uuid, wanted.vdev);
  if (!own || (*own && (*own)->size == wanted.size)) {
    return own;
  }
  const std::string by_name = uuid_of_name(wanted.guest);
  auto entries = all();
  if (!entries) {
    return entries.error();
  }
  for (kept_disk& entry : *entries) {
    const bool of_peer = entry.peer.empty() || entry.peer == wanted.peer;
    if (entry.guest == wanted.guest && entry.vdev == wanted.vdev &&
        entry.size == wanted.size &&
        (entry.uuid == by_name || (wanted.uuid == by_name && of_peer))) {
      return std::optional(std::move(entry));
    }
  }
  return own;
}

result<void> disk_book::remove(const std::string& uuid,
                               const std::string& vdev) {
  const auto path = path_of(uuid, vdev);
  return path ? remove_durably(*path) : result<void>(path.error());
}

result<std::int64_t> disk_book::written_at(const std::string& uuid,
                                           const std::string& vdev) const {
  const auto path = path_of(uuid, vdev);
  struct stat about {};
  if (!path || ::stat(path->c_str(), &about) != 0) {
    return path ? system_error(errno, *path) : path.error();
  }
  return about.st_mtim.tv_sec;
}

result<std::vector<kept_disk>> disk_book::all() const {
  return read_entries(folder_, ".json", read_entry);
}

}  // namespace teleport
