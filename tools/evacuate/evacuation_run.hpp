// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/evacuation_run.hpp: one evacuation, from the list of guests to
// the summary. Joins the plan and the schedule to the teleports, the clock and
// the record.
//
// Threads: the loop's thread.
// Blocks:  on the record and on Xen's list of guests, each for a moment.

#ifndef TOOLS_EVACUATE_EVACUATION_RUN_HPP
#define TOOLS_EVACUATE_EVACUATION_RUN_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "tools/evacuate/child_program.hpp"
#include "tools/evacuate/command.hpp"
#include "tools/evacuate/logbook.hpp"
#include "tools/evacuate/options.hpp"
#include "tools/evacuate/plan.hpp"
#include "tools/evacuate/preflight.hpp"
#include "tools/evacuate/schedule.hpp"
#include "tools/evacuate/story.hpp"

namespace teleport::evacuation {

/// Neither suspended nor at its end.
[[nodiscard]] inline bool is_alive(const guest_seen& guest) {
  return guest.state == guest_state::running ||
         guest.state == guest_state::paused;
}

/// Said of a guest after its name.
inline constexpr const char* gone_words = ": it has shut down meanwhile";

/// What the journal has of a guest's teleport from here that is not over.
enum class open_departure : std::uint8_t {
  none,
  waits_for_answer,  ///< GO was sent
  has_left,          ///< it runs there; its copy here is not cleared away
};

/// What an evacuation needs of this machine; a test gives it another.
struct machine {
  std::string xl_teleport;  ///< full path
  /// Every guest here, in whatever state.
  std::function<result<std::vector<guest_seen>>()> guests;
  /// By the host's own time.
  std::function<std::chrono::seconds()> since_midnight;
  /// Of a guest that does not run here: whether it is known where it does.
  std::function<open_departure(const std::string& uuid)> departure_of;
  /// Told once a second what moves, in words; empty: nobody wants to know.
  std::function<void(const std::string& line)> tell_progress;
};

class evacuation_run {
 public:
  evacuation_run(event_loop& loop,
                 run_options options,
                 machine here,
                 record* kept,
                 std::function<void(exit_code)> finished);

  /// @param past  of the run that goes on; empty otherwise
  void start(const past_run& past);
  /// SIGINT or SIGTERM: begins nothing more and cancels what runs.
  void stop();
  /// How many moved and stayed, in words; once it is over.
  [[nodiscard]] std::string summary() const { return summary_of(endings_); }

 private:
  using clock = std::chrono::steady_clock;

  struct one_move {
    candidate guest;
    std::string host;
    std::unique_ptr<child_program> child;
    nlohmann::json report;
    std::string sentence;  ///< of the last failure
    /// The shell to another host ended without a report from there.
    bool no_word = false;
  };

  // evacuation_run.cpp: until the plan
  [[nodiscard]] bool is_wanted(const std::string& name) const;
  [[nodiscard]] result<void> choose_guests(const past_run& past);
  [[nodiscard]] result<void> choose_away();
  [[nodiscard]] std::vector<std::string> command_of(const candidate& guest,
                                                    const std::string& host,
                                                    purpose what) const;
  void planned(const probes& found);
  void drop_gone(plan& made);
  void tell_plan(const plan& made);
  void look_for_wish();

  // moves.cpp: the moves
  void go_on();
  void begin(std::size_t move);
  void take_line(std::size_t move, std::string_view line);
  void ended(std::size_t move, const program_end& end);
  [[nodiscard]] outcome judge(std::size_t move, const program_end& end);
  void note(std::size_t move, outcome what);
  void watch_window();
  void close(const char* event, const std::string& words, bool cancel);
  void look_again();
  void finish();

  /// False when it could not be recorded.
  bool tell(nlohmann::json fields, const std::string& words, bool bad = false);
  /// @return nullopt when the guest is not here
  [[nodiscard]] result<std::optional<guest_seen>> find_here(
      const std::string& uuid);
  [[nodiscard]] nlohmann::json about(const char* event, std::size_t move) const;
  void end(exit_code code);

  event_loop& loop_;
  run_options options_;
  machine here_;
  record* record_;
  std::function<void(exit_code)> finished_;
  story story_;
  std::vector<candidate> guests_;
  std::vector<std::string> hosts_;
  preflight preflight_;
  std::vector<one_move> moves_;
  std::optional<schedule> schedule_;
  std::vector<ending> endings_;  ///< of those that are not in moves_
  std::set<std::string> gone_;   ///< shut down before the plan; by uuid
  bool begun_ = false;
  bool over_ = false;
  timer wake_;
  timer window_timer_;
  timer wish_timer_;
};

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_EVACUATION_RUN_HPP
