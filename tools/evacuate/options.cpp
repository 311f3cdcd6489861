// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "tools/evacuate/command.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/host_name.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport::evacuation {

namespace {

/// More teleports at once than this help no link.
constexpr std::size_t max_parallel = 64;

/// A host that has gone is noticed after three unanswered questions.
constexpr const char* default_shell =
    "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15";

constexpr const char* footer = R"(
Exit codes: 0 all moved, or nothing to move; 1 some stayed; 2 usage; 3 nothing
was begun; 4 all moved, but something was left behind; 5 unknown for at least
one guest: look at both hosts. See teleport-evacuate(8).)";

/// Each once, in their order.
std::vector<std::string> unique(std::vector<std::string> list) {
  std::vector<std::string> kept;
  for (std::string& one : list) {
    if (std::ranges::find(kept, one) == kept.end()) {
      kept.push_back(std::move(one));
    }
  }
  return kept;
}

/// What the options say together.
void check(const run_options& out, bool all) {
  if (out.back ? !out.hosts.empty() : out.hosts.empty()) {
    throw CLI::ValidationError(
        "--to",
        out.back ? "with --back the record says where the guests are"
                 : "it is needed: --to HOST[,HOST...], each paired before");
  }
  if (all && !out.guests.empty()) {
    throw CLI::ValidationError("--all", "it excludes --guests");
  }
  for (const std::string& host : out.hosts) {
    if (!is_host_name(host)) {
      throw CLI::ValidationError("--to", "'" + host + "' is not a host");
    }
  }
  for (const auto* names : {&out.guests, &out.except}) {
    if (std::ranges::find(*names, "") != names->end()) {
      throw CLI::ValidationError(names == &out.guests ? "--guests" : "--except",
                                 "an empty name");
    }
  }
  if (out.back && (!is_host_name(out.home) || out.remote_shell.empty())) {
    throw CLI::ValidationError("--home, --ssh",
                               "not a host's name, or no program");
  }
}

}  // namespace

std::optional<run_options> read_options(int argc, char** argv, int& code) {
  run_options out;
  CLI::App app{"Moves this host's guests to other hosts, or brings them home.",
               "teleport-evacuate"};
  app.footer(footer);
  out.settings_file = default_settings_file;
  out.home = host_name();
  bool all = false;
  std::string window;
  std::string at_close = "finish";
  std::string shell = default_shell;
  std::int64_t pause = out.retry_pause.count();
  app.add_option("--to", out.hosts, "destinations, separated by commas")
      ->delimiter(',');
  app.add_flag(
      "--all", all, "every guest here; so it is unless said otherwise");
  app.add_option("--guests", out.guests, "only these, separated by commas")
      ->delimiter(',');
  app.add_option("--except", out.except, "never these, separated by commas")
      ->delimiter(',');
  app.add_option("--parallel", out.parallel, "teleports at once")
      ->check(CLI::Range(std::size_t{1}, max_parallel));
  app.add_option("--window",
                 window,
                 "HH:MM-HH:MM, this host's time: begin nothing outside of it");
  app.add_option("--at-close",
                 at_close,
                 "what runs when the window closes: finish or cancel it")
      ->check(CLI::IsMember({"finish", "cancel"}));
  add_bwlimit_option(app, out.bwlimit);
  app.add_option("--retry-pause",
                 pause,
                 "seconds from a failure to the second try at the earliest")
      ->check(CLI::Range(0, 86400));
  app.add_flag("--all-or-nothing",
               out.all_or_nothing,
               "begin nothing when anything stands in the way of any guest");
  app.add_flag("--back", out.back, "bring home what was sent away from here");
  app.add_option("--home",
                 out.home,
                 "with --back: this host's name there (its host name)");
  app.add_option(
      "--ssh", shell, "with --back: the program that runs a command there");
  app.add_flag("-n,--dry-run", out.dry_run, "plan, and touch nothing");
  app.add_flag("--json", out.json, "each event as a line of JSON");
  app.add_flag("-q,--quiet", out.quiet, "say only what did not go well");
  auto* config = app.add_option("-c,--config", out.settings_file, "settings");
  app.set_version_flag("--version", "teleport-evacuate " TELEPORT_VERSION);
  try {
    app.parse(argc, argv);
    out.remote_shell = words_of(shell);
    out.hosts = unique(std::move(out.hosts));
    out.guests = unique(std::move(out.guests));
    out.except = unique(std::move(out.except));
    check(out, all);
    if (!window.empty()) {
      const auto read = read_window(window);
      if (!read) {
        throw CLI::ValidationError("--window", read.error().context);
      }
      out.window = *read;
    }
  } catch (const CLI::ParseError& failure) {
    code = exit_of_parser(app.exit(failure));
    return std::nullopt;
  }
  out.cancel_at_close = at_close == "cancel";
  out.retry_pause = std::chrono::seconds(pause);
  out.settings_named = config->count() != 0;
  return out;
}

}  // namespace teleport::evacuation
