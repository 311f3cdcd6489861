// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/pairing.hpp"

#include <iostream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/peer_files.hpp"
#include "tools/teleportctl/ssh_host.hpp"
#include "tools/teleportctl/ssh_program.hpp"
#include "xl-teleport/setup/host_name.hpp"

namespace teleport {

namespace {

constexpr std::string_view end_of_certificate = "-----END CERTIFICATE-----\n";

/// This host's certificate, made where there is none.
result<std::string> own_certificate(const settings& options,
                                    const std::string& own_name) {
  const auto made = make_identity(options.keys, own_name);
  return made ? read_small_file(options.keys.certificate, max_pem_bytes)
              : result<std::string>(made.error());
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
          others.front().key,
          key));
}

void tell_replaced(const peer_files& replaced, const std::string& key) {
  for (const peer_file& old : replaced) {
    std::cerr << fmt::format(
        "the key of {} was {}; it is now {}\n", old.name, old.key, key);
  }
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
  const auto own = own_certificate(options, asked.own_name);
  const auto own_key =
      own ? fingerprint_of(*own) : result<std::string>(own.error());
  if (!own_key) {
    return own_key.error();
  }
  ssh_program ssh;
  auto arguments = host->arguments;
  // An older teleportctl there, which reads before it writes, refuses
  // --show-first at once.
  arguments.push_back(
      fmt::format("PATH=$PATH:/usr/local/sbin:/usr/sbin teleportctl "
                  "accept-pairing --show-first {}'{}'",
                  asked.replace ? "--replace " : "",
                  asked.own_name));
  const auto started = ssh.start(std::move(arguments));
  if (!started) {
    return started;
  }
  const auto theirs = ssh.read_to(end_of_certificate, max_pem_bytes);
  if (!theirs) {
    return theirs.error();
  }
  const auto key = fingerprint_of(*theirs);
  if (!key) {
    const auto ended = ssh.wait();
    return ended ? in_context(host->name, key.error()) : ended;
  }
  const auto checked =
      check_new(host->name, *key, *own_key, asked.replace, options);
  if (!checked) {
    return checked;
  }
  ssh.write(*own);
  const auto accepted = ssh.wait();
  if (!accepted) {
    return in_context("nothing was paired", accepted.error());
  }
  const auto pinned =
      add_peer(options.keys.peers, host->name, *theirs, asked.replace);
  if (!pinned) {
    return in_context("it is paired there, and not here", pinned.error());
  }
  tell_replaced(*pinned, *key);
  std::cout << fmt::format(
      "paired with {}, whose key is\n  {}\nThere this host is {}, whose key "
      "is\n  {}\n",
      host->name,
      *key,
      asked.own_name,
      *own_key);
  return {};
}

result<void> accept_pairing(const std::string& name,
                            bool replace,
                            const settings& options) {
  const auto own = own_certificate(options, host_name());
  const auto own_key =
      own ? fingerprint_of(*own) : result<std::string>(own.error());
  if (!own_key) {
    return own_key.error();
  }
  std::cout << *own << std::flush;
  const std::string pem{std::istreambuf_iterator<char>(std::cin), {}};
  if (pem.empty()) {
    return error(errc::cancelled, "the other host sent no key");
  }
  const auto key = fingerprint_of(pem);
  if (!key) {
    return in_context("certificate of " + name, key.error());
  }
  const auto checked = check_new(name, *key, *own_key, replace, options);
  if (!checked) {
    return in_context("on " + host_name(), checked.error());
  }
  const auto pinned = add_peer(options.keys.peers, name, pem, replace);
  if (!pinned) {
    return pinned.error();
  }
  tell_replaced(*pinned, *key);
  return {};
}

result<void> list_peers(const settings& options, bool json) {
  const auto peers = read_peer_files(options.keys.peers);
  if (!peers) {
    return peers.error();
  }
  nlohmann::json list = nlohmann::json::array();
  for (const peer_file& one : *peers) {
    list.push_back({{"name", one.name}, {"sha256", one.key}});
    if (!json) {
      std::cout << fmt::format("{:24} {}\n", one.name, one.key);
    }
  }
  if (json) {
    std::cout << list.dump(2) << '\n';
  }
  return {};
}

result<void> unpair(const std::string& name, const settings& options) {
  const auto removed = remove_peer(options.keys.peers, name);
  if (!removed) {
    return removed.error();
  }
  for (const peer_file& one : *removed) {
    std::cout << fmt::format("no longer paired: {} {}\n", one.name, one.key);
  }
  return {};
}

}  // namespace teleport
