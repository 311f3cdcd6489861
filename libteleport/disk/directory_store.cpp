// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/directory_store.hpp"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/file_home.hpp"
#include "libteleport/disk/file_system.hpp"
#include "libteleport/disk/loop_device.hpp"

namespace teleport {

namespace {

class directory_store final : public disk_store {
 public:
  directory_store(std::string path, unique_fd folder)
      : path_(std::move(path)), folder_(std::move(folder)) {}

  result<disk_space> space() override;
  [[nodiscard]] result<void> check_size(std::uint64_t size) const override;
  result<placed_disk> create(const std::string& name,
                             std::uint64_t size) override;
  result<placed_disk> open(const std::string& backing) override;
  result<void> close(const placed_disk& disk) override;
  result<void> remove(const placed_disk& disk) override;
  result<std::unique_ptr<disk_home>> home(const std::string& backing) override;
  [[nodiscard]] bool owns(const std::string& backing) const override;

 private:
  /// The name inside the folder, of a regular file that is really there.
  [[nodiscard]] result<std::string> name_of_file(
      const std::string& backing) const;
  result<void> make_file(const std::string& name, std::uint64_t size);
  result<void> delete_file(const std::string& name);

  std::string path_;
  unique_fd folder_;
};

bool directory_store::owns(const std::string& backing) const {
  const std::string prefix = path_ == "/" ? path_ : path_ + "/";
  return backing.size() > prefix.size() &&
         backing.compare(0, prefix.size(), prefix) == 0 &&
         check_disk_name(std::string_view(backing).substr(prefix.size()));
}

result<std::string> directory_store::name_of_file(
    const std::string& backing) const {
  if (!owns(backing)) {
    return error(errc::refused, backing + " is not in the store " + path_);
  }
  std::string name = backing.substr(backing.rfind('/') + 1);
  struct stat about {};
  if (::fstatat(folder_.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) !=
      0) {
    return system_error(errno, backing);
  }
  if (!S_ISREG(about.st_mode)) {
    return error(errc::refused, backing + " is not a regular file");
  }
  return name;
}

result<disk_space> directory_store::space() {
  return file_home::space_at(path_);
}

result<void> directory_store::check_size(std::uint64_t size) const {
  return check_disk_size(size);
}

result<void> directory_store::make_file(const std::string& name,
                                        std::uint64_t size) {
  const unique_fd file(
      ::openat(folder_.get(),
               name.c_str(),
               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
               S_IRUSR | S_IWUSR));
  if (!file) {
    return errno == EEXIST
               ? error(errc::busy, path_ + "/" + name + " exists already")
               : system_error(errno, "create " + path_ + "/" + name);
  }
  if (auto in_place = overwrite_in_place(file.get(), path_ + "/" + name);
      !in_place) {
    static_cast<void>(delete_file(name));
    return in_place;
  }
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0 ||
      ::fsync(file.get()) != 0 || ::fsync(folder_.get()) != 0) {
    const int failure = errno;
    static_cast<void>(delete_file(name));
    return system_error(failure, "create " + path_ + "/" + name);
  }
  return {};
}

result<void> directory_store::delete_file(const std::string& name) {
  if (::unlinkat(folder_.get(), name.c_str(), 0) != 0 ||
      ::fsync(folder_.get()) != 0) {
    return system_error(errno, "remove " + path_ + "/" + name);
  }
  return {};
}

result<placed_disk> directory_store::create(const std::string& name,
                                            std::uint64_t size) {
  if (auto checked = check_disk_name(name); !checked) {
    return checked.error();
  }
  if (auto checked = check_disk_size(size); !checked) {
    return checked.error();
  }
  // It is to be set aside when its guest leaves.
  const std::string aside = name + std::string(shadow_suffix);
  struct stat about {};
  if (::fstatat(folder_.get(), aside.c_str(), &about, AT_SYMLINK_NOFOLLOW) ==
      0) {
    return error(errc::busy, path_ + "/" + aside + " exists already");
  }
  if (auto made = make_file(name, size); !made) {
    return made.error();
  }
  placed_disk disk;
  disk.backing = path_ + "/" + name;
  disk.size = size;
  disk.reads_zero = true;
  auto device = attach_loop(disk.backing, "");
  if (!device) {
    static_cast<void>(delete_file(name));
    return device.error();
  }
  disk.device = std::move(*device);
  return disk;
}

result<placed_disk> directory_store::open(const std::string& backing) {
  const auto name = name_of_file(backing);
  if (!name) {
    return name.error();
  }
  struct stat about {};
  if (::fstatat(folder_.get(), name->c_str(), &about, AT_SYMLINK_NOFOLLOW) !=
      0) {
    return system_error(errno, backing);
  }
  placed_disk disk;
  disk.backing = backing;
  disk.size = static_cast<std::uint64_t>(about.st_size);
  if (auto checked = check_disk_size(disk.size); !checked) {
    return in_context(backing, checked.error());
  }
  auto found = find_loop(backing);
  if (!found) {
    return found.error();
  }
  auto device =
      *found ? result<std::string>(**found) : attach_loop(backing, "");
  if (!device) {
    return device.error();
  }
  disk.device = std::move(*device);
  return disk;
}

result<void> directory_store::close(const placed_disk& disk) {
  if (const auto name = name_of_file(disk.backing); !name) {
    return name.error();
  }
  const auto found = find_loop(disk.backing);
  if (!found) {
    return found.error();
  }
  return *found ? detach_loop(**found) : result<void>();
}

result<void> directory_store::remove(const placed_disk& disk) {
  const auto name = name_of_file(disk.backing);
  if (!name) {
    return name.error();
  }
  if (auto closed = close(disk); !closed) {
    return closed;
  }
  return delete_file(*name);
}

result<std::unique_ptr<disk_home>> directory_store::home(
    const std::string& backing) {
  if (!owns(backing)) {
    return error(errc::refused, backing + " is not in the store " + path_);
  }
  return home_at(file_home::place_of(backing));
}

}  // namespace

result<std::unique_ptr<disk_store>> open_directory_store(
    const store_config& config) {
  if (config.path.empty() || config.path[0] != '/') {
    return error(
        errc::bad_input,
        "the store's directory '" + config.path + "' is not an absolute path");
  }
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(config.path.c_str(), nullptr), &std::free);
  if (!real) {
    return system_error(errno, "the store's directory " + config.path);
  }
  if (auto fit = check_store_folder(real.get()); !fit) {
    return in_context("the store's directory", fit.error());
  }
  unique_fd folder(::open(real.get(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    return system_error(errno, "the store's directory " + config.path);
  }
  return std::unique_ptr<disk_store>(
      std::make_unique<directory_store>(real.get(), std::move(folder)));
}

}  // namespace teleport
