// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_identity.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <fmt/format.h>

#include "libteleport/disk/block_sysfs.hpp"
#include "libteleport/disk/loop_device.hpp"

namespace teleport {

namespace {

/// Longer than any that the kernel makes: a dm uuid has 128 characters, a
/// path of forms within forms three of them.
constexpr std::size_t max_text = 512;

/// LVM's identifiers, without the hyphens that its commands print.
constexpr std::size_t lvm_uuid_length = 32;

constexpr std::array<std::string_view, 7> forms = {
    "file:", "window:", "lv:", "dm:", "part:", "wwn:", "seq:"};

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// What follows KEY in the first line that begins with it.
std::string value_in(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) {
      return line.substr(key.size());
    }
  }
  return {};
}

/// A manufacturer's text: blanks at its ends and in it carry nothing.
std::string without_blanks(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
  return text;
}

error cannot_tell(const std::string& what, const std::string& why) {
  return {errc::unsupported,
          fmt::format("it cannot be told which disk {} is: {}", what, why)};
}

class looker {
 public:
  explicit looker(const identity_sources& from) : from_(from) {}

  /// @return the text form
  [[nodiscard]] result<std::string> device(dev_t number) const;
  [[nodiscard]] result<std::string> file(const std::string& path) const;

 private:
  [[nodiscard]] std::string folder(dev_t number) const {
    return block_folder(numbers_of(number), from_.sysfs);
  }
  [[nodiscard]] std::optional<std::string> mapped(dev_t number) const;
  [[nodiscard]] std::optional<std::string> partition(dev_t number) const;
  [[nodiscard]] std::optional<std::string> serial(dev_t number) const;
  [[nodiscard]] result<std::string> in_this_boot(dev_t number) const;
  [[nodiscard]] result<std::string> boot() const;
  [[nodiscard]] result<std::string> file_system(const std::string& path,
                                                dev_t number) const;

  const identity_sources& from_;
};

std::optional<std::string> looker::mapped(dev_t number) const {
  constexpr std::string_view lvm = "LVM-";
  const std::string uuid = first_line(folder(number) + "/dm/uuid");
  if (uuid.empty()) {
    return std::nullopt;
  }
  // LVM's hidden parts have a suffix: they are no volume of anybody's.
  if (uuid.starts_with(lvm) &&
      uuid.size() == lvm.size() + 2 * lvm_uuid_length) {
    return fmt::format("lv:{}:{}",
                       uuid.substr(lvm.size(), lvm_uuid_length),
                       uuid.substr(lvm.size() + lvm_uuid_length));
  }
  return "dm:" + uuid;
}

/// The uuid in the partition table: the kernel tells it since 6.14, before that
/// udev, which reads the table itself.
std::optional<std::string> looker::partition(dev_t number) const {
  if (first_line(folder(number) + "/partition").empty()) {
    return std::nullopt;
  }
  std::string uuid = value_in(folder(number) + "/uevent", "PARTUUID=");
  if (uuid.empty()) {
    uuid = value_in(
        fmt::format("{}/b{}:{}", from_.udev, major(number), minor(number)),
        "E:ID_PART_ENTRY_UUID=");
  }
  if (uuid.empty()) {
    return std::nullopt;
  }
  // A cloned disk has its original's uuids: where the disk can be told, both.
  unsigned disk_major = 0;
  unsigned disk_minor = 0;
  std::ifstream disk(folder(number) + "/../dev");
  char colon = 0;
  if (disk >> disk_major >> colon >> disk_minor) {
    const auto below = device(makedev(disk_major, disk_minor));
    if (below && !below->starts_with("seq:")) {
      return fmt::format("part:{}:{}", uuid, *below);
    }
  }
  return "part:" + uuid;
}

std::optional<std::string> looker::serial(dev_t number) const {
  for (const char* name : {"/wwid", "/device/wwid"}) {
    const std::string id = without_blanks(first_line(folder(number) + name));
    if (!id.empty()) {
      return "wwn:" + id;
    }
  }
  return std::nullopt;
}

result<std::string> looker::boot() const {
  std::string id = this_boot(from_.boot_id);
  return id.empty() ? result<std::string>(system_error(ENOENT, from_.boot_id))
                    : std::move(id);
}

result<std::string> looker::in_this_boot(dev_t number) const {
  std::string sequence = first_line(folder(number) + "/diskseq");
  if (sequence.empty()) {
    // A partition has its disk's.
    sequence = first_line(folder(number) + "/../diskseq");
    const std::string part = first_line(folder(number) + "/partition");
    if (!sequence.empty() && !part.empty()) {
      sequence += "p" + part;
    }
  }
  const auto id = boot();
  if (sequence.empty() || !id) {
    return cannot_tell("device " + numbers_of(number),
                       sequence.empty()
                           ? "it has no uuid, and the kernel (before 5.15) no "
                             "sequence number for it"
                           : id.error().context);
  }
  return fmt::format("seq:{}@{}", sequence, *id);
}

result<std::string> looker::device(dev_t number) const {
  for (const auto look :
       {&looker::mapped, &looker::partition, &looker::serial}) {
    if (auto found = (this->*look)(number)) {
      return std::move(*found);
    }
  }
  return in_this_boot(number);
}

/// The file system by the device that it lies on, where that outlives the
/// boot. Else by its own number: ext4, btrfs and tmpfs make it of their uuid,
/// XFS of the device's number, which does not count.
result<std::string> looker::file_system(const std::string& path,
                                        dev_t number) const {
  auto below =
      major(number) == 0 ? result<std::string>(error()) : device(number);
  if (below && !below->starts_with("seq:")) {
    return below;
  }
  struct statfs about {};
  if (::statfs(path.c_str(), &about) != 0) {
    return system_error(errno, path);
  }
  std::uint64_t id = 0;
  static_assert(sizeof about.f_fsid == sizeof id);
  std::memcpy(&id, &about.f_fsid, sizeof id);
  if (id != 0 && static_cast<unsigned long>(about.f_type) != XFS_SUPER_MAGIC) {
    return fmt::format("fsid-{:016x}", id);
  }
  if (below) {
    return below;
  }
  const auto now = boot();
  return now ? fmt::format("seq:{}.{}@{}", major(number), minor(number), *now)
             : result<std::string>(now.error());
}

result<std::string> looker::file(const std::string& path) const {
  struct statx about {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &about) !=
      0) {
    return system_error(errno, path);
  }
  const auto on =
      file_system(path, makedev(about.stx_dev_major, about.stx_dev_minor));
  if (!on) {
    return on;
  }
  constexpr std::uint64_t nanoseconds = 1'000'000'000;
  const std::string born =
      (about.stx_mask & STATX_BTIME) == 0
          ? "-"
          : std::to_string(static_cast<std::uint64_t>(about.stx_btime.tv_sec) *
                               nanoseconds +
                           about.stx_btime.tv_nsec);
  return fmt::format("file:{}:{}:{}", *on, about.stx_ino, born);
}

/// A loop device is what lies under it; none when nothing does.
result<std::optional<std::string>> under_loop(const looker& look,
                                              const std::string& path) {
  const auto window = window_of_loop(path);
  if (!window) {
    return window.error();
  }
  if (!*window) {
    return std::optional<std::string>();
  }
  auto file = look.file((*window)->file);
  if (!file) {
    return file.error();
  }
  const bool whole = (*window)->offset == 0 && (*window)->limit == 0;
  return std::optional(
      whole
          ? std::move(*file)
          : fmt::format(
                "window:{}+{}:{}", (*window)->offset, (*window)->limit, *file));
}

}  // namespace

result<disk_identity> disk_identity::parse(std::string_view text) {
  const bool known = std::ranges::any_of(forms, [&](std::string_view form) {
    return text.starts_with(form) && text.size() > form.size();
  });
  const bool printable =
      std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!known || !printable || text.size() > max_text) {
    return error(errc::corrupt, "not a disk's identity");
  }
  return disk_identity(std::string(text));
}

bool disk_identity::outlives_boot() const {
  // Also as what lies under it.
  return text_.find("seq:") == std::string::npos;
}

result<disk_identity> identify_disk(const std::string& path,
                                    const identity_sources& from) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    return system_error(errno, path);
  }
  const looker look(from);
  result<std::string> text = error(
      errc::bad_input, path + " is neither a block device nor a regular file");
  if (S_ISREG(about.st_mode)) {
    text = look.file(path);
  } else if (S_ISBLK(about.st_mode)) {
    auto file = under_loop(look, path);
    text = !file   ? result<std::string>(file.error())
           : *file ? std::move(**file)
                   : look.device(about.st_rdev);
  }
  if (!text) {
    return text.error();
  }
  const auto made = disk_identity::parse(*text);
  return made ? made : cannot_tell(path, "'" + *text + "' is no plain text");
}

result<disk_identity> identity_of_volume(const std::string& vg_uuid,
                                         const std::string& lv_uuid) {
  std::string text = "lv:";
  for (const std::string* uuid : {&vg_uuid, &lv_uuid}) {
    std::string plain = *uuid;
    std::erase(plain, '-');
    if (plain.size() != lvm_uuid_length) {
      return error(errc::system, "LVM gave '" + *uuid + "' for a uuid");
    }
    text += (uuid == &vg_uuid ? "" : ":") + plain;
  }
  return disk_identity::parse(text);
}

}  // namespace teleport
