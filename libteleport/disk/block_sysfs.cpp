// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/block_sysfs.hpp"

#include <fstream>

#include <sys/sysmacros.h>

#include <fmt/format.h>

namespace teleport {

std::string numbers_of(dev_t device) {
  return fmt::format("{}:{}", major(device), minor(device));
}

std::string block_folder(std::string_view numbers, std::string_view sysfs) {
  return fmt::format("{}/dev/block/{}", sysfs, numbers);
}

std::string block_attribute(std::string_view numbers, std::string_view name) {
  std::ifstream file(fmt::format("{}/{}", block_folder(numbers), name));
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace teleport
