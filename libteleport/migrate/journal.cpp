// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/journal.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

constexpr std::size_t max_entry_bytes = 1_MiB;

constexpr std::array states = {
    std::pair{journal_state::moving, "moving"},
    std::pair{journal_state::go, "go"},
    std::pair{journal_state::moved, "moved"},
    std::pair{journal_state::home, "home"},
    std::pair{journal_state::building, "building"},
    std::pair{journal_state::ready, "ready"},
    std::pair{journal_state::running, "running"},
    std::pair{journal_state::abandoned, "abandoned"},
    std::pair{journal_state::cleared, "cleared"},
};

std::string_view suffix_of(journal_role role) {
  return role == journal_role::source ? ".source" : ".destination";
}

/// Names and paths may hold any bytes; JSON text holds UTF-8 alone.
std::string text_of(const nlohmann::json& json) {
  return dump(json, 1);
}

/// Of the entry without its "sha256".
std::string checksum_of(const nlohmann::json& json) {
  return to_hex(digest_extent(as_bytes(text_of(json))));
}

}  // namespace

std::string_view name_of(journal_state state) noexcept {
  for (const auto& [value, name] : states) {
    if (value == state) {
      return name;
    }
  }
  return "unknown";
}

bool is_teleport_id(std::string_view text) noexcept {
  return text.size() == 32 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

result<journal> journal::open(const std::string& folder) {
  const auto made = make_folders(folder);
  if (!made) {
    return in_context("journal", made.error());
  }
  return journal(folder);
}

std::string journal::path_of(const std::string& id, journal_role role) const {
  return folder_ + "/" + id + std::string(suffix_of(role));
}

result<void> journal::write(const journal_entry& entry) {
  if (!is_teleport_id(entry.id)) {
    return error(errc::bad_input, "journal: not a teleport's id: " + entry.id);
  }
  nlohmann::json json = {
      {"id", entry.id},
      {"role", entry.role == journal_role::source ? "source" : "destination"},
      {"state", name_of(entry.state)},
      {"guest", entry.guest},
      {"uuid", entry.uuid},
      {"domid", entry.domid},
      {"peer", entry.peer},
      {"peer_key", entry.peer_key},
      {"by_hand", entry.by_hand},
      {"disks", entry.disks},
  };
  json["sha256"] = checksum_of(json);
  return write_durably(
      path_of(entry.id, entry.role), text_of(json) + "\n", 0600);
}

result<journal_entry> journal::read_file(const std::string& path) {
  const auto text = read_small_file(path, max_entry_bytes);
  if (!text) {
    return text.error();
  }
  auto json = parse_object(*text, max_entry_bytes);
  const auto damaged = [&](std::string_view what) {
    return error(errc::corrupt,
                 "journal entry " + path + ": " + std::string(what));
  };
  if (!json) {
    return damaged(json.error().context);
  }
  const auto string_at = [&](const char* key) {
    const auto it = json->find(key);
    return it != json->end() && it->is_string() ? it->get<std::string>()
                                                : std::string();
  };
  const std::string checksum = string_at("sha256");
  json->erase("sha256");
  if (checksum != checksum_of(*json)) {
    return damaged("its checksum is wrong");
  }
  journal_entry entry;
  entry.id = string_at("id");
  entry.role = string_at("role") == "source" ? journal_role::source
                                             : journal_role::destination;
  const std::string state = string_at("state");
  const auto known = std::ranges::find_if(
      states, [&](const auto& pair) { return state == pair.second; });
  if (known == states.end() || !is_teleport_id(entry.id)) {
    return damaged("its id or state is not one of ours");
  }
  if (std::filesystem::path(path).filename() !=
      entry.id + std::string(suffix_of(entry.role))) {
    return damaged("it is the entry of another teleport");
  }
  entry.state = known->first;
  entry.guest = string_at("guest");
  entry.uuid = string_at("uuid");
  entry.peer = string_at("peer");
  entry.peer_key = string_at("peer_key");
  const auto by_hand = json->find("by_hand");
  entry.by_hand = by_hand != json->end() && *by_hand == true;
  entry.disks = string_at("disks");
  const auto domid = json->find("domid");
  if (domid != json->end() && domid->is_number_unsigned()) {
    entry.domid = domid->get<std::uint32_t>();
  }
  return entry;
}

result<std::optional<journal_entry>> journal::read(const std::string& id,
                                                   journal_role role) const {
  if (!is_teleport_id(id)) {
    return error(errc::bad_input, "not a teleport's id");
  }
  auto entry = read_file(path_of(id, role));
  if (entry) {
    return std::optional(std::move(*entry));
  }
  if (entry.error().code == errc::not_found) {
    return std::optional<journal_entry>();
  }
  return entry.error();
}

result<std::vector<journal_entry>> journal::all(journal_role role) const {
  return read_entries(folder_, suffix_of(role), read_file);
}

result<void> journal::remove(const std::string& id, journal_role role) {
  if (!is_teleport_id(id)) {
    return error(errc::bad_input, "not a teleport's id");
  }
  return remove_durably(path_of(id, role));
}

}  // namespace teleport
