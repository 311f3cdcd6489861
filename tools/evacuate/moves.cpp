// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/moves.cpp: the moves of an evacuation, and its end.

#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/json_text.hpp"
#include "libteleport/base/log.hpp"
#include "tools/evacuate/command.hpp"
#include "tools/evacuate/evacuation_run.hpp"
#include "xl-teleport/source/options.hpp"

namespace teleport::evacuation {

namespace {

using nlohmann::json;

/// The window is looked at this often, so that a clock that is set counts.
constexpr std::chrono::seconds window_interval{30};

std::string sentence_of(const json& report, const program_end& end) {
  if (report.is_object()) {
    const auto at = report.find("sentence");
    if (at != report.end() && at->is_string() &&
        !at->get_ref<const std::string&>().empty()) {
      return at->get<std::string>();
    }
  }
  if (end.signal != 0) {
    return fmt::format("the teleport was ended by signal {}", end.signal);
  }
  return end.said.empty() ? fmt::format("exit code {}", end.code) : end.said;
}

}  // namespace

json evacuation_run::about(const char* event, std::size_t move) const {
  const one_move& one = moves_[move];
  return {{"event", event},
          {"guest", one.guest.name},
          {"uuid", one.guest.uuid},
          {"to", one.host},
          {"try", schedule_->tries(move)},
          {"ended", schedule_->ended()},
          {"of", moves_.size()}};
}

result<std::optional<guest_seen>> evacuation_run::find_here(
    const std::string& uuid) {
  const auto here = here_.guests();
  if (!here) {
    return here.error();
  }
  std::optional<guest_seen> found;
  for (const guest_seen& one : *here) {
    if (one.uuid == uuid && (!found || is_alive(one))) {
      found = one;
    }
  }
  return found;
}

/// Calls go_on() now and, where there is a window, at each look at the clock.
void evacuation_run::watch_window() {
  go_on();
  if (options_.window && !over_ && !schedule_->is_closed()) {
    const auto left = until_close(*options_.window, here_.since_midnight());
    window_timer_ = loop_.after(std::min(left, window_interval),
                                [this] { watch_window(); });
  }
}

void evacuation_run::close(const char* event,
                           const std::string& words,
                           bool cancel) {
  std::vector<std::size_t> running;
  if (schedule_) {
    schedule_->close();
    running = schedule_->running();
  }
  json names = json::array();
  for (const std::size_t move : running) {
    names.push_back(moves_[move].guest.name);
  }
  tell({{"event", event}, {"running", names}, {"cancel", cancel}}, words, true);
  if (cancel) {
    for (const std::size_t move : running) {
      if (moves_[move].guest.at.empty()) {
        moves_[move].child->cancel();
      } else {
        moves_[move].child->hang_up();  // its shell has yet to bring the report
      }
    }
  }
}

void evacuation_run::stop() {
  if (over_) {
    return;
  }
  close("stopping", "stopping: what runs is cancelled", true);
  if (!schedule_) {
    preflight_.stop();
    for (const candidate& guest : guests_) {
      endings_.push_back({guest.name, {}, fate::not_started, "stopped"});
    }
    finish();
    return;
  }
  go_on();
}

void evacuation_run::go_on() {
  if (over_) {
    return;
  }
  if (options_.window && !schedule_->is_closed() &&
      !is_open(*options_.window, here_.since_midnight())) {
    close("window_closed",
          "the window is closed: nothing more is begun",
          options_.cancel_at_close);
  }
  // A move may end at once, which makes room for the next.
  for (auto due = schedule_->due(clock::now()); !due.empty();
       due = schedule_->due(clock::now())) {
    for (const std::size_t move : due) {
      begin(move);
    }
  }
  if (schedule_->is_over()) {
    look_again();
    finish();
    return;
  }
  wake_ = timer();
  if (const auto next = schedule_->next_due()) {
    const auto pause =
        std::chrono::ceil<std::chrono::milliseconds>(*next - clock::now());
    wake_ = loop_.after(std::max(pause, std::chrono::milliseconds(0)),
                        [this] { go_on(); });
  }
}

void evacuation_run::begin(std::size_t move) {
  one_move& one = moves_[move];
  const auto seen = find_here(one.guest.uuid);
  if (!seen) {
    one.sentence = seen.error().context;
    note(move, outcome::failed);
    return;
  }
  const auto& found = *seen;
  if (one.guest.at.empty()) {
    if (!found || has_ended(found->state)) {
      note(move, outcome::gone);
      return;
    }
    one.guest.domid = found->domid;
    one.guest.name = found->name;
  } else if (found && is_alive(*found)) {
    note(move, outcome::moved);  // it came by another way
    return;
  }
  one.report = {};
  const bool kept =
      tell(about("start", move),
           fmt::format("{}: begins to move to {}{}",
                       one.guest.name,
                       one.host,
                       schedule_->tries(move) > 1 ? ", second try" : ""));
  if (!kept) {
    one.sentence = "the evacuation's record cannot be written";
    note(move, outcome::failed);
    return;
  }
  begun_ = true;
  child_program::events events;
  events.on_line = [this, move](std::string_view line) {
    take_line(move, line);
  };
  events.on_end = [this, move](const program_end& end) { ended(move, end); };
  auto started = child_program::start(
      loop_, command_of(one.guest, one.host, purpose::move), std::move(events));
  if (!started) {
    one.sentence = started.error().context;
    note(move, outcome::failed);
    return;
  }
  one.child = std::move(*started);
}

void evacuation_run::take_line(std::size_t move, std::string_view line) {
  auto said = parse_object(line, max_program_line);
  if (!said) {
    return;
  }
  const auto progress = said->find("progress");
  if (progress != said->end()) {
    story_.progress(moves_[move].guest.name, *progress);
  } else {
    moves_[move].report = std::move(*said);
  }
}

void evacuation_run::ended(std::size_t move, const program_end& end) {
  const outcome what = judge(move, end);
  moves_[move].child.reset();
  note(move, what);
  go_on();
}

outcome evacuation_run::judge(std::size_t move, const program_end& end) {
  one_move& one = moves_[move];
  const std::string why = sentence_of(one.report, end);
  const auto is = [&](teleport::exit_code code) {
    return end.code == static_cast<int>(code);
  };
  one.no_word = !one.guest.at.empty() && !one.report.is_object();
  if (is(teleport::exit_code::moved)) {
    one.sentence.clear();
    return outcome::moved;
  }
  one.sentence = why;
  if (is(teleport::exit_code::not_cleared)) {
    return outcome::not_cleared;
  }
  if (is(teleport::exit_code::uncertain)) {
    return outcome::uncertain;
  }
  if (!one.guest.at.empty()) {
    // The guest may be here although the shell to that host died: look_again()
    // finds it.
    return outcome::failed;
  }
  const auto seen = find_here(one.guest.uuid);
  if (!seen) {
    return outcome::failed;  // it is looked for again before its next try
  }
  const auto& found = *seen;
  if (!(found && is_alive(*found))) {
    switch (here_.departure_of(one.guest.uuid)) {
      case open_departure::waits_for_answer:
        return outcome::uncertain;
      case open_departure::has_left:
        return outcome::not_cleared;
      case open_departure::none:
        break;
    }
  }
  return found && !has_ended(found->state) ? outcome::failed : outcome::gone;
}

/// Tells the schedule and the record what came of a try.
void evacuation_run::note(std::size_t move, outcome what) {
  one_move& one = moves_[move];
  schedule_->on_end(move, what, clock::now());
  json fields = about("failed", move);
  std::string words;
  const bool moved = what == outcome::moved || what == outcome::not_cleared;
  if (moved) {
    fields["event"] = "moved";
    words = fmt::format("{}: moved to {}", one.guest.name, one.host);
    const auto kept =
        one.guest.at.empty()
            ? record_->note_away({one.guest.name, one.guest.uuid, one.host})
            : record_->forget_away(one.guest.uuid);
    if (!kept) {
      log_error(kept.error().context);
    }
  } else if (what == outcome::gone) {
    fields["event"] = "gone";
    words = one.guest.name + gone_words;
  } else if (what == outcome::uncertain) {
    fields["event"] = "uncertain";
    words = fmt::format("{}: {}", one.guest.name, one.sentence);
  } else {
    const bool again = schedule_->of(move) == fate::waiting;
    fields["again"] = again;
    words = fmt::format("{}: {}{}",
                        one.guest.name,
                        one.sentence,
                        again ? "; it is tried once more" : "");
  }
  if (!one.sentence.empty()) {
    fields["sentence"] = one.sentence;
  }
  if (one.report.is_object()) {
    fields["report"] = one.report;
  }
  tell(std::move(fields), words, !moved && what != outcome::gone);
}

/// Xen's list of guests counts, not the report.
void evacuation_run::look_again() {
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    const one_move& one = moves_[i];
    const auto seen = find_here(one.guest.uuid);
    const auto found = seen ? *seen : std::nullopt;
    const bool here = found && is_alive(*found);
    const bool home = !one.guest.at.empty();
    const fate at = schedule_->of(i);
    const bool moved = at == fate::moved || at == fate::not_cleared;
    ending last{one.guest.name, one.host, at, one.sentence};
    if (!seen) {
      if (moved) {
        last.at = fate::uncertain;
      }
      last.sentence += (last.sentence.empty() ? "" : "; ") +
                       std::string("it cannot be looked for here: ") +
                       seen.error().context;
    } else if (home && here && at == fate::failed) {
      last.at = fate::moved;
      last.sentence.clear();
      (void)record_->forget_away(one.guest.uuid);
    } else if (at == fate::failed && one.no_word) {
      last.at = fate::uncertain;
      last.sentence = "no word of it from " + one.guest.at +
                      ": look there with 'xl list' (" + one.sentence + ")";
    } else if (moved && here != home) {
      last.at = fate::uncertain;
      last.sentence = home ? "it was to be here, and is not: look at " +
                                 one.guest.at + " with 'xl list'"
                           : "it was to be there, and is here as well: look "
                             "at both hosts with 'xl list'";
    } else if (!home && !found && at == fate::not_started) {
      last.at = fate::gone;
    } else if (at == fate::not_started) {
      last.sentence = "its turn had not come when the time was over";
    }
    endings_.push_back(std::move(last));
  }
  moves_.clear();
}

void evacuation_run::finish() {
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    endings_.push_back({moves_[i].guest.name,
                        moves_[i].host,
                        schedule_->of(i),
                        moves_[i].sentence});
  }
  const exit_code code = verdict(endings_, begun_);
  story_.over(endings_, code);
  end(code);
}

}  // namespace teleport::evacuation
