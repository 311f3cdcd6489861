// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/recover_departure.cpp: recover()'s half at the source.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iostream>
#include <optional>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/migrate/handover.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/session/recovery.hpp"
#include "xl-teleport/by_hand.hpp"
#include "xl-teleport/recover.hpp"
#include "xl-teleport/source/autostart.hpp"
#include "xl-teleport/source/departure.hpp"
#include "xl-teleport/source/fate_query.hpp"

namespace teleport {

namespace {

/// Before a person's word counts, the destination is asked for so long.
constexpr std::chrono::seconds by_hand_ask_limit{5};

exit_code complain(const std::string& sentence, exit_code code) {
  std::cerr << "xl teleport: " << sentence << '\n';
  return code;
}

/// What the destination said, and what kept it from saying more.
struct answer_heard {
  std::optional<destination_fate> fate;
  std::string why_not;
};

/// The destination, as source_session wrote it to the journal: "[HOST]:PORT",
/// or where the user says that the same host is now.
std::optional<fate_query::target> peer_of(const journal_entry& entry,
                                          const move_options& options,
                                          const settings& config) {
  fate_query::target whom{config.keys,
                          options.host,
                          options.port,
                          entry.peer_key,
                          {entry.id, entry.uuid}};
  if (!options.host.empty()) {
    return whom;
  }
  const auto end = entry.peer.rfind("]:");
  if (!entry.peer.starts_with('[') || end == std::string::npos) {
    return std::nullopt;
  }
  whom.host = entry.peer.substr(1, end - 1);
  const char* digits = entry.peer.data() + end + 2;
  const char* last = entry.peer.data() + entry.peer.size();
  const auto [stop, failure] = std::from_chars(digits, last, whom.port);
  return failure == std::errc() && stop == last ? std::optional(whom)
                                                : std::nullopt;
}

answer_heard ask(const fate_query::target& whom, std::chrono::seconds limit) {
  event_loop loop(1);
  answer_heard heard;
  fate_query query(
      loop, whom, limit, [&](std::optional<destination_fate> fate) {
        heard.fate = fate;
        loop.stop();
      });
  query.ask();
  loop.run();
  heard.why_not =
      heard.fate == destination_fate::uncertain
          ? "says that GO came, or may have, and that the guest is not there"
          : query.heard();
  return heard;
}

/// One departure: each act says in one paragraph what was done.
class departure_recovery {
 public:
  departure_recovery(journal& entries,
                     journal_entry entry,
                     departure plan,
                     const settings& config)
      : journal_(entries),
        entry_(std::move(entry)),
        plan_(std::move(plan)),
        config_(config) {}

  exit_code act(recovery what, const std::string& where);
  void decided_by_hand() noexcept { entry_.by_hand = true; }

 private:
  exit_code resume();
  exit_code start();
  exit_code clear_away(const std::string& where);
  /// Tells of a write that failed.
  bool write(journal_state state);
  /// `code` once the journal says so, too.
  exit_code close(journal_state state, const std::string& said, exit_code code);

  journal& journal_;
  journal_entry entry_;
  departure plan_;
  const settings& config_;
};

bool departure_recovery::write(journal_state state) {
  entry_.state = state;
  const auto written = journal_.write(entry_);
  if (!written) {
    std::cerr << "xl teleport: the journal could not be written: "
              << written.error().context << '\n';
  }
  return written.has_value();
}

exit_code departure_recovery::close(journal_state state,
                                    const std::string& said,
                                    exit_code code) {
  std::cout << said << '\n';
  if (write(state)) {
    return code;
  }
  const bool moved = has_moved(state);
  return complain(
      fmt::format("the journal still says otherwise: once it can be written, "
                  "run 'xl teleport --recover {}' again",
                  entry_.guest),
      moved ? exit_code::not_cleared : exit_code::uncertain);
}

exit_code departure_recovery::resume() {
  const auto resumed = resume_here(plan_);
  if (!resumed) {
    return complain(fmt::format("{} belongs here and runs nowhere else, and "
                                "could not be resumed: {}",
                                entry_.guest,
                                resumed.error().context),
                    exit_code::uncertain);
  }
  return close(
      journal_state::home,
      fmt::format("{} never ran there; it goes on here.", entry_.guest),
      exit_code::stayed);
}

exit_code departure_recovery::start() {
  const bool was_set_aside =
      must_be_set_aside(entry_.state) && plan_.boot != this_boot();
  auto back = bring_disks_back(plan_, config_);
  if (back) {
    back = show_autostart({entry_.guest, entry_.uuid});
  }
  if (!back) {
    return complain(
        fmt::format("{} never ran there and runs nowhere; its disks "
                    "could not be brought back: {}",
                    entry_.guest,
                    back.error().context),
        exit_code::uncertain);
  }
  // What xendomains would have started at boot, had the disks been there.
  const auto configuration =
      was_set_aside ? autostart_of({entry_.guest, entry_.uuid}) : std::nullopt;
  if (configuration) {
    const auto started = start_guest(*configuration);
    return close(
        journal_state::home,
        started
            ? fmt::format("{} never ran there, and its memory is lost; it "
                          "was started here, from {}.",
                          entry_.guest,
                          *configuration)
            : fmt::format("{} never ran there, and its memory is lost. Its "
                          "disks are in their place; start it here with 'xl "
                          "create': {} could not be: {}",
                          entry_.guest,
                          *configuration,
                          started.error().context),
        exit_code::stayed);
  }
  return close(journal_state::home,
               fmt::format("{} never ran there, and here no domain of it is "
                           "left. Its disks are in their place: start it here "
                           "with 'xl create'.",
                           entry_.guest),
               exit_code::stayed);
}

exit_code departure_recovery::clear_away(const std::string& where) {
  const bool noted = write(journal_state::moved);
  const auto cleared = teleport::clear_away(plan_, config_);
  if (!cleared) {
    return complain(fmt::format("{} runs at {}; {}. Never start it from there, "
                                "and run 'xl teleport --recover {}' again",
                                entry_.guest,
                                where,
                                cleared.error().context,
                                entry_.guest),
                    exit_code::not_cleared);
  }
  const auto code =
      close(journal_state::cleared,
            fmt::format("{} runs there; its copy here is cleared away.",
                        entry_.guest),
            exit_code::moved);
  return noted ? code : exit_code::not_cleared;
}

exit_code departure_recovery::act(recovery what, const std::string& where) {
  switch (what) {
    case recovery::resume:
      return resume();
    case recovery::start:
      return start();
    case recovery::clear_away:
      return clear_away(where);
    case recovery::runs_here:
      return close(journal_state::home,
                   entry_.guest + " runs here, and never ran there.",
                   exit_code::stayed);
    case recovery::came_back:
      return close(journal_state::cleared,
                   entry_.guest +
                       " ran there and is here again: there is "
                       "nothing to recover.",
                   exit_code::stayed);
    case recovery::runs_twice:
      return complain(
          fmt::format("{0} RUNS TWICE: here, and at {1}, each on a disk of its "
                      "own. Stop one of the two now: look at both which has "
                      "what counts. If it is the one at {1}, 'xl destroy' the "
                      "one here and run 'xl teleport --recover {0}' again",
                      entry_.guest,
                      where),
          exit_code::uncertain);
    case recovery::nothing:
    case recovery::ask:
    case recovery::unknown:
      break;
  }
  return exit_code::uncertain;
}

std::string here_sentence(remains here, const journal_entry& entry) {
  switch (here) {
    case remains::none:
      return "Here no domain of it is left";
    case remains::suspended:
      return fmt::format("Here it is suspended (domain {})", entry.domid);
    case remains::dying:
      return fmt::format("Here it is half destroyed (domain {})", entry.domid);
    case remains::resumed:
    case remains::another:
      return "HERE IT RUNS: pause it, until it is known";
  }
  return "";
}

exit_code tell_unknown(const journal_entry& entry,
                       remains here,
                       const std::string& where,
                       const std::string& why) {
  return complain(
      fmt::format(
          "it is not known whether {0} runs at {1}, which {2}. {3}. teleportd "
          "goes on asking by itself. A person can decide: look there with 'xl "
          "list' and at its disks; 'xl teleport --recover {0}' there says what "
          "that host knows. If it runs or ran there, say here 'xl teleport "
          "--recover {0} --runs-there'; if it never ran there and nobody will "
          "start it there, 'xl teleport --recover {0} --runs-here'. Before "
          "that "
          "neither resume, destroy nor start it by hand",
          entry.guest,
          where,
          why.empty() ? "was not asked" : why,
          here_sentence(here, entry)),
      exit_code::uncertain);
}

/// A person's word, unless the destination knows better.
std::optional<destination_fate> fate_by_hand(const journal_entry& entry,
                                             const move_options& options,
                                             const std::string& where) {
  const bool there = options.by_hand == decision::runs_there;
  const std::string warning =
      there ? fmt::format(
                  "what is left of {0} here will be destroyed, and its disks "
                  "set aside. It must run at {1}, or have run there: 'xl list' "
                  "there has it, or its disks there have newer contents",
                  entry.guest,
                  where)
            : fmt::format(
                  "{0} will go on here. It must not run at {1}, never have run "
                  "there, and never be started there: 'xl list' there does not "
                  "have it, /etc/xen/auto there does not, and its disks there "
                  "were not written after the teleport. Say the same there: "
                  "'xl teleport --recover {0} --runs-there'",
                  entry.guest,
                  where);
  if (!is_confirmed(warning,
                    entry.guest + (there ? " runs there" : " runs here"),
                    options.yes,
                    ::isatty(STDIN_FILENO) == 1,
                    std::cin,
                    std::cerr)) {
    return std::nullopt;
  }
  return there ? destination_fate::running : destination_fate::abandoned;
}

}  // namespace

exit_code recover_departure(journal& entries,
                            const journal_entry& entry,
                            const move_options& options,
                            const settings& config) {
  const auto plan = read_departure(entry.disks);
  if (!plan) {
    return complain(
        plan.error().context,
        has_moved(entry.state) ? exit_code::not_cleared : exit_code::uncertain);
  }
  const auto here = look_for(*plan);
  if (!here) {
    return complain(here.error().context, exit_code::uncertain);
  }
  if (options.by_hand == decision::runs_there &&
      entry.state == journal_state::moving) {
    return complain(entry.guest + " was never given to " + entry.peer +
                        ": it cannot run there by this teleport",
                    exit_code::usage);
  }
  departure_recovery settled(entries, entry, *plan, config);
  const recovery first = recovery_of(entry.state, *here);
  if (first != recovery::ask) {
    return settled.act(first, entry.peer);
  }
  const auto whom = peer_of(entry, options, config);
  const auto heard =
      whom
          ? ask(*whom,
                options.by_hand ? std::min(options.ask_limit, by_hand_ask_limit)
                                : options.ask_limit)
          : answer_heard{std::nullopt, "the journal does not name"};
  const std::string where = whom ? whom->host : entry.peer;
  recovery what = recovery_of(heard.fate, *here);
  if (what == recovery::unknown && options.by_hand) {
    const auto fate = fate_by_hand(entry, options, where);
    if (!fate) {
      return exit_code::usage;
    }
    settled.decided_by_hand();
    what = recovery_of(*fate, *here);
  } else if (options.by_hand) {
    std::cerr << "xl teleport: " << where
              << " knows what became of it: its answer counts\n";
  }
  return what == recovery::unknown
             ? tell_unknown(entry, *here, where, heard.why_not)
             : settled.act(what, where);
}

}  // namespace teleport
