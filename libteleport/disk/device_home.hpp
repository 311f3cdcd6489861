// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/device_home.hpp: a disk that is any other block device: a
// partition, a whole disk, another device of the device mapper. It stays where
// it is. See disk_home.hpp.

#ifndef LIBTELEPORT_DISK_DEVICE_HOME_HPP
#define LIBTELEPORT_DISK_DEVICE_HOME_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "libteleport/disk/disk_home.hpp"

namespace teleport {

class device_home final : public disk_home {
 public:
  using disk_home::disk_home;

  [[nodiscard]] static result<std::optional<disk_place>> find(
      const std::string& device);

  [[nodiscard]] bool can_remove() const noexcept override { return false; }
  [[nodiscard]] bool can_resize() const noexcept override { return false; }
  /// It takes no space of anything.
  [[nodiscard]] result<std::uint64_t> held_bytes() const override { return 0; }
  [[nodiscard]] result<std::optional<disk_space>> space() const override {
    return std::optional<disk_space>();
  }

 private:
  [[nodiscard]] result<bool> exists(const std::string& name) const override;
  [[nodiscard]] result<void> rename(const std::string& from,
                                    const std::string& to) override;
  [[nodiscard]] result<std::string> open(const std::string& name) override;
  [[nodiscard]] result<void> close(const std::string& name) override;
  [[nodiscard]] result<void> resize_at(const std::string& name,
                                       std::uint64_t size) override;
  [[nodiscard]] result<void> remove_at(const std::string& name) override;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DEVICE_HOME_HPP
