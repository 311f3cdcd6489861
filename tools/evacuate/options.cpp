// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/options.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/evacuate/command.hpp"
#include "xl-teleport/setup/command_line.hpp"
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

/// The names between the commas, each once, in their order. An empty one is
/// kept: CLI11's own delimiter drops it, and with it what was meant.
std::vector<std::string> names_in(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words) {
    for (std::size_t at = 0; at <= word.size();) {
      const std::size_t end = std::min(word.find(',', at), word.size());
      std::string name = word.substr(at, end - at);
      if (std::ranges::find(names, name) == names.end()) {
        names.push_back(std::move(name));
      }
      at = end + 1;
    }
  }
  return names;
}

/// Options whose words are read after the parsing.
struct typed_words {
  bool all = false;
  std::string window;
  std::string at_close = "finish";
  std::string shell = default_shell;
};

/// What the options say together, and what no option can check by itself.
void check(run_options& out, const typed_words& typed) {
  if (out.back ? !out.hosts.empty() : out.hosts.empty()) {
    throw CLI::ValidationError(
        "--to",
        out.back ? "with --back the record says where the guests are"
                 : "it is needed: --to HOST[,HOST...], each paired before");
  }
  if (typed.all && !out.guests.empty()) {
    throw CLI::ValidationError("--all", "it excludes --guests");
  }
  const std::array<std::pair<const char*, const std::vector<std::string>*>, 3>
      lists = {{{"--to", &out.hosts},
                {"--guests", &out.guests},
                {"--except", &out.except}}};
  for (const auto& [option, names] : lists) {
    if (std::ranges::find(*names, "") != names->end()) {
      throw CLI::ValidationError(option, "an empty name");
    }
  }
  for (const std::string& host : out.hosts) {
    if (!is_host_name(host)) {
      throw CLI::ValidationError("--to", "'" + host + "' is not a host");
    }
  }
  if (out.back && (!is_host_name(out.home) || out.remote_shell.empty())) {
    throw CLI::ValidationError("--home, --ssh",
                               "not a host's name, or no program");
  }
  if (!typed.window.empty()) {
    const auto read = read_window(typed.window);
    if (!read) {
      throw CLI::ValidationError("--window", read.error().context);
    }
    out.window = *read;
  }
  if (typed.at_close != "finish" && typed.at_close != "cancel") {
    throw CLI::ValidationError(
        "--at-close", "'" + typed.at_close + "' is neither finish nor cancel");
  }
}

void add_guest_options(CLI::App& app, run_options& out, typed_words& typed) {
  app.add_option("--to", out.hosts, "destinations, separated by commas")
      ->type_name("HOST");
  app.add_flag(
      "--all", typed.all, "every guest here; so it is unless said otherwise");
  app.add_option("--guests", out.guests, "only these, separated by commas")
      ->type_name("GUEST");
  app.add_option("--except", out.except, "never these, separated by commas")
      ->type_name("GUEST");
}

void add_pace_options(CLI::App& app, run_options& out, typed_words& typed) {
  add_number_option(
      app,
      "--parallel",
      {"N", 1, max_parallel},
      [&out](std::uint64_t value) { out.parallel = value; },
      "teleports at once")
      .default_str(std::to_string(out.parallel));
  app.add_option("--window",
                 typed.window,
                 "HH:MM-HH:MM, this host's time: begin nothing outside of it")
      ->type_name("HOURS");
  app.add_option("--at-close",
                 typed.at_close,
                 "what runs when the window closes: finish or cancel it")
      ->type_name("WHAT")
      ->default_str(typed.at_close);
  add_bwlimit_option(app, out.bwlimit);
  add_seconds_option(app,
                     "--retry-pause",
                     out.retry_pause,
                     std::chrono::seconds(0),
                     "from a failure to the second try at the earliest");
  app.add_flag("--all-or-nothing",
               out.all_or_nothing,
               "begin nothing when anything stands in the way of any guest");
}

void add_back_options(CLI::App& app, run_options& out, typed_words& typed) {
  app.add_flag("--back", out.back, "bring home what was sent away from here");
  app.add_option("--home",
                 out.home,
                 "with --back: this host's name there (its host name)")
      ->type_name("HOST");
  app.add_option("--ssh",
                 typed.shell,
                 "with --back: the program that runs a command there")
      ->type_name("COMMAND");
}

}  // namespace

std::optional<run_options> read_options(int argc, char** argv, int& code) {
  run_options out;
  CLI::App app{"Moves this host's guests to other hosts, or brings them home.",
               "teleport-evacuate"};
  set_help_form(app);
  app.footer(footer);
  out.settings_file = default_settings_file;
  out.home = host_name();
  typed_words typed;
  add_guest_options(app, out, typed);
  add_pace_options(app, out, typed);
  add_back_options(app, out, typed);
  app.add_flag("-n,--dry-run", out.dry_run, "plan, and touch nothing");
  app.add_flag("--json", out.json, "each event as a line of JSON");
  app.add_flag("-q,--quiet", out.quiet, "say only what did not go well");
  const auto& config = add_config_option(app, out.settings_file);
  add_version_option(app, "teleport-evacuate");
  try {
    app.parse(argc, argv);
    out.remote_shell = words_of(typed.shell);
    for (auto* list : {&out.hosts, &out.guests, &out.except}) {
      *list = names_in(*list);
    }
    check(out, typed);
  } catch (const CLI::ParseError& failure) {
    code = exit_of_parser(app, failure);
    return std::nullopt;
  }
  out.cancel_at_close = typed.at_close == "cancel";
  out.settings_named = config.count() != 0;
  return out;
}

}  // namespace teleport::evacuation
