// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/donor_set.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/disk_home.hpp"

namespace teleport {

namespace {

/// FORMAT.md section 3.2; a longer path cannot be indexed.
constexpr std::size_t max_path = 4096;

/// One disk, under whatever names: a file by its inode, also when it is reached
/// through a loop device; else the device.
struct disk_key {
  bool is_file = false;
  device_number device;
  std::uint64_t inode = 0;
  friend bool operator<(const disk_key& a, const disk_key& b) {
    return std::tie(a.is_file, a.device, a.inode) <
           std::tie(b.is_file, b.device, b.inode);
  }
};

class chooser {
 public:
  explicit chooser(const donor_view& view);
  donor_plan choose();

 private:
  using kind = path_facts::kind;

  [[nodiscard]] path_facts facts_of(const std::string& path) const;
  [[nodiscard]] const device_facts* device_of(device_number number) const;
  /// The file that a loop device shows as a whole.
  [[nodiscard]] std::optional<path_facts> file_of(device_number number) const;
  [[nodiscard]] disk_key key_of(device_number number) const;
  /// None when no disk is there.
  [[nodiscard]] std::optional<disk_key> key_of(const std::string& path) const;
  [[nodiscard]] bool names(const std::string& path, device_number number) const;
  [[nodiscard]] std::string node_of(device_number number) const;
  [[nodiscard]] std::string tracked(const std::string& path,
                                    const disk_key& key) const;
  [[nodiscard]] std::string stable_name(const running_disk& disk) const;
  [[nodiscard]] bool is_deleted(const index::disk_record& disk) const;
  /// The same disk's path now, when it is gone from the one it was indexed by.
  [[nodiscard]] std::string new_name(const index::disk_record& disk) const;
  [[nodiscard]] bool is_same(const index::disk_record& disk,
                             const std::string& path) const;
  bool take_renamed(const index::disk_record& disk);
  void find_loops();
  void hold(std::string path,
            std::string device,
            std::uint32_t id,
            bool by_itself);
  void take_listed(const index::disk_record& disk);
  void take_own(const index::disk_record& disk);
  void take_lost(const std::string& path);
  void take_new(const std::string& path, const disk_key& key);

  const donor_view& view_;
  donor_plan plan_;
  std::set<disk_key> held_;
  std::set<disk_key> targets_;
  std::map<disk_key, std::string> loops_;
};

chooser::chooser(const donor_view& view) : view_(view) {
  find_loops();
  for (const std::string& path :
       view.targets.value_or(std::vector<std::string>())) {
    if (const auto key = key_of(path)) {
      targets_.insert(*key);
    }
  }
}

/// Of several loop devices over one file, the one that a guest writes.
void chooser::find_loops() {
  const auto add = [&](device_number number, bool preferred) {
    if (!file_of(number)) {
      return;
    }
    const auto [at, added] = loops_.emplace(key_of(number), node_of(number));
    if (!added && preferred) {
      at->second = node_of(number);
    }
  };
  for (const auto& [number, facts] : view_.devices) {
    add(number, false);
  }
  for (const running_disk& disk :
       view_.guests.value_or(std::vector<running_disk>())) {
    add({disk.major, disk.minor}, disk.writable);
  }
}

path_facts chooser::facts_of(const std::string& path) const {
  const auto found = view_.paths.find(path);
  return found == view_.paths.end() ? path_facts() : found->second;
}

const device_facts* chooser::device_of(device_number number) const {
  const auto found = view_.devices.find(number);
  return found == view_.devices.end() ? nullptr : &found->second;
}

std::optional<path_facts> chooser::file_of(device_number number) const {
  const device_facts* const device = device_of(number);
  if (device == nullptr || device->backing.empty()) {
    return std::nullopt;
  }
  const path_facts file = facts_of(device->backing);
  return file.what == kind::file ? std::optional(file) : std::nullopt;
}

disk_key chooser::key_of(device_number number) const {
  const auto file = file_of(number);
  return file ? disk_key{true, file->on, file->inode}
              : disk_key{false, number, 0};
}

std::optional<disk_key> chooser::key_of(const std::string& path) const {
  const path_facts facts = facts_of(path);
  if (facts.what == kind::file) {
    return disk_key{true, facts.on, facts.inode};
  }
  if (facts.what != kind::device) {
    return std::nullopt;
  }
  const device_facts* const device = device_of(facts.number);
  if (device != nullptr && device->is_loop && !device->attached) {
    return std::nullopt;
  }
  return key_of(facts.number);
}

bool chooser::names(const std::string& path, device_number number) const {
  const path_facts facts = facts_of(path);
  return facts.what == kind::device && facts.number == number;
}

std::string chooser::node_of(device_number number) const {
  const device_facts* const device = device_of(number);
  return device != nullptr && names(device->node, number) ? device->node
                                                          : std::string();
}

/// @return the device through which the disk at `path` is written
std::string chooser::tracked(const std::string& path,
                             const disk_key& key) const {
  const path_facts facts = facts_of(path);
  if (facts.what == kind::device) {
    const std::string node = node_of(facts.number);
    return node.empty() ? path : node;
  }
  const auto loop = loops_.find(key);
  return loop == loops_.end() ? std::string() : loop->second;
}

std::string chooser::stable_name(const running_disk& disk) const {
  const device_number number{disk.major, disk.minor};
  if (const auto file = file_of(number)) {
    return file->real;
  }
  const device_facts* const device = device_of(number);
  if (device == nullptr || (device->is_loop && !device->attached)) {
    return {};
  }
  // The kernel's own names, "/dev/dm-2", may mean another disk tomorrow.
  if (disk.path != device->node && names(disk.path, number)) {
    return disk.path;
  }
  return names(device->mapper, number) ? device->mapper : node_of(number);
}

/// Was this file deleted, and not only its filesystem unmounted?
bool chooser::is_deleted(const index::disk_record& disk) const {
  const path_facts facts = facts_of(disk.path);
  const std::string its_filesystem =
      fmt::format("file {}:{}:", facts.on.major, facts.on.minor);
  return facts.what == kind::absent && facts.on != device_number() &&
         disk.identity.starts_with(its_filesystem);
}

/// Compares by an inode's number or a device-mapper UUID. Another file of the
/// same size may have the inode's number by now: then the record is stale until
/// the scan that the file's time of change leads to.
bool chooser::is_same(const index::disk_record& disk,
                      const std::string& path) const {
  const path_facts facts = facts_of(path);
  if (facts.what == kind::file) {
    return facts.size == disk.size &&
           disk.identity == fmt::format("file {}:{}:{}",
                                        facts.on.major,
                                        facts.on.minor,
                                        facts.inode);
  }
  const device_facts* const device =
      facts.what == kind::device ? device_of(facts.number) : nullptr;
  return device != nullptr && !device->uuid.empty() &&
         disk.identity == "dm " + device->uuid;
}

std::string chooser::new_name(const index::disk_record& disk) const {
  if (facts_of(disk.path).what != kind::absent || !view_.targets) {
    return {};
  }
  std::vector<std::string> names = other_names(disk.path);
  names.insert(names.end(), view_.images.begin(), view_.images.end());
  for (const std::string& name : names) {
    const auto key = is_same(disk, name) ? key_of(name) : std::nullopt;
    const bool taken = std::ranges::any_of(
        view_.indexed,
        [&](const index::disk_record& other) { return other.path == name; });
    if (key && !taken && !targets_.contains(*key) && !held_.contains(*key) &&
        name.size() <= max_path) {
      return name;
    }
  }
  return {};
}

bool chooser::take_renamed(const index::disk_record& disk) {
  const std::string name = new_name(disk);
  const auto key = name.empty() ? std::nullopt : key_of(name);
  if (!key) {
    return false;
  }
  held_.insert(*key);
  plan_.rename.push_back({disk.id, disk.path, name});
  hold(name, tracked(name, *key), disk.id, disk.by_itself);
  return true;
}

void chooser::hold(std::string path,
                   std::string device,
                   std::uint32_t id,
                   bool by_itself) {
  const device_number number = facts_of(device).number;
  const std::uint32_t guest =
      device.empty() || !view_.guests
          ? 0
          : only_guest_of(*view_.guests, number.major, number.minor);
  plan_.hold.push_back(
      {std::move(path), std::move(device), id, by_itself, guest});
}

void chooser::take_listed(const index::disk_record& disk) {
  const auto key = key_of(disk.path);
  if (!key) {
    if (!take_renamed(disk)) {
      plan_.missing.push_back({disk.id, disk.path});
    }
    return;
  }
  held_.insert(*key);
  hold(disk.path, tracked(disk.path, *key), disk.id, false);
}

void chooser::take_own(const index::disk_record& disk) {
  const auto key = key_of(disk.path);
  if (!key && take_renamed(disk)) {
    return;
  }
  if (!key) {
    const bool gone =
        is_deleted(disk) || (view_.long_gone.contains(disk.id) &&
                             facts_of(disk.path).what != kind::unreachable);
    (gone ? plan_.drop : plan_.waiting).push_back({disk.id, disk.path});
    return;
  }
  // A loop device's number, taken for a file without a name, may have come to
  // stand for a file that has one.
  const bool has_other_name =
      facts_of(disk.path).what == kind::device && key->is_file;
  if (has_other_name || !held_.insert(*key).second) {
    plan_.drop.push_back({disk.id, disk.path});
    return;
  }
  hold(disk.path, tracked(disk.path, *key), disk.id, true);
}

void chooser::take_lost(const std::string& path) {
  const auto key = key_of(path);
  if (!key) {
    plan_.missing.push_back({0, path});
  } else if (held_.insert(*key).second) {
    hold(path, tracked(path, *key), 0, false);
  }
}

void chooser::take_new(const std::string& path, const disk_key& key) {
  if (path.empty() || path.size() > max_path ||
      path.find('\n') != std::string::npos || targets_.contains(key) ||
      !held_.insert(key).second) {
    return;
  }
  hold(path, tracked(path, key), 0, true);
}

donor_plan chooser::choose() {
  plan_.guests_known = view_.guests.has_value();
  for (const index::disk_record& disk : view_.indexed) {
    if (!disk.by_itself) {
      take_listed(disk);
    }
  }
  for (const std::string& path : view_.lost) {
    take_lost(path);
  }
  for (const index::disk_record& disk : view_.indexed) {
    if (disk.by_itself) {
      take_own(disk);
    }
  }
  if (!view_.targets) {
    return std::move(plan_);
  }
  for (const std::string& path : view_.images) {
    if (const auto key = key_of(path)) {
      take_new(path, *key);
    }
  }
  const auto no_guests = std::vector<running_disk>();
  for (const running_disk& disk :
       view_.adds_guests ? view_.guests.value_or(no_guests) : no_guests) {
    take_new(stable_name(disk), key_of(device_number{disk.major, disk.minor}));
  }
  return std::move(plan_);
}

}  // namespace

std::size_t follow_at_most(std::size_t most, std::vector<donor>& disks) {
  std::size_t left_out = 0;
  const auto follow = [&](bool of_guests) {
    for (donor& disk : disks) {
      if (disk.device.empty() || (disk.guest != 0) != of_guests) {
        continue;
      }
      if (most > 0) {
        --most;
      } else {
        disk.device.clear();
        ++left_out;
      }
    }
  };
  follow(true);
  follow(false);
  return left_out;
}

donor_plan choose_donors(const donor_view& view) {
  return chooser(view).choose();
}

donor_set::donor_set(settings options, guest_source guests, host_roots roots)
    : options_(std::move(options)),
      guests_(std::move(guests)),
      roots_(std::move(roots)) {}

/// Says a failure once, until it is another or none.
void donor_set::tell(std::string& last, const std::string& failure) {
  if (!failure.empty() && failure != last) {
    log_warning("index: " + failure);
  }
  last = failure;
}

/// The targets last: a file that was seen before it became a target is known
/// as one now.
void donor_set::look_for_new(donor_view& view) {
  for (const std::string& folder : options_.index_folders) {
    for (std::string& image : images_in(folder)) {
      view.images.push_back(std::move(image));
    }
  }
  view.adds_guests = options_.index_donors == donor_choice::automatic;
  auto guests = guests_();
  tell(guests_failure_,
       guests ? "" : "no guest's disk is followed: " + guests.error().context);
  if (guests) {
    view.guests = std::move(*guests);
  }
  auto targets = targets_on(options_);
  tell(targets_failure_,
       targets ? "" : "no disks are added: " + targets.error().context);
  if (targets) {
    view.targets = std::move(*targets);
  }
}

void donor_set::remember(const donor_plan& plan,
                         std::chrono::steady_clock::time_point now) {
  std::map<std::uint32_t, std::chrono::steady_clock::time_point> missed;
  for (const missing_donor& disk : plan.waiting) {
    const auto before = missed_since_.find(disk.id);
    missed[disk.id] = before == missed_since_.end() ? now : before->second;
  }
  missed_since_ = std::move(missed);
}

result<donor_plan> donor_set::look(index::store& tables,
                                   std::chrono::steady_clock::time_point now) {
  donor_view view;
  look_for_new(view);
  const auto disks = tables.disks();
  if (!disks) {
    return disks.error();
  }
  auto lost = tables.lost_paths();
  if (!lost) {
    return lost.error();
  }
  view.indexed = disks->all();
  view.lost = std::move(*lost);
  for (const auto& [id, since] : missed_since_) {
    if (now - since >= gone_for_good) {
      view.long_gone.insert(id);
    }
  }
  resolve(view, roots_);
  donor_plan plan = choose_donors(view);
  remember(plan, now);
  return plan;
}

}  // namespace teleport
