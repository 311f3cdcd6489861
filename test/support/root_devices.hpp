// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/root_devices.hpp: block devices made for one test and removed
// after it, by the system's own tools.

#ifndef TELEPORT_TEST_SUPPORT_ROOT_DEVICES_HPP
#define TELEPORT_TEST_SUPPORT_ROOT_DEVICES_HPP

#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "libteleport/base/process.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/skip.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

/// False where a root test cannot run here; it is then counted as skipped.
inline bool can_use_loop_devices() {
  if (::geteuid() != 0 || ::access("/dev/loop-control", R_OK | W_OK) != 0) {
    test::skip_test("needs root and loop devices");
    return false;
  }
  return true;
}

/// @param target  "linear", "delay", "thin-pool": asked of the kernel
inline bool can_use_device_mapper(const std::string& target) {
  if (!can_use_loop_devices()) {
    return false;
  }
  static_cast<void>(run_program({"modprobe", "dm-mod"}));
  static_cast<void>(run_program({"modprobe", "dm-" + target}));
  const auto targets = run_program({"dmsetup", "targets"});
  if (!targets || targets->find(target) == std::string::npos) {
    test::skip_test("needs dmsetup and the kernel's dm target " + target);
    return false;
  }
  return true;
}

/// What a device-mapper node needs before it can be removed: a moment.
inline void wait_for_udev() {
  static_cast<void>(run_program({"udevadm", "settle", "--timeout=5"}));
}

/// A loop device over a sparse file.
class loop_disk {
 public:
  explicit loop_disk(const std::string& mebibytes,
                     const std::string& sector = "512")
      : file_(folder_ / "disk") {
    REQUIRE(run_program({"truncate", "-s", mebibytes + "M", file_}));
    auto made = run_program(
        {"losetup", "--find", "--show", "--sector-size", sector, file_});
    REQUIRE(made);
    path_ = made->substr(0, made->find('\n'));
  }
  loop_disk(const loop_disk&) = delete;
  loop_disk& operator=(const loop_disk&) = delete;
  loop_disk(loop_disk&&) = delete;
  loop_disk& operator=(loop_disk&&) = delete;
  ~loop_disk() {
    wait_for_udev();
    static_cast<void>(run_program({"losetup", "--detach", path_}));
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

 private:
  temp_folder folder_;
  std::string file_;
  std::string path_;
};

/// A device-mapper device.
class mapped_disk {
 public:
  mapped_disk(const std::string& name, const std::string& table)
      : name_("teleport-test-" + std::to_string(::getpid()) + "-" + name) {
    program_options options;
    options.input = table;
    REQUIRE(run_program({"dmsetup", "create", name_}, options));
    wait_for_udev();
  }
  mapped_disk(const mapped_disk&) = delete;
  mapped_disk& operator=(const mapped_disk&) = delete;
  mapped_disk(mapped_disk&&) = delete;
  mapped_disk& operator=(mapped_disk&&) = delete;
  ~mapped_disk() {
    wait_for_udev();
    static_cast<void>(run_program({"dmsetup", "remove", "--retry", name_}));
  }

  [[nodiscard]] std::string path() const { return "/dev/mapper/" + name_; }

 private:
  std::string name_;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_ROOT_DEVICES_HPP
