// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/teleportd.cpp: the peer daemon, in one program with the parts
// of its work that are processes of their own: what the options ask for.

#include <string>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/oom_shield.hpp"
#include "libteleport/base/program_start.hpp"
#include "libteleport/base/service_notice.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "libteleport/net/identity.hpp"
#include "tools/teleportd/daemon_process.hpp"
#include "tools/teleportd/index_keeper.hpp"
#include "tools/teleportd/keeper_scan.hpp"
#include "tools/teleportd/own_process.hpp"
#include "tools/teleportd/session_process.hpp"
#include "xl-teleport/destination/leftovers.hpp"
#include "xl-teleport/setup/command_line.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/host_name.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {
namespace {

int run_session_of(const std::string& peer,
                   const std::string& may,
                   const settings& options) {
  give_up_oom_shield();
  // Started as /proc/self/exe, which ps and top would show.
  (void)::prctl(PR_SET_NAME, "teleportd");
  const auto permitted = static_cast<char>(permit::transfer);
  return run_session(
      options,
      peer,
      may == std::string(1, permitted) ? permit::transfer : permit::ask);
}

int main_of_teleportd(int argc, char** argv) {
  CLI::App app{"Receives teleported Xen guests and keeps the content index.",
               "teleportd"};
  set_help_form(app);
  std::string settings_file = default_settings_file;
  bool session = false;
  bool keeper = false;
  bool leftovers = false;
  std::string scan;
  std::string door;
  std::string peer;
  std::string may;
  bool verbose = false;
  const auto& config = add_config_option(app, settings_file);
  bool foreground = true;
  app.add_flag(
      "--foreground", foreground, "stay in the foreground (it always does)");
  app.add_flag("--clear-leftovers",
               leftovers,
               "clear up what sessions left that were killed, and end");
  app.add_option("--door",
                 door,
                 "wait at this socket for teleport-listen, and start none")
      ->type_name("SOCKET");
  app.add_flag("--session", session)->group("");
  app.add_option("--peer", peer)->group("");
  app.add_option("--permit", may)->group("");
  app.add_flag("--keeper", keeper)->group("");
  app.add_option("--scan", scan)->group("");
  std::string device;
  std::string tracker;
  app.add_option("--device", device)->group("");
  app.add_option("--tracker", tracker)->group("");
  app.add_flag("-v,--verbose", verbose, "log more");
  add_version_option(app, "teleportd");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return exit_of_parser(app, failure);
  }
  log_setup(session ? fmt::format("teleportd[{}]", ::getpid()) : "teleportd",
            verbose ? log_level::debug : log_level::info);
  const auto options = load_settings(settings_file, config.count() != 0);
  if (!options) {
    log_error(options.error().context);
    return exit_usage;
  }
  if (::geteuid() != 0) {
    log_error("teleportd must be run as root");
    return exit_failed;
  }
  if (session) {
    return run_session_of(peer, may, *options);
  }
  if (leftovers) {
    clear_leftovers_patiently(*options);
    return exit_ok;
  }
  if (keeper || !scan.empty()) {
    give_up_oom_shield();
    follow_parent(keeper ? "teleportd-keep" : "teleportd-scan");
    return keeper ? run_index_keeper(*options, settings_file)
                  : run_keeper_scan(
                        *options,
                        scan,
                        {standing_folder,
                         device,
                         unique_id::parse(tracker).value_or(unique_id())});
  }
  auto systemd = service_notice::from_environment();
  const auto identity = make_identity(options->keys, host_name());
  if (!identity) {
    log_error(identity.error().context);
    return exit_failed;
  }
  return daemon_process(*options, settings_file, door, std::move(systemd))
      .run();
}

}  // namespace
}  // namespace teleport

int main(int argc, char** argv) {
  teleport::start_program();
  return teleport::main_of_teleportd(argc, argv);
}
