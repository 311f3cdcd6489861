// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/options.hpp"

#include <array>
#include <utility>

#include <CLI/CLI.hpp>

#include "xl-teleport/setup/command_line.hpp"
#include "xl-teleport/setup/host_port.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/reconnect.hpp"

namespace teleport {

namespace {

/// Seconds: less than libxl itself takes.
constexpr double least_downtime = 0.01;

constexpr const char* footer = R"(
Exit codes: 0 moved; 1 failed, the guest runs here as before; 2 usage;
3 refused before anything was touched; 4 moved, but something was left behind
here; 5 unknown: teleportd goes on asking, --recover says more.
See xl-teleport(1).)";

// What is not in move_options as it was typed.
struct typed_words {
  std::string where;
  double wanted = 0;
  double longest = 0;
  bool non_live = false;
  bool no_progress = false;
  bool runs_here = false;
  bool runs_there = false;
};

void add_downtime_options(CLI::App& app, typed_words& typed) {
  app.add_flag("--non-live",
               typed.non_live,
               "suspend the guest while its memory is sent (a PV guest's way)");
  add_seconds_option(app,
                     "--downtime",
                     typed.wanted,
                     least_downtime,
                     "the downtime that the rounds aim at");
  add_seconds_option(app,
                     "--max-downtime",
                     typed.longest,
                     least_downtime,
                     "the downtime above which the move is given up, and the "
                     "suspended guest resumed here");
}

void add_output_options(CLI::App& app, move_options& out, typed_words& typed) {
  app.add_flag("--json", out.json, "progress and report as lines of JSON");
  app.add_flag("--no-progress", typed.no_progress, "the report alone");
  app.add_flag("-q,--quiet", out.quiet, "nothing but errors");
  app.add_flag("-v,--verbose", out.verbose, "log what happens");
}

void add_recover_options(CLI::App& app, move_options& out, typed_words& typed) {
  app.add_flag("--recover",
               out.recover,
               "take up a teleport that was killed or had no answer, on "
               "either host, and end in exactly one running copy");
  auto* here = app.add_flag("--runs-here",
                            typed.runs_here,
                            "with --recover: a person looked, and DOMAIN is to "
                            "run on this host alone");
  auto* there = app.add_flag("--runs-there",
                             typed.runs_there,
                             "with --recover: a person looked, and DOMAIN runs "
                             "on the other host, or belongs there");
  here->excludes(there);
  app.add_flag("--yes", out.yes, "do not ask again whether that is so");
  add_seconds_option(app,
                     "--ask-limit",
                     out.ask_limit,
                     std::chrono::seconds(1),
                     "how long to ask the destination after a lost answer");
}

/// What the environment may have in the place of an option: pace and downtime
/// alone. Nothing that names a host or a state, decides where a guest runs, or
/// changes what a caller reads.
void read_environment(CLI::App& app) {
  constexpr std::array<std::pair<const char*, const char*>, 5> variables{
      {{"--bwlimit", "XL_TELEPORT_BWLIMIT"},
       {"--connections", "XL_TELEPORT_CONNECTIONS"},
       {"--reconnect", "XL_TELEPORT_RECONNECT"},
       {"--downtime", "XL_TELEPORT_DOWNTIME"},
       {"--max-downtime", "XL_TELEPORT_MAX_DOWNTIME"}}};
  for (const auto& [option, variable] : variables) {
    app.get_option(option)->envname(variable);
  }
}

// What no option can check by itself. Throws CLI::ParseError.
void check_together(const CLI::App& app,
                    const typed_words& typed,
                    move_options& out) {
  if (app.count("DOMAIN") == 0) {
    throw CLI::RequiredError("DOMAIN");
  }
  if (!out.recover && app.count("HOST") == 0) {
    throw CLI::RequiredError("HOST");
  }
  if (app.count("HOST") != 0 && !split_host(typed.where, out.host, out.port)) {
    throw CLI::ValidationError("HOST", host_fault(typed.where));
  }
  if ((typed.runs_here || typed.runs_there) && !out.recover) {
    throw CLI::ValidationError("--runs-here, --runs-there",
                               "they go with --recover");
  }
  if (typed.wanted > typed.longest) {
    throw CLI::ValidationError("--downtime",
                               "it is longer than --max-downtime");
  }
}

}  // namespace

std::optional<move_options> read_options(int argc, char** argv, int& code) {
  move_options out;
  CLI::App app{
      "Moves a running guest with its local disks to another Xen host.",
      "xl teleport"};
  set_help_form(app);
  app.footer(footer);
  typed_words typed;
  typed.wanted = out.downtime.wanted.count();
  typed.longest = out.downtime.longest.count();
  out.settings_file = default_settings_file;
  app.add_option("DOMAIN", out.guest, "the guest: name or id");
  app.add_option(
      "HOST", typed.where, "the destination: HOST or HOST:PORT; paired before");
  add_port_option(app, out.port, "port of teleportd there");
  add_peer_option(app, out.peer);
  app.add_flag("-n,--dry-run", out.dry_run, "check everything, touch nothing");
  add_downtime_options(app, typed);
  add_bwlimit_option(app, out.bwlimit);
  add_connections_option(app, out.connections);
  add_reconnect_option(app, out.reconnect_limit);
  add_output_options(app, out, typed);
  add_config_option(app, out.settings_file);
  add_recover_options(app, out, typed);
  read_environment(app);
  add_version_option(app, "xl-teleport");
  try {
    app.parse(argc, argv);
    check_together(app, typed, out);
  } catch (const CLI::ParseError& failure) {
    code = exit_of_parser(app, failure);
    return std::nullopt;
  }
  if (typed.runs_here || typed.runs_there) {
    out.by_hand = typed.runs_here ? decision::runs_here : decision::runs_there;
  }
  out.live = !typed.non_live;
  out.show_progress = !typed.no_progress && !out.quiet;
  out.downtime = {seconds(typed.wanted), seconds(typed.longest)};
  if (out.live || app.count("--max-downtime") != 0) {
    out.downtime_limit = out.downtime.longest;
  }
  out.settings_named = app.count("--config") != 0;
  return out;
}

}  // namespace teleport
