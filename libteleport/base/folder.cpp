// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/folder.hpp"

#include <filesystem>
#include <system_error>

namespace teleport {

bool is_absolute_path(std::string_view text) {
  return text.starts_with('/') && text.find_first_of(std::string_view(
                                      "\n\0", 2)) == std::string_view::npos;
}

result<std::vector<std::string>> files_in(const std::string& folder,
                                          std::string_view extension) {
  std::vector<std::string> files;
  std::error_code failure;
  for (std::filesystem::directory_iterator file(folder, failure), end;
       !failure && file != end;
       file.increment(failure)) {
    if (file->path().extension() == extension) {
      files.push_back(file->path());
    }
  }
  if (failure) {
    return system_error(failure.value(), "read folder " + folder);
  }
  return files;
}

}  // namespace teleport
