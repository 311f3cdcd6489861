// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/options.hpp"

#include <CLI/CLI.hpp>

#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/host_port.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/reconnect.hpp"

namespace teleport {

namespace {

constexpr const char* footer = R"(
Exit codes: 0 moved; 1 failed, the guest runs here as before; 2 usage;
3 refused before anything was touched; 4 moved, but something was left behind
here; 5 unknown: teleportd goes on asking, --recover says more.
See xl-teleport(1).)";

}  // namespace

std::optional<move_options> read_options(int argc, char** argv, int& code) {
  move_options out;
  CLI::App app{
      "Moves a running guest with its local disks to another Xen host.",
      "xl teleport"};
  app.footer(footer);
  std::string where;
  double wanted = out.downtime.wanted.count();
  double longest = out.downtime.longest.count();
  std::int64_t ask = out.ask_limit.count();
  bool non_live = false;
  bool no_progress = false;
  out.settings_file = default_settings_file;
  auto* domain = app.add_option("DOMAIN", out.guest, "the guest: name or id");
  auto* host = app.add_option(
      "HOST", where, "the destination: HOST or HOST:PORT; paired before");
  app.add_option("-p,--port", out.port, "port of teleportd there");
  add_peer_option(app, out.peer);
  app.add_flag("-n,--dry-run", out.dry_run, "check everything, touch nothing");
  app.add_flag("--non-live",
               non_live,
               "suspend the guest while its memory is sent (a PV guest's way)");
  app.add_option(
         "--downtime", wanted, "seconds of downtime that the rounds aim at")
      ->check(CLI::Range(0.01, 86400.0));
  auto* max_downtime =
      app.add_option("--max-downtime",
                     longest,
                     "seconds of downtime above which the move is given up, "
                     "and the suspended guest resumed here")
          ->check(CLI::Range(0.01, 86400.0));
  add_bwlimit_option(app, out.bwlimit);
  add_connections_option(app, out.connections);
  add_reconnect_option(app, out.reconnect_limit);
  app.add_flag("--json", out.json, "progress and report as lines of JSON");
  app.add_flag("--no-progress", no_progress, "the report alone");
  app.add_flag("-q,--quiet", out.quiet, "nothing but errors");
  app.add_flag("-v,--verbose", out.verbose, "log what happens");
  auto* config = app.add_option("-c,--config", out.settings_file, "settings");
  app.add_flag("--recover",
               out.recover,
               "take up a teleport that was killed or had no answer, on "
               "either host, and end in exactly one running copy");
  bool runs_here = false;
  bool runs_there = false;
  auto* here = app.add_flag("--runs-here",
                            runs_here,
                            "with --recover: a person looked, and DOMAIN is to "
                            "run on this host alone");
  auto* there = app.add_flag("--runs-there",
                             runs_there,
                             "with --recover: a person looked, and DOMAIN runs "
                             "on the other host, or belongs there");
  here->excludes(there);
  app.add_flag("--yes", out.yes, "do not ask again whether that is so");
  app.add_option("--ask-limit",
                 ask,
                 "seconds to ask the destination after a lost answer")
      ->check(CLI::Range(1, 86400));
  app.set_version_flag("--version", "xl-teleport " TELEPORT_VERSION);
  try {
    app.parse(argc, argv);
    if (domain->count() == 0) {
      throw CLI::RequiredError("DOMAIN");
    }
    if (!out.recover && host->count() == 0) {
      throw CLI::RequiredError("HOST");
    }
    if (host->count() != 0 && !split_host(where, out.host, out.port)) {
      throw CLI::ValidationError("HOST",
                                 "'" + where + "' is not HOST or HOST:PORT");
    }
    if ((runs_here || runs_there) && !out.recover) {
      throw CLI::ValidationError("--runs-here, --runs-there",
                                 "they go with --recover");
    }
    if (wanted > longest) {
      throw CLI::ValidationError("--downtime",
                                 "it is longer than --max-downtime");
    }
  } catch (const CLI::ParseError& failure) {
    code = exit_of_parser(app.exit(failure));
    return std::nullopt;
  }
  if (runs_here || runs_there) {
    out.by_hand = runs_here ? decision::runs_here : decision::runs_there;
  }
  out.live = !non_live;
  out.show_progress = !no_progress && !out.quiet;
  out.downtime = {seconds(wanted), seconds(longest)};
  if (out.live || max_downtime->count() != 0) {
    out.downtime_limit = out.downtime.longest;
  }
  out.ask_limit = std::chrono::seconds(ask);
  out.settings_named = config->count() != 0;
  return out;
}

}  // namespace teleport
