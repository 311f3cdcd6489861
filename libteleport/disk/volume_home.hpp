// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/volume_home.hpp: a disk that is an LVM logical volume, thick
// or thin. See disk_home.hpp.

#ifndef LIBTELEPORT_DISK_VOLUME_HOME_HPP
#define LIBTELEPORT_DISK_VOLUME_HOME_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "libteleport/disk/disk_home.hpp"

namespace teleport {

class volume_home final : public disk_home {
 public:
  using disk_home::disk_home;

  [[nodiscard]] static result<std::optional<disk_place>> find(
      const std::string& device);
  /// The place of a volume, whether it is there or not.
  ///
  /// @param path  "/dev/GROUP/VOLUME"
  [[nodiscard]] static disk_place place_of(std::string path);

  [[nodiscard]] bool can_remove() const noexcept override { return true; }
  [[nodiscard]] bool can_resize() const noexcept override { return true; }
  [[nodiscard]] result<std::uint64_t> held_bytes() const override;
  [[nodiscard]] result<std::optional<disk_space>> space() const override;
  /// Whole extents of its group alone.
  [[nodiscard]] result<void> check_new_size(std::uint64_t size) const override;

  /// Of a volume group, or of a thin pool in it.
  [[nodiscard]] static result<disk_space> space_of(const std::string& group,
                                                   const std::string& pool);

 private:
  [[nodiscard]] result<bool> exists(const std::string& name) const override;
  [[nodiscard]] result<disk_identity> identify(
      const std::string& name) const override;
  [[nodiscard]] result<void> rename(const std::string& from,
                                    const std::string& to) override;
  [[nodiscard]] result<std::string> open(const std::string& name) override;
  [[nodiscard]] result<void> close(const std::string& name) override;
  [[nodiscard]] result<void> check_fillable(const std::string& name) override;
  [[nodiscard]] result<void> resize_at(const std::string& name,
                                       std::uint64_t size) override;
  [[nodiscard]] result<void> remove_at(const std::string& name) override;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_VOLUME_HOME_HPP
