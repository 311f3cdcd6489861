// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/power_cut.hpp: what is on the disk if the power goes now.
// Writes, renames, removals and syncs below one folder are recorded; then every
// image that a loss of power could have left after each of them is built in
// another folder, and looked at by the test with the product's own readers.
//
//   power_cut record(folder);
//   write_durably(folder + "/a", "new", 0600);
//   record.promise();                        // the caller was told that it is
//   record.replay([&](const std::string& image, std::size_t promised) {
//     CHECK((promised == 0 || read(image + "/a") == "new"));
//   });
//
// What may be left is what POSIX allows, which is more than ext4 does: of a
// file, what was there at its last sync, and of the writes since then none,
// all, or half of the last; of a folder's entries, those of its last sync and
// any of the changes since. A sync of a file is none of its folder.
//
// Threads: one; the calls are recorded in the order in which they return.

#ifndef TEST_SUPPORT_POWER_CUT_HPP
#define TEST_SUPPORT_POWER_CUT_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "test/support/io_hooks.hpp"

namespace teleport::test {

class power_cut final : public io_observer {
 public:
  /// What is in the folder now counts as safely there.
  ///
  /// @param folder  absolute, without symbolic links
  explicit power_cut(std::string folder);

  /// From here on somebody relies on what was written.
  void promise();
  /// What follows is not recorded, as while the images are read.
  void stop() { recording_ = false; }

  /// @param image     a folder as it may be found after the loss of power
  /// @param promised  how often promise() had been called by then
  using look =
      std::function<void(const std::string& image, std::size_t promised)>;
  /// Stops, and shows each different image once for each number of promises.
  ///
  /// @return how many were shown
  std::size_t replay(const look& show);

  int writing(int fd, std::uint64_t at, std::string bytes) override;
  void created(int fd) override;
  void resized(int fd, std::uint64_t size) override;
  void zeroed(int fd, std::uint64_t at, std::uint64_t length) override;
  void synced(int fd) override;
  void made_folder(const std::string& path) override;
  void renamed(const std::string& from, const std::string& to) override;
  void removed(const std::string& path) override;

 private:
  enum class kind {
    write,
    resize,
    sync,
    set_entry,     ///< `path` is file `file`, or a folder where that is 0
    rename,        ///< `path` is what `bytes` was, in the same folder
    remove_entry,  ///< `path` is nothing
    sync_folder,
    promise,
  };
  struct event {
    kind what = kind::promise;
    std::size_t file = 0;
    std::string path;  ///< below the folder
    std::uint64_t at = 0;
    std::uint64_t length = 0;
    std::string bytes;
  };

  [[nodiscard]] bool is_inside(const std::string& path) const;
  [[nodiscard]] std::string inner(const std::string& path) const;
  /// The number of a file that is open; 0 where it is none of ours.
  [[nodiscard]] std::size_t file_of(int fd) const;
  void add(event what);
  void add_what_is_there();

  std::string folder_;
  bool recording_ = true;
  std::vector<event> events_;
  std::size_t before_ = 0;  ///< events that only say what was there
  /// By inode. A number that the file system uses again is another file.
  std::map<ino_t, std::size_t> files_;
  std::map<std::string, std::size_t> entries_;  ///< as they are now
  std::size_t last_file_ = 0;
};

}  // namespace teleport::test

#endif  // TEST_SUPPORT_POWER_CUT_HPP
