// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/evacuation_run.cpp: an evacuation until its plan: nothing has
// moved yet.

#include "tools/evacuate/evacuation_run.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/progress_wish.hpp"
#include "tools/evacuate/command.hpp"

namespace teleport::evacuation {

namespace {

using nlohmann::json;

/// Between two looks for SIGUSR1.
constexpr std::chrono::seconds wish_interval{1};

constexpr const char* wait_sentence =
    "an earlier teleport of it waits for its answer: look at both hosts, then "
    "run 'xl teleport --recover' for it";

}  // namespace

evacuation_run::evacuation_run(event_loop& loop,
                               run_options options,
                               machine here,
                               record* kept,
                               std::function<void(exit_code)> finished)
    : loop_(loop),
      options_(std::move(options)),
      here_(std::move(here)),
      record_(kept),
      finished_(std::move(finished)),
      story_(options_.json, options_.quiet),
      preflight_(
          loop,
          [this](std::size_t guest, std::size_t host) {
            return command_of(guests_[guest], hosts_[host], purpose::preflight);
          },
          [this](const probes& found) { planned(found); }) {
  if (!options_.dry_run) {
    story_.record_in(kept);
  }
}

std::vector<std::string> evacuation_run::command_of(const candidate& guest,
                                                    const std::string& host,
                                                    purpose what) const {
  const link_rate rate =
      share_of(what == purpose::move ? options_.bwlimit : 0,
               std::clamp(moves_.size(), std::size_t{1}, options_.parallel));
  if (!guest.at.empty()) {
    return command_at(options_.remote_shell,
                      guest.at,
                      teleport_arguments(what, guest.name, host, "", rate));
  }
  auto argv =
      teleport_arguments(what,
                         named_for_xl(guest.name, guest.domid),
                         host,
                         options_.settings_named ? options_.settings_file : "",
                         rate);
  argv.insert(argv.begin(), here_.xl_teleport);
  return argv;
}

void evacuation_run::start(const past_run& past) {
  hosts_ =
      options_.back ? std::vector<std::string>{options_.home} : options_.hosts;
  json begin = {{"event", past.any && !past.over ? "resumed" : "begin"},
                {"back", options_.back},
                {"to", hosts_},
                {"parallel", options_.parallel}};
  tell(std::move(begin), "");
  look_for_wish();
  const auto chosen = options_.back ? choose_away() : choose_guests(past);
  if (!chosen) {
    tell({{"event", "error"}, {"sentence", chosen.error().context}},
         "teleport-evacuate: " + chosen.error().context,
         true);
    story_.over(endings_, exit_code::nothing_done);
    end(exit_code::nothing_done);
    return;
  }
  if (options_.window && !is_open(*options_.window, here_.since_midnight()) &&
      !options_.dry_run) {
    for (const candidate& guest : guests_) {
      endings_.push_back(
          {guest.name, {}, fate::not_started, "the window is closed"});
    }
    close("window_closed", "the window is closed: nothing is begun", false);
    finish();
    return;
  }
  preflight_.start(guests_.size(), hosts_.size(), !options_.back);
}

/// SIGUSR1 asks for a line, whatever the evacuation does just now.
void evacuation_run::look_for_wish() {
  if (progress_wished()) {
    story_.tell_progress();
  }
  if (here_.tell_progress) {
    here_.tell_progress(story_.words_of_moves());
  }
  wish_timer_ = loop_.after(wish_interval, [this] { look_for_wish(); });
}

bool evacuation_run::is_wanted(const std::string& name) const {
  const auto has = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, name) != names.end();
  };
  return (options_.guests.empty() || has(options_.guests)) &&
         !has(options_.except);
}

result<void> evacuation_run::choose_guests(const past_run& past) {
  const auto here = here_.guests();
  if (!here) {
    return here.error();
  }
  for (const trip& before : past.moved) {
    if (std::ranges::any_of(*here, [&](const guest_seen& one) {
          return one.uuid == before.uuid;
        })) {
      continue;  // it has come back since
    }
    endings_.push_back(
        {before.guest, before.host, fate::moved, {}, /*before=*/true});
  }
  for (const guest_seen& one : *here) {
    if (!is_wanted(one.name)) {
      continue;
    }
    if (!is_alive(one) &&
        here_.departure_of(one.uuid) == open_departure::waits_for_answer) {
      endings_.push_back({one.name, {}, fate::uncertain, wait_sentence});
      tell({{"event", "uncertain"},
            {"guest", one.name},
            {"uuid", one.uuid},
            {"sentence", wait_sentence}},
           one.name + ": " + wait_sentence,
           true);
    } else if (!has_ended(one.state)) {
      guests_.push_back({one.name, one.uuid, one.domid, one.memory_kib, {}});
    }
  }
  for (const std::string& name : options_.guests) {
    const auto has_name = [&](const auto& one) { return one.name == name; };
    const bool moved_before = std::ranges::any_of(
        past.moved, [&](const trip& one) { return one.guest == name; });
    if (is_wanted(name) && std::ranges::none_of(guests_, has_name) &&
        !moved_before) {
      tell({{"event", "gone"}, {"guest", name}},
           name + ": no guest of this name is here",
           true);
      endings_.push_back(
          {name, {}, fate::gone, "no guest of this name is here"});
    }
  }
  return {};
}

/// The guests to bring home: those that the record has as sent away, less those
/// that are here already.
result<void> evacuation_run::choose_away() {
  const auto away = record_->away();
  const auto here = here_.guests();
  if (!away || !here) {
    return away ? here.error() : away.error();
  }
  for (const trip& one : *away) {
    const bool is_here =
        std::ranges::any_of(*here, [&](const guest_seen& guest) {
          return guest.uuid == one.uuid && is_alive(guest);
        });
    if (is_here && !options_.dry_run) {
      const auto forgotten = record_->forget_away(one.uuid);
      if (!forgotten) {
        return forgotten;
      }
    } else if (!is_here && is_wanted(one.guest)) {
      guests_.push_back({one.guest, one.uuid, 0, 0, one.host});
    }
  }
  return {};
}

/// Drops the problems of guests that have shut down since they were probed.
void evacuation_run::drop_gone(plan& made) {
  const auto is_planned = [&](std::size_t guest) {
    return std::ranges::any_of(made.moves, [&](const planned_move& move) {
      return move.guest == guest;
    });
  };
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    const candidate& guest = guests_[i];
    if (!guest.at.empty() || is_planned(i)) {
      continue;
    }
    const auto found = find_here(guest.uuid);
    if (!found || (*found && !has_ended((*found)->state))) {
      continue;
    }
    std::erase_if(made.obstacles,
                  [&](const obstacle& one) { return one.guest == i; });
    tell({{"event", "gone"}, {"guest", guest.name}, {"uuid", guest.uuid}},
         guest.name + gone_words);
    endings_.push_back({guest.name, {}, fate::gone, {}});
    gone_.insert(guest.uuid);
  }
}

void evacuation_run::tell_plan(const plan& made) {
  for (const planned_move& move : made.moves) {
    const candidate& guest = guests_[move.guest];
    tell({{"event", "plan"},
          {"guest", guest.name},
          {"uuid", guest.uuid},
          {"to", hosts_[move.host]}},
         fmt::format("{}: to {}", guest.name, hosts_[move.host]));
  }
  for (const obstacle& one : made.obstacles) {
    const std::string guest = one.guest ? guests_[*one.guest].name : "";
    const std::string host = one.host ? hosts_[*one.host] : "";
    tell({{"event", "problem"},
          {"guest", guest},
          {"to", host},
          {"code", one.what.code},
          {"sentence", one.what.sentence}},
         fmt::format("{}: {} [{}]",
                     guest.empty() ? host : guest,
                     one.what.sentence,
                     one.what.code),
         true);
  }
}

void evacuation_run::planned(const probes& found) {
  plan made = make_plan(guests_, hosts_, found);
  drop_gone(made);
  tell_plan(made);
  std::vector<bool> is_planned(guests_.size());
  for (const planned_move& move : made.moves) {
    is_planned[move.guest] = true;
    one_move& one = moves_.emplace_back();
    one.guest = guests_[move.guest];
    one.host = hosts_[move.host];
  }
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    if (is_planned[i] || gone_.contains(guests_[i].uuid)) {
      continue;
    }
    std::string why;
    for (const obstacle& one : made.obstacles) {
      if (!one.guest || *one.guest == i) {
        why += (why.empty() ? "" : "; ") + one.what.sentence;
      }
    }
    endings_.push_back({guests_[i].name, {}, fate::not_started, why});
  }
  schedule_.emplace(moves_.size(), options_.parallel, options_.retry_pause);
  const std::size_t left = guests_.size() - gone_.size() - moves_.size();
  const bool hold = options_.all_or_nothing && left != 0;
  if (options_.dry_run) {
    const auto code = verdict(endings_, begun_);
    story_.planned(moves_.size(), left, code);
    end(code);
    return;
  }
  if (hold) {
    schedule_->close();
    for (one_move& one : moves_) {
      one.sentence = "not all guests can be moved, and --all-or-nothing";
    }
    finish();
    return;
  }
  watch_window();
}

bool evacuation_run::tell(json fields, const std::string& words, bool bad) {
  const auto kept = story_.event(std::move(fields), words, bad);
  if (!kept) {
    // A move that is not in the record could not be cleared up after a crash:
    // begin no more.
    log_error(kept.error().context);
    if (schedule_) {
      schedule_->close();
    }
  }
  return kept.has_value();
}

void evacuation_run::end(exit_code code) {
  over_ = true;
  wake_ = timer();
  window_timer_ = timer();
  finished_(code);
}

}  // namespace teleport::evacuation
