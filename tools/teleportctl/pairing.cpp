// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/pairing.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>

#include <fmt/format.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/own_keys.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/net/peer_pairing.hpp"
#include "tools/teleportctl/ssh_host.hpp"
#include "tools/teleportctl/ssh_program.hpp"
#include "xl-teleport/setup/host_name.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {

namespace {

constexpr std::string_view end_of_certificate = "-----END CERTIFICATE-----\n";

/// ssh waits for a person for as long as that takes, and for a host that says
/// nothing, before or after the person's part, no longer than this.
constexpr std::array<const char*, 6> ssh_limits = {"-o",
                                                   "ConnectTimeout=30",
                                                   "-o",
                                                   "ServerAliveInterval=15",
                                                   "-o",
                                                   "ServerAliveCountMax=4"};

/// A person may type for as long as that takes.
std::optional<std::chrono::seconds> limit_of_asking(
    const pairing_request& asked) {
  const unique_fd terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  return terminal ? std::nullopt : std::optional(asked.unattended_limit);
}

error in_silence(const std::string& host, const error& cause) {
  return cause.code == errc::timeout
             ? error(errc::timeout,
                     fmt::format("{} has not answered in time ({}): log in "
                                 "once with 'ssh {}', and pair then",
                                 host,
                                 cause.context,
                                 host))
             : cause;
}

/// This host's keys, made where there are none.
result<own_keys> keys_of_this_host(const settings& options,
                                   const std::string& own_name) {
  const auto made = make_identity(options.keys, own_name);
  return made ? read_own_keys(options.keys) : result<own_keys>(made.error());
}

/// That a key is another host's, and the name is free for it.
result<void> check_new(const std::string& name,
                       const std::string& key,
                       const std::string& own_key,
                       bool replace,
                       const settings& options) {
  if (key == own_key) {
    return error(
        errc::refused,
        fmt::format("{} has the same key as this host: it is this "
                    "host, or was cloned with its key; remove host.crt "
                    "and host.key on the clone",
                    name));
  }
  const auto peers = read_peer_files(options.keys.peers);
  if (!peers) {
    return peers.error();
  }
  const auto others = others_called(*peers, name, key);
  if (others.empty() || replace) {
    return {};
  }
  return error(
      errc::refused,
      fmt::format(
          "THE KEY OF {} IS NOT THE ONE IT WAS PAIRED WITH: that is {}, "
          "this is {}. It was installed anew, or is another host of the "
          "same name, or somebody is in its place. Once you know which "
          "it is, say --replace, or pair it under another name",
          name,
          others.front().keys.back(),
          key));
}

/// Writes what limits a host that is about to be paired, unless a file of this
/// host does so already: that one is a person's.
///
/// @return the file that limits it; empty where none does
result<std::string> limit(const std::string& name,
                          const std::string& key,
                          const std::optional<peer_limits>& limits,
                          const settings& options) {
  const auto peers = read_peer_files(options.keys.peers);
  if (!peers) {
    return peers.error();
  }
  std::vector<std::string> names = {name};
  for (const peer_file& one : *peers) {
    if (accepts(one, key)) {
      names.push_back(one.name);
    }
  }
  for (const std::string& each : names) {
    const auto files = peer_limit_files(options.keys.peers, each);
    if (!files) {
      return files.error();
    }
    if (!files->empty()) {
      return files->front();
    }
  }
  return limits ? write_peer_limits(options.keys.peers, name, *limits)
                : result<std::string>("");
}

void tell_replaced(const peer_files& replaced, const std::string& key) {
  for (const peer_file& old : replaced) {
    std::cerr << fmt::format(
        "the key of {} was {}; it is now {}\n", old.name, old.keys.back(), key);
  }
}

/// Starts the other half of pairing on the other host.
result<void> start_there(const pairing_request& asked,
                         const ssh_host& host,
                         ssh_program& ssh) {
  std::vector<std::string> arguments(ssh_limits.begin(), ssh_limits.end());
  std::ranges::copy(host.arguments, std::back_inserter(arguments));
  // An older teleportctl there, which reads before it writes, refuses
  // --show-first at once.
  arguments.push_back(
      fmt::format("PATH=$PATH:/usr/local/sbin:/usr/sbin teleportctl "
                  "accept-pairing --show-first {}'{}'",
                  asked.replace ? "--replace " : "",
                  asked.own_name));
  return ssh.start(std::move(arguments));
}

}  // namespace

result<void> pair_with(const pairing_request& asked, const settings& options) {
  const auto host = read_ssh_host(asked.destination, asked.ssh_port);
  if (!host) {
    return host.error();
  }
  if (!is_peer_name(asked.own_name)) {
    return error(errc::bad_input,
                 fmt::format("'{}' is not a host's name", asked.own_name));
  }
  const auto own = keys_of_this_host(options, asked.own_name);
  if (!own) {
    return own.error();
  }
  const std::string& own_key = own->present.key;
  ssh_program ssh;
  const auto started = start_there(asked, *host, ssh);
  if (!started) {
    return started;
  }
  auto theirs =
      ssh.read_to(end_of_certificate, max_pem_bytes, limit_of_asking(asked));
  if (!theirs) {
    return in_silence(asked.destination, theirs.error());
  }
  const auto key = fingerprint_of(*theirs);
  if (!key) {
    const auto ended = ssh.wait(asked.exchange_limit);
    return ended ? in_context(host->name, key.error()) : ended;
  }
  const auto checked =
      check_new(host->name, *key, own_key, asked.replace, options);
  if (!checked) {
    return checked;
  }
  ssh.write(pem_of(own->accepted()));
  // A host that renews its key says the next one last.
  const auto next = ssh.read_to("", max_pem_bytes, asked.exchange_limit);
  if (!next && next.error().code == errc::timeout) {
    return error(errc::timeout,
                 fmt::format("{}: nothing was paired here; see there what "
                             "'teleportctl peers' has of {}",
                             next.error().context,
                             asked.own_name));
  }
  const auto accepted = ssh.wait(asked.exchange_limit);
  if (!accepted) {
    return in_context("nothing was paired", accepted.error());
  }
  if (next) {
    *theirs += *next;
  }
  const std::string only_there = "it is paired there, and not here";
  // Before the key: the host is not ours for a moment.
  const auto limits = limit(host->name, *key, asked.limits, options);
  if (!limits) {
    return in_context(only_there, limits.error());
  }
  const auto pinned =
      add_peer(options.keys.peers, host->name, *theirs, asked.replace);
  if (!pinned) {
    return in_context(only_there, pinned.error());
  }
  tell_replaced(*pinned, *key);
  std::cout << fmt::format(
      "paired with {}, whose key is\n  {}\nThere this host is {}, whose key "
      "is\n  {}\n",
      host->name,
      *key,
      asked.own_name,
      own_key);
  if (!limits->empty()) {
    std::cout << fmt::format(
        "Here {} may do only what {} says\n", host->name, *limits);
  }
  return {};
}

result<void> accept_pairing(const std::string& name,
                            bool replace,
                            const settings& options) {
  const auto own = keys_of_this_host(options, host_name());
  if (!own) {
    return own.error();
  }
  std::cout << own->present.pem << std::flush;
  const std::string pem{std::istreambuf_iterator<char>(std::cin), {}};
  if (pem.empty()) {
    return error(errc::cancelled, "the other host sent no key");
  }
  const auto key = fingerprint_of(pem);
  if (!key) {
    return in_context("certificate of " + name, key.error());
  }
  const auto checked =
      check_new(name, *key, own->present.key, replace, options);
  if (!checked) {
    return in_context("on " + host_name(), checked.error());
  }
  const auto pinned = add_peer(options.keys.peers, name, pem, replace);
  if (!pinned) {
    return pinned.error();
  }
  tell_replaced(*pinned, *key);
  // An older teleportctl there reads no more than the first.
  if (own->next) {
    std::cout << own->next->pem << std::flush;
  }
  return {};
}

result<void> unpair(const std::string& name, const settings& options) {
  const auto removed = remove_peer(options.keys.peers, name);
  if (!removed) {
    return removed.error();
  }
  for (const peer_file& one : *removed) {
    for (const std::string& key : one.keys) {
      std::cout << fmt::format("no longer paired: {} {}\n", one.name, key);
    }
    if (one.keys.empty()) {
      std::cout << fmt::format("no longer paired: {}\n", one.name);
    }
  }
  return {};
}

}  // namespace teleport
