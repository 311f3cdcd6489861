// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/peer_rights.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>
#include <utility>

#include <fnmatch.h>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "libteleport/base/units.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/xen/names.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

struct named_deed {
  peer_deed deed;
  std::string_view name;
  std::string_view words;  ///< "HOST may not WORDS guest ..."
};

constexpr std::array<named_deed, 4> deeds{
    {{peer_deed::teleport_here, "teleport-here", "teleport to this host"},
     {peer_deed::seed_here, "seed-here", "seed on this host"},
     {peer_deed::teleport_there, "teleport-there", "be sent"},
     {peer_deed::seed_there, "seed-there", "be sent disks of"}}};

const named_deed& entry_of(peer_deed deed) {
  return *std::ranges::find(deeds, deed, &named_deed::deed);
}

/// More than the daemon has for all.
constexpr std::int64_t most_sessions_of_file = 1000;

bool is_of(const std::string& entry, const guest_info& guest) {
  const std::string lower = in_lower_case(entry);
  return is_uuid(lower)
             ? lower == in_lower_case(guest.uuid)
             : ::fnmatch(entry.c_str(), guest.name.c_str(), FNM_NOESCAPE) == 0;
}

/// A list of texts; nullopt for anything else.
std::optional<std::vector<std::string>> read_texts(const toml::node& node) {
  const toml::array* const list = node.as_array();
  if (list == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const toml::node& one : *list) {
    const auto text = one.value_exact<std::string>();
    if (!text || text->empty()) {
      return std::nullopt;
    }
    texts.push_back(*text);
  }
  return texts;
}

/// Each of these returns what was expected where the value is not that.
std::optional<std::string> set_may(peer_limits& out, const toml::node& node) {
  const auto texts = read_texts(node);
  bool good = texts.has_value();
  for (const std::string& text : texts.value_or(std::vector<std::string>())) {
    const auto deed = deed_called(text);
    good = good && deed;
    if (deed) {
      out.may.insert(*deed);
    }
  }
  return good ? std::nullopt
              : std::optional<std::string>(
                    R"(a list of "teleport-here", "seed-here", )"
                    R"("teleport-there", "seed-there")");
}

std::optional<std::string> set_guests(peer_limits& out,
                                      const toml::node& node) {
  auto texts = read_texts(node);
  if (!texts) {
    return R"(a list of names and uuids, as ["web*", "db1"])";
  }
  out.guests = std::move(*texts);
  return std::nullopt;
}

std::optional<std::string> set_store_limit(peer_limits& out,
                                           const toml::node& node) {
  const auto bytes = read_bytes(node.value_exact<std::string>().value_or("-"));
  if (!bytes) {
    return "a size such as \"200 GiB\"";
  }
  out.store_limit = *bytes;
  return std::nullopt;
}

std::optional<std::string> set_sessions(peer_limits& out,
                                        const toml::node& node) {
  const auto count = node.value_exact<std::int64_t>();
  if (!count || *count < 1 || *count > most_sessions_of_file) {
    return fmt::format("a number from 1 to {}", most_sessions_of_file);
  }
  out.sessions = static_cast<std::size_t>(*count);
  return std::nullopt;
}

std::optional<std::string> set_key(peer_limits& out,
                                   std::string_view key,
                                   const toml::node& node) {
  return key == "may"           ? set_may(out, node)
         : key == "guests"      ? set_guests(out, node)
         : key == "store_limit" ? set_store_limit(out, node)
         : key == "sessions"    ? set_sessions(out, node)
                                : "one of may, guests, store_limit, sessions";
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) {
    toml::value<std::string> value(text);
    std::ostringstream written;
    written << toml::toml_formatter(value);
    list += (list.empty() ? "" : ", ") + written.str();
  }
  return "[" + list + "]";
}

}  // namespace

std::string_view name_of(peer_deed deed) noexcept {
  return entry_of(deed).name;
}

std::optional<peer_deed> deed_called(std::string_view name) {
  const auto found = std::ranges::find(deeds, name, &named_deed::name);
  return found == deeds.end() ? std::nullopt : std::optional(found->deed);
}

std::vector<std::string> names_of(const std::set<peer_deed>& deeds_of_host) {
  std::vector<std::string> names;
  names.reserve(deeds_of_host.size());
  for (const peer_deed deed : deeds_of_host) {
    names.emplace_back(name_of(deed));
  }
  return names;
}

result<peer_limits> read_peer_limits(std::string_view text,
                                     const std::string& path) {
  const auto wrong = [&path](const toml::source_region& where,
                             std::string_view what) {
    return error(errc::bad_input,
                 fmt::format("{} line {}: {}", path, where.begin.line, what));
  };
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& failure) {
    return wrong(failure.source(), failure.description());
  }
  peer_limits limits;
  for (const auto& [key, value] : table) {
    if (const auto expected = set_key(limits, key.str(), value)) {
      return wrong(value.source(),
                   fmt::format("'{}' must be {}", key.str(), *expected));
    }
  }
  return limits;
}

std::string peer_limits_text(const peer_limits& limits) {
  return fmt::format(
      "# Limits of a paired host (teleport-files(5)). They count from its "
      "next\n"
      "# session on. Without this file it is a host of ours, and may do all.\n"
      "# \"teleport-here\", \"seed-here\", \"teleport-there\", \"seed-there\"\n"
      "may = {}\n"
      "# Names of guests, in which * and ? stand for others, and uuids.\n"
      "guests = {}\n"
      "# How much of the disks here it may have brought.\n"
      "store_limit = \"{} MiB\"\n"
      "# Teleports and seeds to here at a time.\n"
      "sessions = {}\n",
      quoted_list(names_of(limits.may)),
      quoted_list(limits.guests),
      limits.store_limit / 1_MiB,
      limits.sessions);
}

peer_rights::peer_rights(std::string host, std::string file, peer_limits limits)
    : host_(std::move(host)),
      file_(std::move(file)),
      limits_(std::move(limits)) {}

peer_rights peer_rights::nothing(std::string host, std::string fault) {
  peer_rights rights(std::move(host), "", {});
  rights.fault_ = std::move(fault);
  return rights;
}

result<void> peer_rights::check(peer_deed deed, const guest_info& guest) const {
  if (!limits_) {
    return {};
  }
  if (!fault_.empty()) {
    return error(errc::refused,
                 fmt::format("{} may do nothing: {}", host_, fault_));
  }
  const named_deed& asked = entry_of(deed);
  const std::string what =
      fmt::format("{} may not {} guest '{}'", host_, asked.words, guest.name);
  if (!limits_->may.contains(deed)) {
    return error(
        errc::refused,
        fmt::format(
            "{}: \"{}\" is not in 'may' of {}", what, asked.name, file_));
  }
  if (std::ranges::none_of(limits_->guests, [&](const std::string& entry) {
        return is_of(entry, guest);
      })) {
    return error(errc::refused,
                 fmt::format("{}: neither its name nor its uuid {} is in "
                             "'guests' of {}",
                             what,
                             guest.uuid,
                             file_));
  }
  return {};
}

result<void> peer_rights::check_store(std::uint64_t held,
                                      std::uint64_t asked) const {
  if (!limits_ || asked <= limits_->store_limit) {
    return {};
  }
  return error(
      errc::no_space,
      fmt::format("{} may have brought {} of disks here, has brought {}, and "
                  "would have brought {}: 'store_limit' in {}",
                  host_,
                  human_bytes(limits_->store_limit),
                  human_bytes(held),
                  human_bytes(asked),
                  file_));
}

std::size_t peer_rights::most_sessions() const noexcept {
  return limits_ ? limits_->sessions : std::numeric_limits<std::size_t>::max();
}

}  // namespace teleport
