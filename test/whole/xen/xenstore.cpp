// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/xenstore.cpp: libteleport/xen/xenstore.hpp over the false
// world's nodes, in the place of xenstore.cpp.

#include "libteleport/xen/xenstore.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/whole/xen/store.hpp"
#include "test/whole/xen/world.hpp"

/// What libxenstore calls a connection; ours to define here.
struct xs_handle {
  teleport::unique_fd changes;
  /// The watch's own first event.
  teleport::unique_fd first;
  teleport::unique_fd both;
};

namespace teleport {

void xenstore::close_handle::operator()(xs_handle* handle) const noexcept {
  delete handle;
}

result<xenstore> xenstore::open() {
  auto handle = std::make_unique<xs_handle>();
  handle->changes = unique_fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  handle->first = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  handle->both = unique_fd(::epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : {handle->changes.get(), handle->first.get()}) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    if (::epoll_ctl(handle->both.get(), EPOLL_CTL_ADD, fd, &wanted) != 0) {
      return system_error(errno, "false xenstore");
    }
  }
  return xenstore(handle.release());
}

result<xenstore> xenstore::open_socket() {
  return open();
}

std::optional<std::string> xenstore::read(const std::string& path) {
  return whole::read_node(path);
}

std::vector<std::string> xenstore::list(const std::string& path) {
  return whole::list_nodes(path);
}

bool xenstore::replace(const std::string& path,
                       std::string_view expected,
                       std::string_view wanted) {
  const unique_fd world = whole::lock_world();
  if (whole::read_node(path) != std::optional(std::string(expected))) {
    return false;
  }
  whole::write_node(path, std::string(wanted));
  return true;
}

bool xenstore::answers() {
  return true;
}

bool xenstore::watch(const std::string& path) {
  const std::string folder = whole::store_folder(path);
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  return ::inotify_add_watch(handle_->changes.get(),
                             folder.c_str(),
                             IN_MOVED_TO | IN_DELETE | IN_CREATE) >= 0 &&
         eventfd_write(handle_->first.get(), 1) == 0;
}

int xenstore::fd() const {
  return handle_->both.get();
}

unsigned xenstore::drain_events() {
  eventfd_t own = 0;
  auto count =
      eventfd_read(handle_->first.get(), &own) == 0 ? unsigned(own) : 0U;
  alignas(inotify_event) std::array<char, 4096> events{};
  for (;;) {
    const ssize_t r =
        ::read(handle_->changes.get(), events.data(), events.size());
    if (r <= 0) {
      return count;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(r);) {
      const auto* one =
          reinterpret_cast<const inotify_event*>(events.data() + at);
      at += sizeof(inotify_event) + one->len;
      // A node's value is put in its place; what is written beside it is none.
      count += (one->mask & (IN_MOVED_TO | IN_ISDIR)) != 0 ? 1 : 0;
    }
  }
}

}  // namespace teleport
