// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/teleportctl.cpp: what an administrator does beside
// teleporting: pair hosts, keep the content index, look at what is kept for
// guests elsewhere.

#include <iostream>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/program_start.hpp"
#include "libteleport/base/progress_wish.hpp"
#include "libteleport/base/standard_streams.hpp"
#include "tools/teleportctl/config_command.hpp"
#include "tools/teleportctl/index_command.hpp"
#include "tools/teleportctl/jobs_command.hpp"
#include "tools/teleportctl/limit_options.hpp"
#include "tools/teleportctl/metrics_command.hpp"
#include "tools/teleportctl/pairing.hpp"
#include "tools/teleportctl/peers_command.hpp"
#include "tools/teleportctl/rekey_command.hpp"
#include "tools/teleportctl/seed_command.hpp"
#include "tools/teleportctl/shadow_command.hpp"
#include "tools/teleportctl/teleports_command.hpp"
#include "xl-teleport/setup/command_line.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/host_name.hpp"
#include "xl-teleport/setup/link_plan.hpp"
#include "xl-teleport/setup/rate.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {
namespace {

int failed(const error& cause) {
  std::cerr << "teleportctl: " << cause.context << '\n';
  return exit_failed;
}

int done_or_failed(const result<void>& done) {
  return done ? exit_ok : failed(done.error());
}

int limit_rate(const std::string& text, const settings& options, bool json) {
  const auto rate = text == "auto" ? std::nullopt : read_rate(text);
  if (!text.empty() && text != "auto" && !rate) {
    std::cerr << fmt::format("teleportctl bwlimit: {}\n", rate_fault(text));
    return exit_usage;
  }
  (void)make_folders(options.run_path);  // what follows tells of a failure
  const auto budget = host_budget::open(budget_file(options.run_path));
  if (!budget) {
    return failed(budget.error());
  }
  if (!text.empty()) {
    (*budget)->set_by_hand(rate);
  }
  const auto by_hand = (*budget)->by_hand();
  const link_rate now = by_hand ? *by_hand : options.bwlimit.now();
  if (json) {
    std::cout << dump({{"bytes_per_second", now},
                       {"by_hand", by_hand.has_value()}},
                      2)
              << '\n';
  } else {
    std::cout << fmt::format("{}, {}\n",
                             rate_text(now),
                             by_hand
                                 ? "set by hand: 'teleportctl bwlimit auto' "
                                   "comes back to the settings"
                                 : "as the settings have it");
  }
  return exit_ok;
}

/// What the commands about other hosts read from the command line.
struct host_commands {
  CLI::App* pair = nullptr;
  CLI::App* accept = nullptr;
  CLI::App* peers = nullptr;
  CLI::App* unpair = nullptr;
  CLI::App* bwlimit = nullptr;
  std::string name;  ///< the host it is about
  pairing_request pairing;
  limit_options limits;
  rekey_command rekey;
  std::string rate;
  bool json = false;
  bool show_first = true;  ///< as it always does
};

void add_host_commands(CLI::App& app, host_commands& read) {
  read.pair = app.add_subcommand("pair",
                                 "exchange keys with another host over ssh, "
                                 "once");
  read.pair
      ->add_option("HOST",
                   read.pairing.destination,
                   "[USER@]HOST or ssh://[USER@]HOST[:PORT] as ssh takes it")
      ->required();
  read.pairing.own_name = host_name();
  read.pair
      ->add_option("--as", read.pairing.own_name, "name of this host there")
      ->type_name("NAME")
      ->default_str(read.pairing.own_name);
  add_port_option(
      *read.pair, read.pairing.ssh_port, "of ssh at the other host");
  read.pair->add_flag(
      "--replace",
      read.pairing.replace,
      "where a name has another key, here or there, replace it");
  add_limit_options(*read.pair, read.limits);
  read.pair
      ->add_option_function<unsigned>(
          "--ssh-seconds",
          [&pairing = read.pairing](unsigned seconds) {
            pairing.exchange_limit = std::chrono::seconds(seconds);
            pairing.unattended_limit = pairing.exchange_limit;
          })
      ->group("");
  // Run on the other host by `pair`, over its administrator's ssh.
  read.accept = app.add_subcommand("accept-pairing")->group("");
  read.accept->add_option("NAME", read.name)->required();
  read.accept->add_flag("--replace", read.pairing.replace);
  read.accept->add_flag("--show-first", read.show_first);
  add_rekey_command(app, read.rekey);
  read.peers =
      app.add_subcommand("peers", "hosts that this one is paired with");
  read.peers->add_flag("--json", read.json, "for programs");
  read.unpair = app.add_subcommand("unpair", "take back a pairing");
  read.unpair
      ->add_option("HOST",
                   read.name,
                   "its name or key's beginning, as in 'teleportctl peers'")
      ->required();
  read.bwlimit = app.add_subcommand(
      "bwlimit", "how fast this host's teleports may send, now");
  read.bwlimit->add_option(
      "RATE",
      read.rate,
      "for those under way and to come: 100Mbit, 12MB, off; "
      "auto: as the settings have it. Without: shows it");
  read.bwlimit->add_flag("--json", read.json, "for programs");
}

/// @return exit code, or nothing when it was another command
std::optional<int> run_host_command(const host_commands& read,
                                    const settings& options) {
  if (read.pair->parsed()) {
    pairing_request asked = read.pairing;
    asked.limits = limits_of(read.limits);
    return done_or_failed(pair_with(asked, options));
  }
  if (read.accept->parsed()) {
    return done_or_failed(
        accept_pairing(read.name, read.pairing.replace, options));
  }
  if (read.rekey.rekey->parsed()) {
    return done_or_failed(run_rekey(read.rekey, options));
  }
  if (read.rekey.accept->parsed()) {
    return done_or_failed(accept_key(read.rekey, options));
  }
  if (read.peers->parsed()) {
    return done_or_failed(list_peers(options, read.json));
  }
  if (read.unpair->parsed()) {
    return done_or_failed(unpair(read.name, options));
  }
  if (read.bwlimit->parsed()) {
    return limit_rate(read.rate, options, read.json);
  }
  return std::nullopt;
}

int main_of_teleportctl(int argc, char** argv) {
  CLI::App app{"Sets up and looks after teleporting on this host.",
               "teleportctl"};
  set_help_form(app);
  app.require_subcommand(1);
  add_version_option(app, "teleportctl");
  std::string settings_file = default_settings_file;
  const auto& named = add_config_option(app, settings_file);
  host_commands hosts;
  add_host_commands(app, hosts);
  config_command config;
  add_config_commands(app, config);
  shadow_command shadow;
  add_shadow_commands(app, shadow);
  teleports_command teleports;
  add_teleports_commands(app, teleports);
  jobs_command jobs;
  add_jobs_commands(app, jobs);
  metrics_command metrics;
  add_metrics_command(app, metrics);
  seed_command seed;
  add_seed_command(app, seed);
  index_command index;
  add_index_commands(app, index);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return exit_of_parser(app, failure);
  }
  log_setup("teleportctl", log_level::warning);
  const bool is_named = named.count() != 0;
  const auto options = load_settings(settings_file, is_named);
  if (!options) {
    std::cerr << "teleportctl: " << options.error().context << '\n';
    return exit_usage;
  }
  hold_progress_wishes();
  auto code = run_host_command(hosts, *options);
  if (!code) {
    code = run_config_command(config, *options, settings_file, is_named);
  }
  if (!code) {
    code = run_shadow_command(shadow, *options);
  }
  if (!code) {
    code = run_teleports_command(teleports, *options);
  }
  if (!code) {
    code = run_jobs_command(jobs, *options);
  }
  if (!code) {
    code = run_metrics_command(metrics, *options);
  }
  if (!code) {
    code = seed.parsed->parsed() ? run_seed_command(seed, *options)
                                 : run_index_command(index, *options);
  }
  return code_when_told("teleportctl", *code, exit_failed);
}

}  // namespace
}  // namespace teleport

int main(int argc, char** argv) {
  teleport::start_program();
  return teleport::main_of_teleportctl(argc, argv);
}
