// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/temp_folder.hpp: a folder that is gone when the test is over.

#ifndef TELEPORT_TEST_SUPPORT_TEMP_FOLDER_HPP
#define TELEPORT_TEST_SUPPORT_TEMP_FOLDER_HPP

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace teleport {

class temp_folder {
 public:
  /// @param parent  /dev/shm for a filesystem without direct I/O
  explicit temp_folder(const std::string& parent = "/var/tmp")
      : path_(parent + "/teleport-test.XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error("mkdtemp " + path_);
    }
  }
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;
  temp_folder(temp_folder&&) = delete;
  temp_folder& operator=(temp_folder&&) = delete;
  ~temp_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_TEMP_FOLDER_HPP
