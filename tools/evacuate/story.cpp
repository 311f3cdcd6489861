// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/story.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/terminal.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport::evacuation {

namespace {

using nlohmann::json;

bool has_moved(fate at) {
  return at == fate::moved || at == fate::not_cleared;
}

bool has_stayed(fate at) {
  return at == fate::failed || at == fate::not_started || at == fate::waiting ||
         at == fate::running;
}

std::string word_for(const ending& one) {
  if (one.at == fate::uncertain) {
    return "UNKNOWN";
  }
  if (one.at == fate::gone) {
    return "not here";
  }
  return !has_moved(one.at) ? "stayed" : one.before ? "moved before" : "moved";
}

}  // namespace

exit_code verdict(const std::vector<ending>& all, bool begun) {
  const auto any = [&](auto matches) {
    return std::ranges::any_of(
        all, [&](const ending& one) { return matches(one.at); });
  };
  if (any([](fate at) { return at == fate::uncertain; })) {
    return exit_code::uncertain;
  }
  if (any(has_stayed)) {
    return begun || any(has_moved) ? exit_code::some_stayed
                                   : exit_code::nothing_done;
  }
  if (any([](fate at) { return at == fate::not_cleared; })) {
    return exit_code::not_cleared;
  }
  // Guests that were named and of whom none is here: a name is wrong, or it is
  // the wrong host.
  return !begun && !all.empty() && !any(has_moved) ? exit_code::nothing_done
                                                   : exit_code::all_moved;
}

std::string summary_of(const std::vector<ending>& all) {
  unsigned moved = 0;
  unsigned stayed = 0;
  unsigned others = 0;
  for (const ending& one : all) {
    moved += has_moved(one.at) ? 1U : 0U;
    stayed += has_stayed(one.at) ? 1U : 0U;
    others += has_moved(one.at) || has_stayed(one.at) ? 0U : 1U;
  }
  return fmt::format("{} moved, {} stayed, {} other", moved, stayed, others);
}

std::string for_terminal(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(
      shown,
      [](char c) {
        return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == '\x7f';
      },
      '?');
  return shown;
}

std::string progress_words(const std::string& guest, const json& progress) {
  const auto number = [&](const char* key) {
    const auto found = progress.find(key);
    return found != progress.end() && found->is_number() ? found->get<double>()
                                                         : 0.0;
  };
  const auto phase = progress.find("phase");
  std::string words = guest;
  if (phase != progress.end() && phase->is_string()) {
    words += " " + phase->get<std::string>();
  }
  if (const double total = number("total"); total > 0) {
    words += fmt::format(" {:.1f} %",
                         std::clamp(100 * number("done") / total, 0.0, 100.0));
  }
  if (const double left = number("eta_seconds"); left > 0 && left < 1e9) {
    words += ", " + clock_text(left) + " left";
  }
  std::ranges::replace(words, '\n', ' ');
  return for_terminal(words);
}

result<void> story::event(json fields, const std::string& words, bool bad) {
  if (is_drawn_) {
    (void)screen_.write(over_line("", 0));
    is_drawn_ = false;
  }
  if (const auto guest = fields.find("guest");
      guest != fields.end() && guest->is_string()) {
    moving_.erase(guest->get<std::string>());
  }
  fields["time"] = time_text();
  const auto kept =
      record_ != nullptr ? record_->write(fields) : result<void>();
  if (json_) {
    std::cout << dump(fields) << '\n' << std::flush;
  } else if (!words.empty() && (bad || !quiet_)) {
    (bad ? std::cerr : std::cout) << for_terminal(words) << '\n' << std::flush;
  }
  return kept;
}

/// A reader that stands still holds up no teleport: a line that finds no room
/// is dropped.
void story::progress(const std::string& guest, const json& progress) {
  moving_[guest] = progress_words(guest, progress);
  if (json_) {
    (void)out_.write(
        dump(
            {{"event", "progress"}, {"guest", guest}, {"progress", progress}}) +
        '\n');
    return;
  }
  if (quiet_ || !is_screen(STDERR_FILENO)) {
    return;
  }
  (void)screen_.write(over_line(words_of_moves(), line_columns(STDERR_FILENO)));
  is_drawn_ = true;
}

void story::tell_progress() {
  (void)screen_.write((is_drawn_ ? over_line("", 0) : "") + words_of_moves() +
                      '\n');
  is_drawn_ = false;
}

std::string story::words_of_moves() const {
  std::string line;
  for (const auto& [name, words] : moving_) {
    line += (line.empty() ? "" : "; ") + words;
  }
  return line.empty() ? "nothing moves now" : line;
}

void story::planned(std::size_t moves, std::size_t left, exit_code code) {
  (void)event(
      {{"event", "over"},
       {"dry_run", true},
       {"exit", static_cast<int>(code)},
       {"can_move", moves},
       {"cannot_move", left}},
      fmt::format("{} can move, {} cannot; nothing was touched", moves, left),
      code != exit_code::all_moved);
}

void story::over(const std::vector<ending>& all, exit_code code) {
  json guests = json::array();
  std::string lines;
  unsigned moved = 0;
  unsigned stayed = 0;
  for (const ending& one : all) {
    guests.push_back({{"guest", one.guest},
                      {"to", one.host},
                      {"fate", name_of(one.at)},
                      {"sentence", one.sentence},
                      {"before", one.before}});
    moved += has_moved(one.at) ? 1U : 0U;
    stayed += has_stayed(one.at) ? 1U : 0U;
    lines += fmt::format("\n  {:<9} {}{}{}{}",
                         word_for(one),
                         one.guest,
                         one.host.empty() ? "" : " to ",
                         one.host,
                         one.sentence.empty() ? "" : ": " + one.sentence);
  }
  const bool bad = code != exit_code::all_moved;
  const auto told =
      event({{"event", "over"},
             {"exit", static_cast<int>(code)},
             {"moved", moved},
             {"stayed", stayed},
             {"guests", std::move(guests)}},
            all.empty() && bad ? std::string()  // why was said
                               : "evacuation over: " + summary_of(all) + lines,
            bad);
  if (!told) {
    log_error(told.error().context);
  }
}

}  // namespace teleport::evacuation
