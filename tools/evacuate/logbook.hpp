// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/logbook.hpp: what an evacuation has done, on stable storage at
// once: one JSON line an event, and a small file for each guest that is away.
//
// In the folder: record.jsonl, the last run (the one under way, or the one that
// a crash has cut short); record-TIME.jsonl, those before it, as many as are
// kept; away/UUID, the guests that were sent away and not brought back.
//
// Threads: one owner, under the evacuation's lock.
// Blocks: on the disk, until what was written is durable.
// Trust: files of our own, but a torn last line is a crash's, not an error.

#ifndef TOOLS_EVACUATE_LOGBOOK_HPP
#define TOOLS_EVACUATE_LOGBOOK_HPP

#include <ctime>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport::evacuation {

/// A guest and the host of one event.
struct trip {
  std::string guest;
  std::string uuid;
  std::string host;  ///< where to; in `away` where it is
  /// When, in the form of time_text(); only of one that is under way.
  std::string begun = {};

  friend bool operator==(const trip&, const trip&) = default;
};

/// What the last run's record says.
struct past_run {
  bool any = false;  ///< there is a record
  bool over = true;  ///< it came to its end
  bool back = false;
  std::vector<trip> moved;
  /// Begun, with no word of their end.
  std::vector<trip> under_way;
};

/// UTC, "2026-11-23T02:00:00Z".
[[nodiscard]] std::string time_text(std::time_t when = std::time(nullptr));

class record {
 public:
  /// Makes the folder.
  [[nodiscard]] static result<record> open(const std::string& folder);

  [[nodiscard]] result<past_run> last() const;

  /// Opens record.jsonl to append to; a new run sets the old one aside.
  [[nodiscard]] result<void> begin(bool new_run);

  /// Appends the event, with its time, and waits until it is durable.
  [[nodiscard]] result<void> write(const nlohmann::json& event);

  [[nodiscard]] result<void> note_away(const trip& gone);
  [[nodiscard]] result<void> forget_away(const std::string& uuid);
  [[nodiscard]] result<std::vector<trip>> away() const;

 private:
  explicit record(std::string folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::string path() const { return folder_ + "/record.jsonl"; }
  [[nodiscard]] result<std::string> away_path(const std::string& uuid) const;
  void drop_old() const;

  std::string folder_;
  unique_fd file_;
};

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_LOGBOOK_HPP
