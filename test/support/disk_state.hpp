// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/disk_state.hpp: for power_cut: what is safely on the disk, what
// is on its way there, and the images that a loss of power may make of both.

#ifndef TEST_SUPPORT_DISK_STATE_HPP
#define TEST_SUPPORT_DISK_STATE_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace teleport::test {

/// Paths below the folder; a folder has no content.
using disk_image = std::map<std::string, std::optional<std::string>>;

class disk_state {
 public:
  struct change {
    std::uint64_t at = 0;
    std::string bytes;
    std::optional<std::uint64_t> size;  ///< a new size, in place of bytes
  };

  void write(std::size_t file, change what);
  void sync(std::size_t file);
  /// @param file  nullopt: the entry goes; 0: a folder
  /// @param from  the entry of the same folder that goes with it: a rename
  void set_entry(const std::string& path,
                 std::optional<std::size_t> file,
                 const std::string& from = {});
  void sync_folder(const std::string& path);

  /// All that a loss of power may leave now.
  void for_each_image(const std::function<void(const disk_image&)>& show) const;

 private:
  struct contents {
    std::string safe;
    std::vector<change> since;
  };
  struct entry {
    std::string path;
    std::optional<std::size_t> file;
    std::string from;
  };
  using entries = std::map<std::string, std::size_t>;

  static void apply(const entry& change, entries& to);
  void for_each_folder(const std::function<void(const entries&)>& show) const;
  [[nodiscard]] std::vector<std::string> variants(std::size_t file) const;

  std::map<std::size_t, contents> files_;
  entries safe_;
  std::vector<entry> since_;
};

}  // namespace teleport::test

#endif  // TEST_SUPPORT_DISK_STATE_HPP
