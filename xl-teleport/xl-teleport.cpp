// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/xl-teleport.cpp: the command. `xl teleport domU host2` comes here
// as `xl-teleport domU host2`.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/allocator.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/program_start.hpp"
#include "libteleport/base/progress_wish.hpp"
#include "libteleport/base/standard_streams.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/xen/guardian.hpp"
#include "xl-teleport/recover.hpp"
#include "xl-teleport/setup/running_job.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/guest_here.hpp"
#include "xl-teleport/source/options.hpp"
#include "xl-teleport/source/reconnect.hpp"
#include "xl-teleport/source/source_host.hpp"
#include "xl-teleport/source/source_session.hpp"
#include "xl-teleport/source/told_job.hpp"
#include "xl-teleport/source/unsettled.hpp"

namespace teleport {
namespace {

/// Threads that read and hash disks; half of disk_mover's jobs, so that each
/// finds its next one waiting.
constexpr unsigned workers = 4;

/// A guest that was restarted has its new domain by then: xl destroys the old
/// one first, which takes seconds.
constexpr std::chrono::seconds reboot_limit{10};

result<bool> is_go_journalled(const std::string& journal_file) {
  const auto entry = journal::read_file(journal_file);
  if (!entry) {
    return entry.error();
  }
  return entry->state == journal_state::go || has_moved(entry->state);
}

int complain(const std::string& sentence, exit_code code) {
  std::cerr << "xl teleport: " << sentence << '\n';
  return static_cast<int>(code);
}

/// Where the guest is that did not move.
std::string words_for(const move_report& report) {
  const std::string others =
      stays_as(report.guest, report.here.value_or(guest_state::running));
  return others.empty() ? report.guest + " runs here as before" : others;
}

void show(const move_report& report,
          exit_code code,
          const move_options& options) {
  const bool well = code == exit_code::moved || code == exit_code::not_cleared;
  if (options.json) {
    std::cout << dump(to_json(report)) << '\n';
  } else if (report.outcome == "moved" && !options.quiet) {
    std::cout << to_text(report);
  } else if (report.outcome == "possible" && !options.quiet) {
    std::cout << report.guest << ": " << report.sentence << '\n';
  }
  if (!well && !(options.json && options.quiet)) {
    std::cerr << "xl teleport: " << report.sentence << '\n';
  }
  if (code == exit_code::stayed) {
    std::cerr << "xl teleport: " << words_for(report)
              << "; what was transferred serves the next attempt\n";
  }
  if (code == exit_code::not_cleared) {
    std::cerr << "xl teleport: " << report.guest << " runs on "
              << report.destination
              << ", but here something was left behind: " << report.sentence
              << '\n';
  }
}

/// One attempt.
struct attempt {
  exit_code code = exit_code::refused;
  move_report report;
  attempt_end end = attempt_end::over;
  bool cancelled = false;
};

attempt in_limbo(const journal_entry& entry, const move_options& options) {
  attempt outcome;
  outcome.code = exit_code::uncertain;
  outcome.report.guest = entry.guest;
  outcome.report.uuid = entry.uuid;
  outcome.report.destination = options.host;
  outcome.report.outcome = "uncertain";
  outcome.report.sentence = limbo_sentence(entry);
  outcome.report.problems = {{"in_limbo", outcome.report.sentence}};
  return outcome;
}

attempt refusal(const move_options& options, const error& cause) {
  attempt outcome;
  outcome.report.guest = options.guest;
  outcome.report.destination = options.host;
  outcome.report.outcome = "refused";
  outcome.report.sentence = cause.context;
  outcome.report.problems = {{std::string(name_of(cause.code)), cause.context}};
  return outcome;
}

/// @param again  the report of the attempt before this, which knows the guest
///               by its uuid; empty at first
/// @param told   of all attempts; a dry run is none
attempt move_once(const move_options& options,
                  const settings& config,
                  const move_report& again,
                  running_job& told) {
  auto name = again.uuid.empty() ? result<std::string>(options.guest)
                                 : wait_for_guest(again.uuid, reboot_limit);
  auto view = name ? look_at_guest(*name, options.live)
                   : result<source_view>(name.error());
  if (const auto limbo = waits_for_answer(
          config.journal_path(), view ? view->guest.uuid : options.guest)) {
    return in_limbo(*limbo, options);
  }
  if (!view) {
    attempt outcome = refusal(options, view.error());
    if (!name && name.error().code == errc::not_found) {
      outcome.report.outcome = "failed";
      outcome.report.sentence = again.sentence;
      outcome.report.here = guest_state::absent;
      outcome.end = attempt_end::over;
    }
    return outcome;
  }
  attempt outcome;
  event_loop loop(workers);
  outcome.code = exit_code::uncertain;
  const guest_info guest = view->guest;
  job_ticker ticker(loop, told);
  source_session session(
      loop, options, config, std::move(*view), [&](exit_code code) {
        outcome.code = code;
        loop.stop();
      });
  loop.on_stop_signal([&](int) {
    outcome.cancelled = true;
    session.cancel();
  });
  session.start();
  if (!options.dry_run) {
    const std::string id = session.report().id;
    told.begin(told_job(job_kind::teleport, guest, options.host, id));
    told.add_attempt(id);
    session.tell_progress(told_to(ticker));
  }
  loop.run();
  loop.join();
  outcome.report = session.report();
  outcome.end = session.ended_as();
  if (outcome.code == exit_code::refused) {
    // The host may be away, or still busy with what became of the last attempt.
    outcome.end = attempt_end::not_there;
  }
  return outcome;
}

/// What the preflight found against a guest does not pass by itself; only what
/// is left of an attempt whose link was lost does.
attempt_end end_of(const attempt& last, bool link_was_lost) {
  const bool final = last.cancelled || last.code == exit_code::uncertain ||
                     (last.code == exit_code::refused &&
                      last.report.room.has_value() && !link_was_lost);
  return final ? attempt_end::over : last.end;
}

/// Moves the guest. A link that is lost while the guest runs here is looked
/// for: what is on the targets stays there, and the next attempt announces it
/// and sends the rest. Once the guest was suspended, another downtime is for
/// whoever called us to decide.
int move(const move_options& options, const settings& config) {
  keep_freed_memory();
  bool touched = false;
  bool link_was_lost = false;
  running_job told(config);
  move_report before;
  attempt last = with_reconnect(
      options.reconnect_limit,
      [&] {
        attempt made = move_once(options, config, before, told);
        touched = touched || made.code != exit_code::refused;
        link_was_lost = link_was_lost || made.end == attempt_end::link_lost ||
                        made.end == attempt_end::memory_lost;
        before = made.report;
        return made;
      },
      [&](const attempt& made) { return end_of(made, link_was_lost); },
      [&](const attempt& failed, std::chrono::seconds pause) {
        const std::string why = fmt::format("{}; {}, trying again in {} s",
                                            failed.report.sentence,
                                            words_for(failed.report),
                                            pause.count());
        told.note({why});
        if (!options.quiet) {
          std::cerr << "xl teleport: " << why << '\n';
        }
      });
  if (last.code == exit_code::refused && touched) {
    last.code = exit_code::stayed;  // earlier attempts touched both hosts
  }
  told.end(told_end(last.report, last.cancelled));
  show(last.report, last.code, options);
  return static_cast<int>(last.code);
}

int main_of_teleport(int argc, char** argv) {
  if (is_guardian_call(argc, argv)) {
    log_setup("xl-teleport guardian", log_level::info);
    return guardian_main(argc, argv, is_go_journalled);
  }
  int code = 0;
  auto options = read_options(argc, argv, code);
  if (!options) {
    return code;
  }
  log_setup("xl teleport",
            options->verbose ? log_level::debug : log_level::warning);
  auto config = load_settings(options->settings_file, options->settings_named);
  if (!config) {
    return complain(config.error().context, exit_code::usage);
  }
  if (options->port == 0) {
    options->port = config->port;
  }
  if (options->connections) {
    config->link.connections = *options->connections;
  }
  if (!options->peer.empty()) {
    config->keys.aliases[options->host] = options->peer;
  }
  hold_progress_wishes();
  code = options->recover ? static_cast<int>(recover(*options, *config))
                          : move(*options, *config);
  // The code says where the guest runs, whether or not the report was read.
  return code_when_told(
      "xl teleport", code, static_cast<int>(exit_code::moved));
}

}  // namespace
}  // namespace teleport

int main(int argc, char** argv) {
  // What a background job writes to its terminal would stop it.
  (void)std::signal(SIGTTOU, SIG_IGN);
  teleport::start_program();
  return teleport::main_of_teleport(argc, argv);
}
