// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/private_file.hpp"

#include <cerrno>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace teleport {

namespace {

/// @param forbidden  bits of the mode
/// @param may        what whoever has one of them may do
/// @param remedy     a mode for chmod, and what else is to be done
result<void> check_mode(const std::string& path,
                        mode_t forbidden,
                        std::string_view may,
                        std::string_view mode,
                        std::string_view remedy) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    return system_error(errno, "stat " + path);
  }
  if (file.st_uid != 0 && file.st_uid != ::geteuid()) {
    return error(errc::bad_input,
                 fmt::format("{} belongs to user {}, not to root: run 'chown "
                             "root {}'{}",
                             path,
                             file.st_uid,
                             path,
                             remedy));
  }
  if ((file.st_mode & forbidden) != 0) {
    return error(errc::bad_input,
                 fmt::format("{} has mode {:04o}, so that others may {}: run "
                             "'chmod {} {}'{}",
                             path,
                             file.st_mode & 07777U,
                             may,
                             mode,
                             path,
                             remedy));
  }
  return {};
}

}  // namespace

result<void> check_private(const std::string& path) {
  return check_mode(path,
                    077,
                    "read this host's key",
                    "600",
                    ", and then 'teleportctl rekey --now' if they are not to "
                    "be trusted");
}

result<void> check_unwritable(const std::string& path) {
  return check_mode(path, 022, "write it", "600", "");
}

result<void> check_unwritable_folder(const std::string& path) {
  return check_mode(path, 022, "write in it", "700", "");
}

}  // namespace teleport
