// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/file_home.hpp: a disk that is a regular file, behind a loop
// device while it is used. See disk_home.hpp.

#ifndef LIBTELEPORT_DISK_FILE_HOME_HPP
#define LIBTELEPORT_DISK_FILE_HOME_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "libteleport/disk/disk_home.hpp"

namespace teleport {

class file_home final : public disk_home {
 public:
  using disk_home::disk_home;

  [[nodiscard]] static result<std::optional<disk_place>> find(
      const std::string& device);
  /// The place of a file, whether it is there or not.
  ///
  /// @param path  absolute and without symbolic links
  [[nodiscard]] static disk_place place_of(std::string path);

  [[nodiscard]] bool can_remove() const noexcept override { return true; }
  [[nodiscard]] bool can_resize() const noexcept override { return true; }
  [[nodiscard]] result<std::uint64_t> held_bytes() const override;
  [[nodiscard]] result<std::optional<disk_space>> space() const override;

  /// Of the file system that a path is in.
  [[nodiscard]] static result<disk_space> space_at(const std::string& path);

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

#endif  // LIBTELEPORT_DISK_FILE_HOME_HPP
