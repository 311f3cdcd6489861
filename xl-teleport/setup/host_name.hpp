// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/host_name.hpp: this host's own name, as it tells it to
// other hosts and writes it into its key.

#ifndef XL_TELEPORT_SETUP_HOST_NAME_HPP
#define XL_TELEPORT_SETUP_HOST_NAME_HPP

#include <string>

namespace teleport {

/// This host's name; "localhost" where the kernel tells none.
[[nodiscard]] std::string host_name();

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_HOST_NAME_HPP
