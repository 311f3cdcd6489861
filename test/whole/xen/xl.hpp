// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/xl.hpp: the parts of the false `xl`.

#ifndef TEST_WHOLE_XEN_XL_HPP
#define TEST_WHOLE_XEN_XL_HPP

#include <string>

#include "libteleport/base/unique_fd.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport::whole {

/// xl's global lock: held while a guest is made, by `xl create` as by
/// `xl migrate-receive` until all memory is there.
[[nodiscard]] unique_fd lock_xl();

/// A guest as an xl.cfg(5) describes it: name, uuid, memory, vcpus, disk.
/// @throw std::runtime_error
[[nodiscard]] domain read_xl_config(const std::string& file);

/// A guest as libxl's JSON describes it.
[[nodiscard]] domain read_libxl_json(const std::string& json);

/// Plugs a disk into a guest that runs; its configuration has it from now on.
void attach_disk(std::uint32_t domid, const std::string& spec);

/// Unplugs a disk.
void detach_disk(std::uint32_t domid, const std::string& vdev);
/// Plugs a network interface in: "mac=MAC,bridge=BRIDGE".
void attach_nic(std::uint32_t domid, const std::string& spec);
/// Sets a number of b_info: "target_memkb".
void set_in_build_info(std::uint32_t domid,
                       const std::string& name,
                       std::uint64_t value);

/// Starts the process that watches over a guest until that ends. The caller
/// holds no lock.
void leave_monitor(const std::string& name, std::uint32_t domid);

/// `xl migrate-receive`, word for word as tools/xl/xl_migrate.c has it.
/// @return the exit code
[[nodiscard]] int migrate_receive();

}  // namespace teleport::whole

#endif  // TEST_WHOLE_XEN_XL_HPP
