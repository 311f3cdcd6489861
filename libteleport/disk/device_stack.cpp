// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/device_stack.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/device_mapper.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

/// Deeper than any stack that is built by hand; ends a circle of links.
constexpr int max_depth = 16;

constexpr std::array<std::string_view, 4> drives{"sd", "nvme", "vd", "xvd"};

struct device_number {
  unsigned major = 0;
  unsigned minor = 0;
};

/// "MAJOR:MINOR" of sysfs' file `dev`.
result<device_number> number_in(const fs::path& folder) {
  std::ifstream in(folder / "dev");
  device_number number;
  char colon = 0;
  if (!(in >> number.major >> colon >> number.minor)) {
    return error(errc::system, (folder / "dev").string() + " has no number");
  }
  return number;
}

/// Which file, from where, how much of it.
result<void> add_loop(const std::string& name, byte_writer& all) {
  const std::string path = "/dev/" + name;
  const unique_fd loop(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  loop_info64 info{};
  if (!loop || ::ioctl(loop.get(), LOOP_GET_STATUS64, &info) != 0) {
    return system_error(errno, "ask " + path + " for its file");
  }
  for (const std::uint64_t part : {std::uint64_t{info.lo_device},
                                   std::uint64_t{info.lo_inode},
                                   std::uint64_t{info.lo_offset},
                                   std::uint64_t{info.lo_sizelimit}}) {
    all.number(part);
  }
  return {};
}

result<void> add_device(const fs::path& folder, int depth, byte_writer& all);

result<void> add_mapped(const fs::path& folder,
                        device_number number,
                        int depth,
                        byte_writer& all) {
  const auto table = table_digest(makedev(number.major, number.minor));
  if (!table) {
    return table.error();
  }
  all.number(*table);
  std::vector<fs::path> below;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder / "slaves", failed)) {
    below.push_back(fs::canonical(entry.path(), failed));
  }
  std::ranges::sort(below);
  for (const fs::path& part : below) {
    if (auto added = add_device(part, depth + 1, all); !added) {
      return added;
    }
  }
  return {};
}

result<void> add_device(const fs::path& folder, int depth, byte_writer& all) {
  if (depth > max_depth) {
    return error(errc::unsupported,
                 folder.string() + " lies too deep in a stack of devices");
  }
  if (fs::exists(folder / "partition")) {
    return add_device(folder.parent_path(), depth, all);
  }
  const std::string name = folder.filename();
  const auto number = number_in(folder);
  if (!number) {
    return number.error();
  }
  all.number(std::uint32_t{number->major});
  all.number(std::uint32_t{number->minor});
  if (name.starts_with("loop")) {
    return add_loop(name, all);
  }
  if (name.starts_with("dm-") || name.starts_with("md")) {
    return add_mapped(folder, *number, depth, all);
  }
  if (std::ranges::any_of(drives, [&](std::string_view kind) {
        return name.starts_with(kind);
      })) {
    return {};
  }
  return error(errc::unsupported,
               "the content of /dev/" + name +
                   " may change without a write that this host sees");
}

}  // namespace

result<std::uint64_t> stack_digest(const disk_facts& disk) {
  byte_writer all;
  if (auto added = add_device(disk.folder, 0, all); !added) {
    return added.error();
  }
  const byte_buffer bytes = std::move(all).take();
  sha256_stream sha;
  sha.update(bytes);
  return load_le<std::uint64_t>(byte_span(sha.finish()));
}

}  // namespace teleport
