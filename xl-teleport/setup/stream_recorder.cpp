// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/stream_recorder.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/log.hpp"

namespace teleport {

stream_recorder::stream_recorder(const std::string& folder,
                                 const std::string& name) {
  if (folder.empty()) {
    return;
  }
  const std::string path = folder + "/" + name;
  file_.reset(::open(path.c_str(),
                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                     S_IRUSR | S_IWUSR));
  if (!file_) {
    log_warning("the stream is not recorded: " +
                system_error(errno, path).context);
  }
}

void stream_recorder::add(byte_span bytes) {
  while (file_ && !bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      log_warning("the stream is recorded no further: " +
                  system_error(errno, "write").context);
      file_.reset();
    } else if (written > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
}

}  // namespace teleport
