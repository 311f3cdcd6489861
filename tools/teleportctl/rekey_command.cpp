// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/rekey_command.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/own_keys.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/net/peer_pairing.hpp"
#include "tools/teleportctl/key_probe.hpp"
#include "tools/teleportctl/ssh_host.hpp"
#include "tools/teleportctl/ssh_program.hpp"
#include "xl-teleport/setup/host_name.hpp"

namespace teleport {

namespace {

/// The names of hosts by what they were first paired with.
using hosts_by_key = std::map<std::string, std::string>;

/// @error errc::bad_input: one is not NAME=DESTINATION
result<std::map<std::string, std::string>> read_routes(
    const std::vector<std::string>& texts) {
  std::map<std::string, std::string> routes;
  for (const std::string& text : texts) {
    const auto at = text.find('=');
    if (at == std::string::npos) {
      return error(errc::bad_input,
                   fmt::format("'{}' is not NAME=DESTINATION", text));
    }
    routes[text.substr(0, at)] = text.substr(at + 1);
  }
  return routes;
}

class key_renewal {
 public:
  key_renewal(const rekey_command& asked,
              const settings& options,
              std::map<std::string, std::string> routes)
      : asked_(asked), options_(options), routes_(std::move(routes)) {}

  result<void> run();

 private:
  /// How a paired host is called: by a name of DNS or an address.
  [[nodiscard]] std::string called(const std::string& name) const;
  [[nodiscard]] result<void> tell(const std::string& name,
                                  const own_keys& own) const;
  /// Tells all hosts, those told already too, to accept the next key; or, where
  /// there is none, the present one alone.
  ///
  /// @return names of those that do not know it
  [[nodiscard]] result<std::vector<std::string>> tell_all(
      const own_keys& own) const;
  [[nodiscard]] result<hosts_by_key> hosts() const;
  result<void> switch_to_next(const own_keys& own);

  const rekey_command& asked_;
  const settings& options_;
  std::map<std::string, std::string> routes_;
};

result<hosts_by_key> key_renewal::hosts() const {
  const auto peers = read_peer_files(options_.keys.peers);
  if (!peers) {
    return peers.error();
  }
  hosts_by_key names;
  for (const peer_file& one : *peers) {
    auto& name = names[one.host];
    // Of several names, the one that the user knows how to reach.
    if (name.empty() ||
        (routes_.contains(one.name) && !routes_.contains(name))) {
      name = one.name;
    }
  }
  return names;
}

std::string key_renewal::called(const std::string& name) const {
  for (const auto& [address, paired_as] : options_.keys.aliases) {
    if (in_lower_case(paired_as) == in_lower_case(name)) {
      return address;
    }
  }
  return name;
}

result<void> key_renewal::tell(const std::string& name,
                               const own_keys& own) const {
  const auto route = routes_.find(name);
  const auto host =
      read_ssh_host(route == routes_.end() ? called(name) : route->second, 0);
  if (!host) {
    return host.error();
  }
  ssh_program ssh;
  // A host that accepts a connection and says nothing: before its handshake,
  // and after it.
  std::vector<std::string> arguments = {"-o",
                                        "ConnectTimeout=20",
                                        "-o",
                                        "ServerAliveInterval=10",
                                        "-o",
                                        "ServerAliveCountMax=3"};
  arguments.insert(
      arguments.end(), host->arguments.begin(), host->arguments.end());
  arguments.push_back(
      fmt::format("PATH=$PATH:/usr/local/sbin:/usr/sbin teleportctl "
                  "accept-key --past {}",
                  own.past.size()));
  const auto started = ssh.start(std::move(arguments));
  if (!started) {
    return started;
  }
  ssh.write(pem_of(own.accepted()) + pem_of(own.past));
  return ssh.wait(std::chrono::seconds(asked_.ssh_seconds));
}

result<std::vector<std::string>> key_renewal::tell_all(
    const own_keys& own) const {
  const auto all = hosts();
  if (!all) {
    return all.error();
  }
  std::vector<std::string> left;
  for (const auto& [host, name] : *all) {
    const auto told = tell(name, own);
    std::string now;
    if (told) {
      now =
          own.next ? "accepts the next key, too" : "accepts the new key alone";
    } else if (own.next && is_let_in(next_key_files(options_.keys),
                                     called(name),
                                     options_.port,
                                     host)) {
      now = "accepts the next key, tried with it";
    } else {
      now = "NOT TOLD: " + told.error().context;
      left.push_back(name);
    }
    std::cout << fmt::format("{}: {}\n", name, now);
  }
  return left;
}

result<void> key_renewal::switch_to_next(const own_keys& own) {
  const auto before = hosts();
  const auto left =
      before ? tell_all(own) : result<std::vector<std::string>>(before.error());
  if (!left) {
    return left.error();
  }
  // A host that was paired meanwhile may not have heard of the next key.
  const auto after = hosts();
  if (!after || *after != *before) {
    return after ? error(errc::busy,
                         "hosts were paired or unpaired meanwhile: run "
                         "'teleportctl rekey' again")
                 : after.error();
  }
  if (!left->empty() && !asked_.now) {
    return error(
        errc::refused,
        fmt::format("the present key stays in use, and is accepted everywhere: "
                    "{} of {} hosts do not know the next one ({}). Run "
                    "'teleportctl rekey' again; or, on a host that this one "
                    "cannot reach, 'teleportctl pair' with this one. "
                    "'teleportctl rekey --now' does not wait for them",
                    left->size(),
                    before->size(),
                    fmt::join(*left, ", ")));
  }
  const auto switched = use_next_key(options_.keys);
  if (!switched) {
    return switched;
  }
  std::cout << fmt::format("this host's key is now\n  {}\n", own.next->key);
  if (!left->empty()) {
    std::cout << fmt::format(
        "{} refuse this host, and accept its old key, until 'teleportctl "
        "rekey' reaches them\n",
        fmt::join(*left, ", "));
  }
  return {};
}

result<void> key_renewal::run() {
  const auto made = make_identity(options_.keys, host_name());
  const auto whole = made ? finish_switch(options_.keys) : made;
  auto own =
      whole ? read_own_keys(options_.keys) : result<own_keys>(whole.error());
  if (!own) {
    return own.error();
  }
  if (!own->next && (own->past.empty() || asked_.anew)) {
    const auto next = make_next_key(options_.keys, host_name());
    own = next ? read_own_keys(options_.keys) : result<own_keys>(next.error());
    if (!own) {
      return own.error();
    }
  }
  if (own->next) {
    std::cout << fmt::format(
        "this host's key is\n  {}\nand the next one\n  {}\n",
        own->present.key,
        own->next->key);
    const auto switched = switch_to_next(*own);
    own = switched ? read_own_keys(options_.keys)
                   : result<own_keys>(switched.error());
    if (!own) {
      return own.error();
    }
  }
  const auto peers = hosts();
  if (peers && !peers->empty()) {
    // A connection that began with the old key is let in or refused by then.
    std::this_thread::sleep_for(std::chrono::seconds(asked_.handshake_seconds));
  }
  const auto left = tell_all(*own);
  if (!left) {
    return left.error();
  }
  if (!left->empty()) {
    return error(
        errc::refused,
        fmt::format("the new key is in use. The old one is accepted by "
                    "{} still: run 'teleportctl rekey' again; or, on "
                    "a host that this one cannot reach, 'teleportctl "
                    "pair' with this one",
                    fmt::join(*left, ", ")));
  }
  return forget_past_keys(options_.keys);
}

result<void> show_keys(const settings& options) {
  const auto own = read_own_keys(options.keys);
  if (!own) {
    return own.error();
  }
  std::cout << fmt::format("{:8} {}\n", "in use", own->present.key);
  if (own->next) {
    std::cout << fmt::format("{:8} {}\n", "next", own->next->key);
  }
  for (const host_certificate& one : own->past) {
    std::cout << fmt::format("{:8} {}\n", "past", one.key);
  }
  return {};
}

}  // namespace

void add_rekey_command(CLI::App& app, rekey_command& read) {
  read.rekey = app.add_subcommand(
      "rekey", "renew this host's key; both are valid until all hosts have it");
  read.rekey->add_flag("--now",
                       read.now,
                       "do not wait for hosts that cannot be reached: they "
                       "refuse this one until they are");
  read.rekey->add_flag(
      "--anew",
      read.anew,
      "another key also where some host was not told to drop the last one");
  read.rekey->add_flag("--show", read.show, "this host's keys, and no more");
  read.rekey
      ->add_option("--ssh",
                   read.routes,
                   "NAME=[USER@]HOST: how ssh reaches the host that is "
                   "paired as NAME; several times")
      ->type_name("ROUTE");
  read.rekey->add_option("--handshake-seconds", read.handshake_seconds)
      ->group("");
  read.rekey->add_option("--ssh-seconds", read.ssh_seconds)->group("");
  // Run on the other hosts by `rekey`, over their administrator's ssh.
  read.accept = app.add_subcommand("accept-key")->group("");
  read.accept->add_option("--past", read.past);
}

result<void> run_rekey(const rekey_command& read, const settings& options) {
  if (read.show) {
    return show_keys(options);
  }
  auto routes = read_routes(read.routes);
  if (!routes) {
    return routes.error();
  }
  std::error_code ignored;
  std::filesystem::create_directories(options.run_path, ignored);
  const auto lock = take_lock(options.run_path, "rekey");
  if (!lock) {
    return in_context("another 'teleportctl rekey' is at work", lock.error());
  }
  return key_renewal(read, options, std::move(*routes)).run();
}

result<void> accept_key(const rekey_command& read, const settings& options) {
  const std::string pem{std::istreambuf_iterator<char>(std::cin), {}};
  auto all = read_certificates(pem, most_keys + most_past_keys);
  if (!all) {
    return all.error();
  }
  renewed_keys shown;
  shown.past.assign(all->end() - static_cast<std::ptrdiff_t>(
                                     std::min(read.past, all->size())),
                    all->end());
  all->resize(all->size() - shown.past.size());
  shown.accepted = std::move(*all);
  const auto now = renew_peer(options.keys.peers, shown);
  return now ? result<void>() : in_context("on " + host_name(), now.error());
}

}  // namespace teleport
