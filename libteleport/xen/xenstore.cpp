// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xenstore.cpp: see xenstore.hpp.

#include "libteleport/xen/xenstore.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
extern "C" {
#include <xenstore.h>
#include <xenstore_lib.h>
}

#include "libteleport/base/unique_fd.hpp"

namespace teleport {
namespace {

struct free_any {
  void operator()(void* memory) const noexcept {
    std::free(memory);  // NOLINT(cppcoreguidelines-*): theirs
  }
};

/// A domain 0, where xenstored is expected to run.
bool is_dom0() {
  std::ifstream file("/proc/xen/capabilities");
  std::string capabilities;
  std::getline(file, capabilities);
  return capabilities.find("control_d") != std::string::npos;
}

/// Whether xenstored answers at its socket. xs_open() ignores
/// XS_OPEN_SOCKETONLY, and takes the kernel's device where there is none.
///
/// @error errc::system: nobody may conclude that there are no guests
result<void> call_at_socket() {
  const unique_fd caller(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  const std::string path = xs_daemon_socket();
  if (!caller || path.size() >= sizeof(where.sun_path)) {
    return system_error(caller ? ENAMETOOLONG : errno, "socket for xenstored");
  }
  path.copy(where.sun_path, path.size());
  if (::connect(caller.get(),
                reinterpret_cast<const sockaddr*>(&where),
                sizeof(where)) != 0) {
    return error(
        errc::system,
        system_error(errno, "xenstored does not answer at " + path).context);
  }
  return {};
}

}  // namespace

void xenstore::close_handle::operator()(xs_handle* handle) const noexcept {
  xs_close(handle);
}

result<xenstore> xenstore::open_socket() {
  const auto there = is_dom0() ? call_at_socket() : result<void>();
  return there ? open() : result<xenstore>(there.error());
}

result<xenstore> xenstore::open() {
  xs_handle* handle = xs_open(0);
  if (handle == nullptr) {
    return system_error(errno, "cannot reach xenstored");
  }
  static_cast<void>(::fcntl(xs_fileno(handle), F_SETFD, FD_CLOEXEC));
  return xenstore(handle);
}

std::optional<std::string> xenstore::read(const std::string& path) {
  unsigned length = 0;
  const std::unique_ptr<char, free_any> value(static_cast<char*>(
      xs_read(handle_.get(), XBT_NULL, path.c_str(), &length)));
  if (!value) {
    return std::nullopt;
  }
  return std::string(value.get(), length);
}

std::vector<std::string> xenstore::list(const std::string& path) {
  unsigned count = 0;
  const std::unique_ptr<char*, free_any> names(
      xs_directory(handle_.get(), XBT_NULL, path.c_str(), &count));
  std::vector<std::string> found;
  for (unsigned i = 0; names && i < count; ++i) {
    found.emplace_back(names.get()[i]);
  }
  return found;
}

bool xenstore::replace(const std::string& path,
                       std::string_view expected,
                       std::string_view wanted) {
  for (;;) {
    const xs_transaction_t in = xs_transaction_start(handle_.get());
    if (in == XBT_NULL) {
      return false;
    }
    unsigned length = 0;
    const std::unique_ptr<char, free_any> value(
        static_cast<char*>(xs_read(handle_.get(), in, path.c_str(), &length)));
    const bool matches =
        value && std::string_view(value.get(), length) == expected;
    const bool written =
        matches && xs_write(handle_.get(),
                            in,
                            path.c_str(),
                            wanted.data(),
                            static_cast<unsigned>(wanted.size()));
    if (xs_transaction_end(handle_.get(), in, !written)) {
      return written;
    }
    if (errno != EAGAIN) {
      return false;
    }
  }
}

bool xenstore::answers() {
  return !list("/").empty();
}

bool xenstore::watch(const std::string& path) {
  return xs_watch(handle_.get(), path.c_str(), "teleport");
}

int xenstore::fd() const {
  return xs_fileno(handle_.get());
}

unsigned xenstore::drain_events() {
  unsigned count = 0;
  for (;;) {
    const std::unique_ptr<char*, free_any> event(xs_check_watch(handle_.get()));
    if (!event) {
      return count;
    }
    ++count;
  }
}

}  // namespace teleport
