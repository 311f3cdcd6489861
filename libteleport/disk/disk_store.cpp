// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_store.hpp"

#include "libteleport/base/units.hpp"

namespace teleport {

result<void> check_disk_name(std::string_view name) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  if (name.empty() || name.size() > max_disk_name) {
    return error(errc::bad_input,
                 "a disk's name of " + std::to_string(name.size()) +
                     " characters: 1 to " + std::to_string(max_disk_name) +
                     " are allowed");
  }
  // The name itself is not repeated: it may hold anything.
  if (name.find_first_not_of(allowed) != std::string_view::npos) {
    return error(errc::bad_input,
                 "a disk's name with a character outside of [A-Za-z0-9._+-]");
  }
  if (name[0] == '.' || name[0] == '-') {
    return error(errc::bad_input,
                 "a disk's name that begins with a dot or a hyphen");
  }
  if (name.size() >= shadow_suffix.size() &&
      name.substr(name.size() - shadow_suffix.size()) == shadow_suffix) {
    return error(errc::bad_input,
                 "a disk's name that ends in " + std::string(shadow_suffix) +
                     ", which marks disks that were set aside");
  }
  return {};
}

result<void> check_disk_size(std::uint64_t size) {
  if (size == 0 || size > max_disk_bytes || size % sector_bytes != 0) {
    return error(errc::bad_input,
                 "a disk of " + std::to_string(size) +
                     " bytes: multiples of 512 up to " +
                     std::to_string(max_disk_bytes) + " are allowed");
  }
  return {};
}

bool has_image_size(std::uint64_t size) {
  return size >= 1_MiB && size % sector_bytes == 0;
}

result<std::unique_ptr<disk_store>> open_store(const store_config& config) {
  const auto open = entry_of(config.kind).open_store;
  return open != nullptr ? open(config)
                         : error(errc::unsupported,
                                 "no disk can be made of this kind of store");
}

}  // namespace teleport
