// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/peer_pairing.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libteleport/net/identity.hpp"

namespace teleport {

namespace {

/// The hosts that have one of the keys now.
std::set<std::string> hosts_of(const peer_files& all,
                               const std::vector<host_certificate>& keys) {
  std::set<std::string> hosts;
  for (const peer_file& one : all) {
    for (const host_certificate& each : keys) {
      if (accepts(one, each.key)) {
        hosts.insert(one.host);
      }
    }
  }
  return hosts;
}

/// That none of the keys is another host's, nor the first one of such a host.
///
/// @param host  whose keys they are; empty: of none that is known
result<void> check_free(const peer_files& all,
                        const std::vector<host_certificate>& keys,
                        const std::string& host) {
  for (const peer_file& one : all) {
    for (const host_certificate& each : keys) {
      if (one.host != host &&
          (accepts(one, each.key) || one.host == each.key)) {
        return error(
            errc::refused,
            fmt::format(
                "the key {} is, or was, that of {}", each.key, one.name));
      }
    }
  }
  return {};
}

/// Writes the host's keys under all names that it has.
result<void> write_keys(const std::string& folder,
                        const peer_files& all,
                        const std::string& host,
                        const std::vector<host_certificate>& keys) {
  for (const peer_file& one : all) {
    const auto written =
        one.host == host
            ? pin_peer(folder, one.name, text_of({host, keys, true}))
            : result<void>();
    if (!written) {
      return written;
    }
  }
  return {};
}

/// Pairs a host that is here already, under this name or another.
result<void> add_known(const std::string& folder,
                       const peer_files& all,
                       const std::string& name,
                       const std::string& host,
                       std::vector<host_certificate> shown) {
  const auto is_free = check_free(all, shown, host);
  if (!is_free) {
    return is_free;
  }
  const auto same = std::ranges::find_if(all, [&](const peer_file& one) {
    return one.host == host && in_lower_case(one.name) == in_lower_case(name);
  });
  if (same != all.end()) {
    const auto written = write_keys(folder, all, host, shown);
    if (!written || same->name == name) {
      return written;
    }
  } else {
    // Whoever answers under a new name may show the certificate of another:
    // it is no secret. A key beside that one would come in as that host.
    std::erase_if(shown, [&](const host_certificate& each) {
      return std::ranges::none_of(all, [&](const peer_file& one) {
        return one.host == host && accepts(one, each.key);
      });
    });
  }
  return pin_peer(folder, name, text_of({host, shown, true}));
}

}  // namespace

result<peer_files> add_peer(const std::string& folder,
                            const std::string& name,
                            const std::string& pem,
                            bool replace) {
  const auto shown = read_certificates(pem);
  if (!shown) {
    return in_context("certificate of " + name, shown.error());
  }
  const auto all = read_peer_files(folder);
  if (!all) {
    return all.error();
  }
  const host_certificate& present = shown->front();
  const auto hosts = hosts_of(*all, {present});
  auto others = others_called(*all, name, present.key);
  if (!others.empty() && !replace) {
    return error(errc::refused,
                 name + " is paired with another key, " +
                     others.front().keys.back() + ", and not with this one, " +
                     present.key);
  }
  // What is replaced is the host of this name no more.
  peer_files rest = *all;
  std::erase_if(rest, [&](const peer_file& one) {
    return std::ranges::any_of(
        others, [&](const peer_file& other) { return other.name == one.name; });
  });
  const auto is_free =
      hosts.empty() ? check_free(rest, *shown, "") : result<void>();
  const auto added =
      !is_free ? is_free
      : hosts.empty()
          ? pin_peer(folder, name, text_of({present.key, *shown, false}))
          : add_known(folder, rest, name, *hosts.begin(), *shown);
  if (!added) {
    return added.error();
  }
  for (const peer_file& other : others) {
    const auto removed =
        other.name == name ? result<void>() : unpin_peer(folder, other.name);
    if (!removed) {
      return removed.error();
    }
  }
  return others;
}

result<peer_files> renew_peer(const std::string& folder,
                              const renewed_keys& shown) {
  const auto all = read_peer_files(folder);
  if (!all) {
    return all.error();
  }
  auto keys = shown.accepted;
  keys.insert(keys.end(), shown.past.begin(), shown.past.end());
  const auto hosts = hosts_of(*all, keys);
  if (hosts.empty() || shown.accepted.empty()) {
    return error(errc::not_found,
                 "none of the keys of the host that renews its own is paired "
                 "here: run 'teleportctl pair' there");
  }
  const std::string& host = *hosts.begin();
  const auto is_free = check_free(*all, keys, host);
  const auto written =
      is_free ? write_keys(folder, *all, host, shown.accepted) : is_free;
  if (!written) {
    return written.error();
  }
  auto now = read_peer_files(folder);
  if (now) {
    std::erase_if(*now, [&](const peer_file& one) { return one.host != host; });
  }
  return now;
}

}  // namespace teleport
