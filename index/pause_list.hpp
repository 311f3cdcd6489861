// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/pause_list.hpp: which disks an administrator wants left unread for now:
// a text file beside the database, so that it outlives processes and boots.
//
//   pauses.pause({"/dev/vg0/web"});   // scans of it hold (scan_gate.hpp)
//   pauses.resume({"/dev/vg0/web"});  // and go on from where they are
//
// Threads: any, of any process; changes wait for each other.
// Blocks: on the disk, until what was written is durable.
// Trust: lines that are no absolute path are passed over.

#ifndef INDEX_PAUSE_LIST_HPP
#define INDEX_PAUSE_LIST_HPP

#include <functional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport::index {

struct paused_disks {
  /// Every disk, those included that are not indexed yet.
  bool all = false;
  std::vector<std::string> paths;

  [[nodiscard]] bool covers(const std::string& path) const;
  friend bool operator==(const paused_disks&, const paused_disks&) = default;
};

class pause_list {
 public:
  /// Its name in the index's folder.
  static constexpr const char* file_name = "paused.txt";

  explicit pause_list(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// None where there is no file.
  [[nodiscard]] result<paused_disks> read() const;

  [[nodiscard]] result<void> pause(const std::vector<std::string>& paths);
  [[nodiscard]] result<void> pause_all();
  /// @error errc::busy while all are paused, which resume_all() ends
  [[nodiscard]] result<void> resume(const std::vector<std::string>& paths);
  [[nodiscard]] result<void> resume_all();
  /// A disk has another path, or, with an empty one, is no longer indexed.
  [[nodiscard]] result<void> rename(const std::string& from,
                                    const std::string& to);

 private:
  using change = std::function<result<void>(paused_disks&)>;
  result<void> edit(const change& how);

  std::string folder_;
};

}  // namespace teleport::index

#endif  // INDEX_PAUSE_LIST_HPP
