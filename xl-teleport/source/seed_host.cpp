// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/seed_host.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/names.hpp"

namespace teleport {

namespace {

constexpr const char* first_disk = "xvda";
constexpr std::size_t max_name = 255;
constexpr std::size_t max_disk_name_there = 31;

/// A guest is called as its image is, less what says that it is one: of
/// "web1.example.org" nothing is.
std::string name_of_image(const std::filesystem::path& path) {
  const auto ending = path.extension();
  const bool is_image = ending == ".img" || ending == ".raw" ||
                        ending == ".disk" || ending == ".image";
  return is_image ? path.stem() : path.filename();
}

/// What a file is that is an image of another kind than blkback takes: seeded
/// as it is, no guest could have it as its disk.
std::optional<std::string> foreign_image(const std::string& path) {
  static constexpr std::pair<std::string_view, const char*> beginnings[] = {
      {"QFI\xfb", "qcow2"},
      {"KDMV", "VMDK"},
      {"conectix", "VHD"},
      {"vhdxfile", "VHDX"}};
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return std::nullopt;
  }
  std::array<char, 8> start{};
  std::ifstream(path).read(start.data(), start.size());
  for (const auto& [magic, kind] : beginnings) {
    if (std::string_view(start.data(), start.size()).starts_with(magic)) {
      return kind;
    }
  }
  return std::nullopt;
}

}  // namespace

result<guest_info> look_at_running(const std::string& name) {
  auto xen = toolstack::open();
  if (!xen) {
    return in_context("the disks of '" + name +
                          "' (an image without a guest is seeded by --disk)",
                      xen.error());
  }
  auto guest = (*xen)->describe(name);
  if (!guest) {
    return guest;
  }
  const auto disks = moved_disks(*guest);
  if (disks.empty()) {
    return error(errc::not_found, guest->name + " has no disk to seed");
  }
  for (const guest_disk& disk : disks) {
    if (disk.device.empty()) {
      return error(errc::unsupported,
                   disk.vdev + " of " + guest->name +
                       " is no block device under blkback: only those are "
                       "teleported and seeded");
    }
  }
  return guest;
}

result<guest_info> look_at_image(const std::string& path,
                                 const std::string& belongs_to) {
  guest_info guest;
  guest_disk disk;
  disk.vdev = first_disk;
  guest.name = belongs_to;
  if (belongs_to.empty()) {
    guest.name = name_of_image(path);
  } else if (const auto colon = belongs_to.find(':');
             colon != std::string::npos) {
    guest.name = belongs_to.substr(0, colon);
    disk.vdev = belongs_to.substr(colon + 1);
  }
  if (!is_plain_name(guest.name) || guest.name.size() > max_name ||
      !is_vdev(disk.vdev) || disk.vdev.size() > max_disk_name_there) {
    return error(errc::bad_input,
                 "'" + (belongs_to.empty() ? path : belongs_to) +
                     "' names no guest: say --as NAME or --as NAME:DISK, as "
                     "web1:xvda");
  }
  guest.uuid = is_uuid(guest.name) ? guest.name : uuid_of_name(guest.name);
  if (const auto kind = foreign_image(path)) {
    return error(errc::unsupported,
                 fmt::format("{} is a {} image, and a guest's disk here is a "
                             "raw one: make that of it by 'qemu-img convert -O "
                             "raw'",
                             path,
                             *kind));
  }
  auto device = open_device(path, open_mode::read_only);
  if (!device) {
    return device.error();
  }
  disk.size = (*device)->size();
  disk.device = path;
  disk.configured_path = path;
  disk.read_only = true;  // nobody follows who writes it
  guest.disks.push_back(std::move(disk));
  return guest;
}

}  // namespace teleport
