// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/private_file.hpp"

#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace teleport {

result<void> check_private(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    return system_error(errno, "stat " + path);
  }
  if (file.st_uid != 0 && file.st_uid != ::geteuid()) {
    return error(errc::bad_input,
                 fmt::format("{} belongs to user {}, not to root: run 'chown "
                             "root {}', and pair again with a new key if that "
                             "user is not to be trusted",
                             path,
                             file.st_uid,
                             path));
  }
  if ((file.st_mode & 077U) != 0) {
    return error(errc::bad_input,
                 fmt::format("{} has mode {:04o}, so that others may read this "
                             "host's key: run 'chmod 600 {}', and pair again "
                             "with a new key if somebody has read it",
                             path,
                             file.st_mode & 07777U,
                             path));
  }
  return {};
}

}  // namespace teleport
