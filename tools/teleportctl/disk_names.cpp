// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/disk_names.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <glob.h>

#include "libteleport/disk/disk_store.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

bool is_disk(const fs::directory_entry& entry) {
  std::error_code failed;
  if (entry.is_block_file(failed)) {
    return true;
  }
  const std::uint64_t size =
      entry.is_regular_file(failed) ? entry.file_size(failed) : 0;
  return !failed && has_image_size(size);
}

/// The disks in a folder, sorted by name; files that are no images are left
/// out.
std::vector<std::string> disks_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (is_disk(entry)) {
      found.push_back(absolute_path(entry.path()));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::string absolute_path(const std::string& path) {
  return fs::absolute(path).lexically_normal();
}

result<std::vector<std::string>> disks_named(
    const std::vector<std::string>& names, const std::string& devices) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& path) {
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) {
      paths.push_back(path);
    }
  };
  for (const std::string& name : names) {
    std::error_code ignored;
    const std::string group = (fs::path(devices) / name).string();
    const bool is_group = name.find('/') == std::string::npos &&
                          !fs::exists(name, ignored) &&
                          fs::is_directory(group, ignored);
    glob_t matches{};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet
    const int code = ::glob(is_group ? group.c_str() : name.c_str(),
                            GLOB_NOCHECK,
                            nullptr,
                            &matches);
    for (std::size_t i = 0; code == 0 && i < matches.gl_pathc; ++i) {
      const std::string path = absolute_path(matches.gl_pathv[i]);
      if (!fs::is_directory(path, ignored)) {
        add(path);
        continue;
      }
      for (const std::string& disk : disks_in(path)) {
        add(disk);
      }
    }
    ::globfree(&matches);
    if (code != 0) {
      return error(errc::bad_input, "cannot read the pattern " + name);
    }
  }
  if (paths.empty()) {
    return error(errc::not_found, "no disks in what was named");
  }
  return paths;
}

}  // namespace teleport
