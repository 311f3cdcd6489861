// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xenstore.hpp: a connection to xenstored; for the sources of
// this folder, and for whoever waits for watch events beside others.
//
// Threads: one owner. Blocks: each call waits for xenstored's answer.

#ifndef LIBTELEPORT_XEN_XENSTORE_HPP
#define LIBTELEPORT_XEN_XENSTORE_HPP

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

struct xs_handle;

namespace teleport {

class xenstore {
 public:
  [[nodiscard]] static result<xenstore> open();
  /// In domain 0 only by xenstored's own socket. The kernel's device, which
  /// open() takes when there is no socket, waits without end where no xenstored
  /// runs. A xenstored in a stub domain is not asked.
  ///
  /// @error errc::system: it does not answer; errc::not_found: there is no Xen
  [[nodiscard]] static result<xenstore> open_socket();

  /// The node's value, or nullopt when there is none.
  [[nodiscard]] std::optional<std::string> read(const std::string& path);
  /// Names of the node's children; empty when there are none.
  [[nodiscard]] std::vector<std::string> list(const std::string& path);
  /// Makes the node `wanted` if it is `expected` now, in one transaction.
  ///
  /// @return whether it was
  [[nodiscard]] bool replace(const std::string& path,
                             std::string_view expected,
                             std::string_view wanted);

  /// False once xenstored has ended: no watch event tells of that.
  [[nodiscard]] bool answers();

  /// Asks to be told when the node changes. The first event comes at once.
  [[nodiscard]] bool watch(const std::string& path);
  /// Readable when watch events are there.
  [[nodiscard]] int fd() const;
  /// Takes all waiting watch events and returns how many there were.
  [[nodiscard]] unsigned drain_events();

 private:
  struct close_handle {
    void operator()(xs_handle* handle) const noexcept;
  };
  explicit xenstore(xs_handle* handle) : handle_(handle) {}
  std::unique_ptr<xs_handle, close_handle> handle_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_XENSTORE_HPP
