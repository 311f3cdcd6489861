// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xen_release.hpp: with which Xen this process works, for
// people.
//
// Threads: any. Blocks: on sysfs.

#ifndef LIBTELEPORT_XEN_XEN_RELEASE_HPP
#define LIBTELEPORT_XEN_XEN_RELEASE_HPP

#include <string>

namespace teleport {

/// "4.17": of the libxenlight that is loaded, by its file's name; empty where
/// none is.
[[nodiscard]] std::string xen_of_library();

/// "4.17.5": of the Xen that this host runs under; empty where it runs under
/// none.
///
/// @param folder  of the kernel's, but for tests
[[nodiscard]] std::string xen_of_host(
    const std::string& folder = "/sys/hypervisor");

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_XEN_RELEASE_HPP
