// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/peers_command.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/folder.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/net/peer_files.hpp"
#include "xl-teleport/setup/peer_holdings.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

nlohmann::json described(const peer_file& one,
                         const peer_rights& rights,
                         std::optional<std::uint64_t> held) {
  nlohmann::json object = {{"name", one.name},
                           {"sha256", one.host},
                           {"keys", one.keys},
                           {"role", rights.is_limited() ? "limited" : "ours"}};
  if (rights.is_limited()) {
    const peer_limits& limits = rights.limits();
    object["may"] = names_of(limits.may);
    object["guests"] = limits.guests;
    object["store_limit_bytes"] = limits.store_limit;
    object["store_held_bytes"] =
        held ? nlohmann::json(*held) : nlohmann::json();
    object["sessions"] = limits.sessions;
    object["fault"] = rights.fault();
  }
  return object;
}

void print(const peer_file& one,
           const peer_rights& rights,
           std::optional<std::uint64_t> held) {
  std::cout << fmt::format("{:24} {} {}\n",
                           one.name,
                           one.host,
                           rights.is_limited() ? "limited" : "ours");
  for (const std::string& key : one.keys) {
    if (one.keys.size() > 1 || key != one.host) {
      std::cout << fmt::format("    {:20} {}\n", "has the key", key);
    }
  }
  if (!rights.is_limited()) {
    return;
  }
  if (!rights.fault().empty()) {
    std::cout << fmt::format("    may do nothing: {}\n", rights.fault());
    return;
  }
  const peer_limits& limits = rights.limits();
  const auto list = [](const std::vector<std::string>& texts) {
    return texts.empty() ? std::string("nothing")
                         : fmt::format("{}", fmt::join(texts, ", "));
  };
  std::cout << fmt::format(
      "    may {}; guests {}; store {} of {}; sessions {}\n",
      list(names_of(limits.may)),
      list(limits.guests),
      held ? human_bytes(*held) : "?",
      human_bytes(limits.store_limit),
      limits.sessions);
}

/// What limited hosts have brought; null where that cannot be told, which is
/// said, and where no host is limited.
std::optional<peer_holdings> look_at_holdings(
    const std::vector<peer_rights>& rights, const settings& options) {
  if (std::ranges::none_of(rights, &peer_rights::is_limited)) {
    return std::nullopt;
  }
  auto holdings = peer_holdings::read(options);
  if (!holdings) {
    std::cerr << holdings.error().context << '\n';
    return std::nullopt;
  }
  return std::move(*holdings);
}

/// Of a host that is not paired any more, or under another name.
void tell_of_others(const peer_files& peers, const std::string& folder) {
  const auto files = files_in(folder, limits_extension);
  if (!files) {
    return;
  }
  for (const std::string& path : *files) {
    const std::string name =
        in_lower_case(std::filesystem::path(path).stem().string());
    if (std::ranges::none_of(peers, [&](const peer_file& one) {
          return in_lower_case(one.name) == name;
        })) {
      std::cerr << fmt::format("{} limits nobody: no host is paired as that\n",
                               path);
    }
  }
}

}  // namespace

result<void> list_peers(const settings& options, bool json) {
  const auto peers = read_peer_files(options.keys.peers);
  if (!peers) {
    return peers.error();
  }
  nlohmann::json list = nlohmann::json::array();
  std::vector<peer_rights> rights;
  for (const peer_file& one : *peers) {
    rights.push_back(rights_of_peer(*peers, options.keys.peers, one.host));
  }
  const auto holdings = look_at_holdings(rights, options);
  for (std::size_t i = 0; i < peers->size(); ++i) {
    const peer_file& one = (*peers)[i];
    const auto held =
        holdings ? std::optional(holdings->bytes_of(one.host)) : std::nullopt;
    if (json) {
      list.push_back(described(one, rights[i], held));
    } else {
      print(one, rights[i], held);
    }
  }
  if (json) {
    std::cout << dump(list, 2) << '\n';
  }
  tell_of_others(*peers, options.keys.peers);
  return {};
}

}  // namespace teleport
