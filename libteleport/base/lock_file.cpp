// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/lock_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

#include "libteleport/base/durable_file.hpp"

namespace teleport {

result<unique_fd> take_lock(const std::string& folder,
                            const std::string& name) {
  const auto made = make_folders(folder);
  if (!made) {
    return made.error();
  }
  const std::string path = folder + "/" + name + ".lock";
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

}  // namespace teleport
