// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/disk_identity.hpp: which disk a path names now, in words
// that are never used for another disk: a path, a loop device's number and a
// device-mapper number are dealt anew at each boot, these are not.
//
// Text forms, in the order in which they are looked for:
//   file:FS:INODE:BORN         a regular file, or the whole file under a loop
//                              device. FS is the file system's device, as one
//                              of the forms below, or fsid-HEX. BORN is its
//                              time of birth in ns since 1970, or "-" where the
//                              file system has none: inode numbers are used
//                              again.
//   window:OFFSET+BYTES:file:..  a loop device over a part of a file; BYTES is
//                              0 for all that follows
//   lv:VGUUID:LVUUID           a logical volume, also while it is inactive
//   dm:UUID                    another device of the device mapper
//   part:PARTUUID[:DISK]       a partition, with its disk where that is known
//   wwn:ID                     a SCSI or NVMe disk
//   seq:NUMBER@BOOT            any other device, until it is made anew, and in
//                              this boot alone (the kernel's diskseq)
//
// Threads: functions without state. Blocks: stat, sysfs and udev's files. LVM
// is not asked, and no disk is opened but loop devices.
// Trust: paths are the administrator's, or of an entry of ours.

#ifndef LIBTELEPORT_DISK_DISK_IDENTITY_HPP
#define LIBTELEPORT_DISK_DISK_IDENTITY_HPP

#include <string>
#include <string_view>
#include <utility>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/base/error.hpp"

namespace teleport {

class disk_identity {
 public:
  /// @error errc::corrupt when it is none of the forms above
  [[nodiscard]] static result<disk_identity> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// False when the next boot uses the same words for another disk, or other
  /// words for this one.
  [[nodiscard]] bool outlives_boot() const;

  friend bool operator==(const disk_identity&, const disk_identity&) = default;

 private:
  explicit disk_identity(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// Where to look, but for tests.
struct identity_sources {
  std::string sysfs = "/sys";
  /// Of udev, which reads the partition tables.
  std::string udev = "/run/udev/data";
  std::string boot_id = boot_id_file;
};

/// The disk that a path names: a regular file or a block device.
///
/// @error errc::not_found; errc::bad_input for anything else than the two;
///        errc::unsupported when it cannot be told, with what is missing: then
///        the caller does not write, rename or remove the disk
[[nodiscard]] result<disk_identity> identify_disk(
    const std::string& path, const identity_sources& from = {});

/// A volume's identity as LVM's own columns vg_uuid and lv_uuid have it.
[[nodiscard]] result<disk_identity> identity_of_volume(
    const std::string& vg_uuid, const std::string& lv_uuid);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DISK_IDENTITY_HPP
