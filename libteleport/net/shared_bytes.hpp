// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/shared_bytes.hpp: a piece of a buffer that lives for as long
// as somebody has a piece of it: several lanes write parts of one batch.

#ifndef LIBTELEPORT_NET_SHARED_BYTES_HPP
#define LIBTELEPORT_NET_SHARED_BYTES_HPP

#include <memory>
#include <utility>

#include "libteleport/base/bytes.hpp"

namespace teleport {

struct shared_bytes {
  std::shared_ptr<const byte_buffer> buffer;
  byte_span bytes;  ///< all or a part of it
};

[[nodiscard]] inline shared_bytes share(byte_buffer whole) {
  auto buffer = std::make_shared<const byte_buffer>(std::move(whole));
  const byte_span bytes(*buffer);
  return {std::move(buffer), bytes};
}

}  // namespace teleport

#endif  // LIBTELEPORT_NET_SHARED_BYTES_HPP
