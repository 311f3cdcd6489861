// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/teleport-evacuate.cpp: moves a host's guests away, in the
// night or before maintenance, and brings them home again.

#include <ctime>
#include <filesystem>
#include <iostream>
#include <utility>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/program_start.hpp"
#include "libteleport/base/progress_wish.hpp"
#include "libteleport/base/standard_streams.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "tools/evacuate/aftermath.hpp"
#include "tools/evacuate/evacuation_run.hpp"
#include "tools/evacuate/logbook.hpp"
#include "tools/evacuate/options.hpp"
#include "xl-teleport/setup/running_job.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport::evacuation {
namespace {

int complain(const std::string& sentence, exit_code code) {
  std::cerr << "teleport-evacuate: " << sentence << '\n';
  return static_cast<int>(code);
}

/// Beside us, as both are installed; where it is not (a tree that is built),
/// in its folder there.
std::string xl_teleport_path() {
  std::error_code failure;
  const auto here =
      std::filesystem::read_symlink("/proc/self/exe", failure).parent_path();
  const auto beside = here / "xl-teleport";
  return std::filesystem::is_regular_file(beside, failure)
             ? beside
             : here.parent_path() / "xl-teleport" / "xl-teleport";
}

result<std::vector<guest_seen>> guests_here() {
  const auto xen = toolstack::open();
  return xen ? (*xen)->guests() : result<std::vector<guest_seen>>(xen.error());
}

std::chrono::seconds since_midnight() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  (void)::localtime_r(&now, &parts);
  return std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) +
         std::chrono::seconds(parts.tm_sec);
}

job told_job(const run_options& options) {
  job about;
  about.kind = job_kind::evacuation;
  about.line = "begins";
  about.host = options.back ? options.home : "";
  for (const std::string& host : options.hosts) {
    about.host += (about.host.empty() ? "" : ", ") + host;
  }
  return about;
}

int run(const run_options& options, const settings& config) {
  auto lock = options.dry_run ? result<unique_fd>(unique_fd())
                              : take_lock(config.run_path, "evacuation");
  if (!lock) {
    const error& cause = lock.error();
    return complain(
        cause.code == errc::busy
            ? "another evacuation of this host is under way: " + cause.context
            : cause.context,
        exit_code::nothing_done);
  }
  auto kept = record::open(config.state_path + "/evacuation");
  if (!kept) {
    return complain(kept.error().context, exit_code::nothing_done);
  }
  machine here;
  here.xl_teleport = xl_teleport_path();
  here.guests = guests_here;
  here.since_midnight = since_midnight;
  here.departure_of = [&](const std::string& uuid) {
    return departure_of(config, uuid);
  };
  past_run past;
  if (!options.dry_run) {
    auto found = take_up(*kept, options.back, here, config);
    if (!found) {
      return complain(found.error().context, exit_code::nothing_done);
    }
    past = std::move(*found);
  }
  running_job told(config);
  if (!options.dry_run) {
    told.begin(told_job(options));
  }
  event_loop loop(1);
  job_ticker ticker(loop, told);
  here.tell_progress = [&](const std::string& line) { ticker.note({line}); };
  exit_code code = exit_code::nothing_done;
  evacuation_run one(loop, options, here, &*kept, [&](exit_code outcome) {
    code = outcome;
    loop.stop();
  });
  bool stopped = false;
  loop.on_stop_signal([&](int) {
    stopped = true;
    one.stop();
  });
  loop.post([&] { one.start(past); });
  loop.run();
  loop.join();
  told.end({stopped                        ? "cancelled"
            : code == exit_code::all_moved ? "moved"
                                           : "not all moved",
            one.summary()});
  return static_cast<int>(code);
}

int main_of_evacuate(int argc, char** argv) {
  int code = 0;
  const auto options = read_options(argc, argv, code);
  if (!options) {
    return code;
  }
  log_setup("teleport-evacuate", log_level::warning);
  const auto config =
      load_settings(options->settings_file, options->settings_named);
  if (!config) {
    return complain(config.error().context, exit_code::usage);
  }
  hold_progress_wishes();
  // The code says where the guests are, whether or not that was read.
  return code_when_told("teleport-evacuate",
                        run(*options, *config),
                        static_cast<int>(exit_code::all_moved));
}

}  // namespace
}  // namespace teleport::evacuation

int main(int argc, char** argv) {
  teleport::start_program();
  return teleport::evacuation::main_of_evacuate(argc, argv);
}
