// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/lock_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "libteleport/base/durable_file.hpp"

namespace teleport {

namespace {

std::string lock_path(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".lock";
}

}  // namespace

result<unique_fd> take_lock(const std::string& folder,
                            const std::string& name) {
  const auto made = make_folders(folder);
  if (!made) {
    return made.error();
  }
  const std::string path = lock_path(folder, name);
  unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) {
    return system_error(errno, "open " + path);
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return error(errc::busy, path + " is held by another process");
    }
    return system_error(errno, "lock " + path);
  }
  return fd;
}

bool lock_is_held(const std::string& folder, const std::string& name) {
  struct stat about {};
  if (::stat(lock_path(folder, name).c_str(), &about) != 0) {
    return errno != ENOENT && errno != ENOTDIR;
  }
  std::ifstream locks("/proc/locks");
  if (!locks) {
    return true;
  }
  // "1: FLOCK  ADVISORY  WRITE 812 00:19:1042 0 EOF", numbers of the device in
  // hexadecimal.
  std::array<char, 32> device{};
  static_cast<void>(std::snprintf(device.data(),
                                  device.size(),
                                  " %02x:%02x:",
                                  major(about.st_dev),
                                  minor(about.st_dev)));
  const std::string file = device.data() + std::to_string(about.st_ino) + " ";
  for (std::string line; std::getline(locks, line);) {
    if (line.find("FLOCK") != std::string::npos &&
        line.find(file) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace teleport
