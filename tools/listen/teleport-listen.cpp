// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/listen/teleport-listen.cpp: the part of teleportd that the network
// reaches, as programs without rights: what the options ask for.

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/oom_shield.hpp"
#include "libteleport/base/packet_door.hpp"
#include "libteleport/base/program_start.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/visit_records.hpp"
#include "tools/listen/confinement.hpp"
#include "tools/listen/listening.hpp"
#include "tools/listen/speaker.hpp"

namespace teleport {
namespace {

/// As exit_code.hpp has them, which is of a room that this one does not know.
constexpr int exit_wrong_usage = 2;

int main_of_listener(int argc, char** argv) {
  CLI::App app{"Listens for teleportd, without any rights.", "teleport-listen"};
  std::string door = default_listen_door;
  bool given = false;
  bool speak = false;
  bool verbose = false;
  app.add_option("--door", door, "teleportd's socket (default: " + door + ")");
  app.add_flag("--given", given)->group("");
  app.add_flag("--speak", speak)->group("");
  app.add_flag("-v,--verbose", verbose, "log more");
  app.set_version_flag("--version", "teleport-listen " TELEPORT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return app.exit(failure) == 0 ? EXIT_SUCCESS : exit_wrong_usage;
  }
  log_setup(speak ? fmt::format("teleport-listen[{}]", ::getpid())
                  : "teleport-listen",
            verbose ? log_level::debug : log_level::info);
  // Speakers are started as /proc/self/exe, which ps and top would show.
  (void)::prctl(PR_SET_NAME, speak ? "teleport-speak" : "teleport-listen");
  give_up_oom_shield();
  // teleportd lets in whoever is root, or this program's user.
  auto daemon = speak   ? result<unique_fd>(unique_fd())
                : given ? result<unique_fd>(unique_fd(listen_daemon))
                        : connect_to_door(door);
  const auto alone = daemon ? give_up_root() : result<void>(daemon.error());
  if (!alone) {
    log_error(alone.error().context);
    return EXIT_FAILURE;
  }
  if (speak) {
    return run_speaker();
  }
  std::vector<std::string> arguments{"teleport-listen"};
  if (verbose) {
    arguments.emplace_back("--verbose");
  }
  return listening(std::move(*daemon), std::move(arguments)).run();
}

}  // namespace
}  // namespace teleport

int main(int argc, char** argv) {
  teleport::start_program();
  return teleport::main_of_listener(argc, argv);
}
