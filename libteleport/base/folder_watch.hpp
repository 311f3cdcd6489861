// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/folder_watch.hpp: tells when files appear, disappear or have
// been written in some folders (inotify). look_again() also watches folders
// that did not exist before, and those that were unmounted or made anew.
//
// Threads: one owner. Blocks: no.

#ifndef LIBTELEPORT_BASE_FOLDER_WATCH_HPP
#define LIBTELEPORT_BASE_FOLDER_WATCH_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

class folder_watch {
 public:
  /// @param only  the one name in them that counts; empty: all
  /// @error errc::system: no inotify to be had
  [[nodiscard]] static result<folder_watch> open(
      const std::vector<std::string>& folders, std::string only = {});

  /// Readable when something has happened.
  [[nodiscard]] int fd() const { return events_.get(); }
  /// Looks which folders are there now; cheap.
  ///
  /// @return whether one has come, or is another than it was
  bool look_again();
  /// Whether every folder existed at the last look, and was not deleted since.
  [[nodiscard]] bool all_watched() const;
  /// Reads all waiting events.
  ///
  /// @return whether one of them is of a file that counts, and is not hidden
  bool drain();

 private:
  struct watched {
    std::string path;
    int watch = -1;
  };
  explicit folder_watch(unique_fd events) : events_(std::move(events)) {}
  void forget(int watch);

  unique_fd events_;
  std::string only_;
  std::vector<watched> folders_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_FOLDER_WATCH_HPP
