// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/story.hpp: writes each event of an evacuation to the record
// and, as JSON or in words, to the user; at the end a summary.
//
// Threads: one owner. Blocks: until the record is durable.

#ifndef TOOLS_EVACUATE_STORY_HPP
#define TOOLS_EVACUATE_STORY_HPP

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/base/line_output.hpp"
#include "tools/evacuate/logbook.hpp"
#include "tools/evacuate/options.hpp"
#include "tools/evacuate/schedule.hpp"

namespace teleport::evacuation {

/// What became of one guest.
struct ending {
  std::string guest;
  std::string host;
  fate at = fate::waiting;
  std::string sentence;  ///< why it stayed
  bool before = false;   ///< moved before a crash, by the run that goes on
};

/// The exit code that tells it.
///
/// @param begun  at least one teleport was started
[[nodiscard]] exit_code verdict(const std::vector<ending>& all, bool begun);

/// "2 moved, 1 stayed, 0 other".
[[nodiscard]] std::string summary_of(const std::vector<ending>& all);

/// Without control characters but line feeds and tabs: names and sentences come
/// from guests and from other hosts.
[[nodiscard]] std::string for_terminal(std::string_view text);

/// "web1 bulk 24.6 %, 0:12:00 left", of one object that a teleport's --json
/// tells; it may come from another host.
[[nodiscard]] std::string progress_words(const std::string& guest,
                                         const nlohmann::json& progress);

class story {
 public:
  story(bool json, bool quiet) : json_(json), quiet_(quiet) {}

  /// Events before this are not recorded; a dry run never calls it.
  void record_in(record* kept) { record_ = kept; }

  /// @param words  for people; "" when there is nothing to say
  /// @param bad    said also when quiet
  /// @error the record cannot be written
  [[nodiscard]] result<void> event(nlohmann::json fields,
                                   const std::string& words,
                                   bool bad = false);

  /// What changes from second to second, and is not recorded: lines for
  /// programs, and on a terminal one line that overwrites itself.
  void progress(const std::string& guest, const nlohmann::json& progress);

  /// The same in one line that stays, for who asks by SIGUSR1; also when quiet.
  void tell_progress();

  /// What moves now, in one line.
  [[nodiscard]] std::string words_of_moves() const;

  /// The last event of a dry run.
  void planned(std::size_t moves, std::size_t left, exit_code code);

  /// The last event.
  void over(const std::vector<ending>& all, exit_code code);

 private:
  bool json_;
  bool quiet_;
  record* record_ = nullptr;
  /// What moves now, by guest, in words.
  std::map<std::string, std::string> moving_;
  bool is_drawn_ = false;
  line_output out_{1};     ///< standard output
  line_output screen_{2};  ///< standard error
};

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_STORY_HPP
