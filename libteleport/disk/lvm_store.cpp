// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/lvm_store.hpp"

#include <utility>

#include "libteleport/disk/logical_volume.hpp"
#include "libteleport/disk/volume_home.hpp"

namespace teleport {

namespace {

class lvm_store final : public disk_store {
 public:
  lvm_store(store_config config, std::uint64_t extent, bool zeroing)
      : group_(std::move(config.path)),
        pool_(std::move(config.thin_pool)),
        extent_(extent),
        pool_zeroes_(zeroing) {}

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
  [[nodiscard]] bool is_thin() const noexcept { return !pool_.empty(); }
  [[nodiscard]] result<volume_name> name_of_volume(
      const std::string& backing) const;

  std::string group_;
  std::string pool_;      // empty for thick volumes
  std::uint64_t extent_;  // LVM's own: volumes are multiples of it
  bool pool_zeroes_;
};

bool lvm_store::owns(const std::string& backing) const {
  const auto name = parse_volume_path(backing);
  return name && name->group == group_ && name->path() == backing &&
         check_disk_name(name->volume) && name->volume != pool_;
}

result<volume_name> lvm_store::name_of_volume(
    const std::string& backing) const {
  if (!owns(backing)) {
    return error(errc::refused,
                 backing + " is not in the volume group " + group_);
  }
  auto name = *parse_volume_path(backing);
  const auto columns = ask_lvm("lvs", "pool_lv", name.argument());
  if (!columns) {
    return columns.error();
  }
  if (columns->at(0) != pool_) {
    return error(errc::refused,
                 backing + (is_thin() ? " is not in the thin pool " + pool_
                                      : " is a thin volume"));
  }
  return name;
}

result<void> lvm_store::check_size(std::uint64_t size) const {
  if (auto checked = check_disk_size(size); !checked) {
    return checked;
  }
  if (size % extent_ != 0) {
    return error(
        errc::bad_input,
        "a disk of " + std::to_string(size) + " bytes cannot be a volume in " +
            group_ + ", whose sizes are multiples of " +
            std::to_string(extent_) +
            " bytes: use a store of kind directory, or a volume group with "
            "smaller extents (vgchange --physicalextentsize)");
  }
  return {};
}

result<disk_space> lvm_store::space() {
  return volume_home::space_of(group_, pool_);
}

result<placed_disk> lvm_store::create(const std::string& name,
                                      std::uint64_t size) {
  if (auto checked = check_disk_name(name); !checked) {
    return checked.error();
  }
  if (auto checked = check_size(size); !checked) {
    return checked.error();
  }
  const volume_name volume{group_, name};
  // The second is where it is to be set aside when its guest leaves.
  for (const volume_name& one :
       {volume, volume_name{group_, name + std::string(shadow_suffix)}}) {
    const auto taken = volume_exists(one);
    if (!taken) {
      return taken.error();
    }
    if (*taken) {
      return error(errc::busy, one.path() + " exists already");
    }
  }
  if (!is_thin()) {
    const auto left = space();
    if (!left) {
      return left.error();
    }
    if (left->free < size) {
      return error(errc::no_space,
                   "the volume group " + group_ + " has " +
                       std::to_string(left->free) + " bytes left of " +
                       std::to_string(size));
    }
  }
  const std::string bytes = std::to_string(size) + "b";
  // Signatures of what lay there before are left alone: all is overwritten.
  const auto made = is_thin() ? run_lvm({"lvcreate",
                                         "--yes",
                                         "--name",
                                         name,
                                         "--virtualsize",
                                         bytes,
                                         "--thinpool",
                                         pool_,
                                         group_})
                              : run_lvm({"lvcreate",
                                         "--yes",
                                         "--wipesignatures",
                                         "n",
                                         "--name",
                                         name,
                                         "--size",
                                         bytes,
                                         group_});
  if (!made) {
    return made.error();
  }
  auto disk = open(volume.path());
  if (disk && disk->size != size) {
    const std::uint64_t got = disk->size;
    static_cast<void>(remove(*disk));
    return error(errc::unsupported,
                 "LVM made a volume of " + std::to_string(got) + " bytes for " +
                     std::to_string(size));
  }
  if (disk) {
    disk->reads_zero = is_thin() && pool_zeroes_;
  }
  return disk;
}

result<placed_disk> lvm_store::open(const std::string& backing) {
  const auto name = name_of_volume(backing);
  if (!name) {
    return name.error();
  }
  if (auto active = activate_volume(*name); !active) {
    return active.error();
  }
  const auto columns = ask_lvm("lvs", "lv_size", name->argument());
  if (!columns) {
    return columns.error();
  }
  const auto size = bytes_from_lvm(columns->at(0));
  if (!size) {
    return size.error();
  }
  placed_disk disk;
  disk.backing = backing;
  disk.device = backing;
  disk.size = *size;
  return disk;
}

result<void> lvm_store::close(const placed_disk& disk) {
  const auto name = name_of_volume(disk.backing);
  return name ? result<void>() : result<void>(name.error());
}

result<void> lvm_store::remove(const placed_disk& disk) {
  const auto name = name_of_volume(disk.backing);
  if (!name) {
    return name.error();
  }
  const auto done = run_lvm({"lvremove", "--yes", name->argument()});
  return done ? result<void>() : result<void>(done.error());
}

result<std::unique_ptr<disk_home>> lvm_store::home(const std::string& backing) {
  if (!owns(backing)) {
    return error(errc::refused,
                 backing + " is not in the volume group " + group_);
  }
  return home_at(volume_home::place_of(backing));
}

}  // namespace

result<std::unique_ptr<disk_store>> open_lvm_store(const store_config& config) {
  const bool thin = config.thin;
  if (!check_disk_name(config.path) ||
      (thin && !check_disk_name(config.thin_pool)) ||
      (!thin && !config.thin_pool.empty())) {
    return error(errc::bad_input,
                 "a store of kind lvm needs the name of a volume group, and "
                 "one of kind lvm_thin that of a thin pool as well");
  }
  const auto columns = ask_lvm("vgs", "vg_extent_size", config.path);
  if (!columns) {
    return columns.error();
  }
  const auto extent = bytes_from_lvm(columns->at(0));
  if (!extent || *extent == 0) {
    return error(errc::system, "LVM gave no extent size for " + config.path);
  }
  bool zeroing = false;
  if (thin) {
    const auto pool =
        ask_lvm("lvs", "segtype,zero", config.path + "/" + config.thin_pool);
    if (!pool) {
      return pool.error();
    }
    if (pool->at(0) != "thin-pool") {
      return error(
          errc::bad_input,
          config.path + "/" + config.thin_pool + " is not a thin pool");
    }
    const auto zeroes = check_pool_zeroes(config.path + "/" + config.thin_pool);
    if (!zeroes) {
      return zeroes.error();
    }
    zeroing = true;
  }
  return std::unique_ptr<disk_store>(
      std::make_unique<lvm_store>(config, *extent, zeroing));
}

}  // namespace teleport
