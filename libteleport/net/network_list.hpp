// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/network_list.hpp: which addresses may connect: those of the
// networks in a list.
//
// Threads: plain values, pure functions.
// Trust:   the list is root's, the addresses are the kernel's.

#ifndef LIBTELEPORT_NET_NETWORK_LIST_HPP
#define LIBTELEPORT_NET_NETWORK_LIST_HPP

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

class network_list {
 public:
  /// Of every address.
  network_list() = default;

  /// Adds a network, "10.0.0.0/8" or "fd00::/8", or one address. From the first
  /// one on no other address is in the list. IPv4 written as IPv6
  /// ("::ffff:10.0.0.0/104") is IPv4.
  ///
  /// @error errc::bad_input: no network, or one with bits behind its length
  [[nodiscard]] result<void> add(std::string_view text);

  /// @param address  as the kernel tells it: an IPv4 address may be written as
  ///                 IPv6, and an IPv6 address may have a zone
  [[nodiscard]] bool contains(std::string_view address) const;

  /// Its networks, for another process's list.
  [[nodiscard]] std::vector<std::string> texts() const;

 private:
  struct network {
    std::array<unsigned char, 16> base{};  ///< an IPv4 one as ::ffff:A.B.C.D
    std::size_t bits = 0;                  ///< of `base`
    bool is_v4 = false;
  };
  std::vector<network> networks_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_NETWORK_LIST_HPP
