// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/set_aside.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <vector>

#include "libteleport/base/log.hpp"

namespace teleport::index {

namespace {

constexpr std::string_view prefix = "unusable-";

void drop_earlier(const std::string& folder) {
  std::vector<std::filesystem::path> earlier;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_directory(ignored) &&
        entry.path().filename().string().starts_with(prefix)) {
      earlier.push_back(entry.path());
    }
  }
  for (const std::filesystem::path& path : earlier) {
    // Removes only the files that set_aside() puts there.
    std::filesystem::remove(path / "data.mdb", ignored);
    std::filesystem::remove(path / "lock.mdb", ignored);
    std::filesystem::remove(path, ignored);
  }
}

}  // namespace

result<void> set_aside(const std::string& folder, const error& why) {
  drop_earlier(folder);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string aside =
      folder + "/" + std::string(prefix) +
      std::to_string(
          std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  std::error_code failed;
  std::filesystem::create_directory(aside, failed);
  if (!failed) {
    std::filesystem::rename(folder + "/data.mdb", aside + "/data.mdb", failed);
  }
  if (failed) {
    return system_error(failed.value(), "setting aside " + folder);
  }
  // LMDB's table of readers belongs to one data file.
  std::filesystem::rename(folder + "/lock.mdb", aside + "/lock.mdb", failed);
  log_warning(why.context + "; it is set aside in " + aside +
              " and an empty index begun: 'teleportctl index scan' reads all "
              "disks again");
  return {};
}

}  // namespace teleport::index
