// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/standing_tracker.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/block_sysfs.hpp"
#include "libteleport/disk/device_stack.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

/// Marks are served by the extent: no need for finer ones, and those of 1 TiB
/// take 2 MiB of the kernel's memory.
constexpr std::size_t standing_grain = 64_KiB;

/// Grows when the note, the maps or what the programs count change.
constexpr std::uint32_t note_layout = 2;

/// Of a folder whose tracker is not complete yet.
constexpr std::string_view unfinished = "-new";

/// Names the very device: its sequence number changes when it is made anew.
std::string folder_of(const std::string& folder, const disk_facts& disk) {
  return folder + "/" + std::to_string(disk.major) + ":" +
         std::to_string(disk.minor) + "-" + std::to_string(disk.sequence);
}

result<void> prepare_folder(const std::string& folder) {
  const std::string above = fs::path(folder).parent_path();
  struct statfs about {};
  if (::statfs(above.c_str(), &about) != 0) {
    return system_error(errno, above);
  }
  if (static_cast<unsigned long>(about.f_type) != BPF_FS_MAGIC) {
    return error(errc::unsupported,
                 above +
                     " is no BPF file system, where trackers outlive their "
                     "process: mount -t bpf bpf " +
                     above);
  }
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return system_error(errno, "make " + folder);
  }
  return {};
}

/// Unpins, which detaches, what `test` says of a tracker's folder.
void remove_if(const std::string& folder,
               const std::function<bool(const fs::path&)>& test) {
  std::vector<fs::path> gone;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (test(entry.path())) {
      gone.push_back(entry.path());
    }
  }
  for (const fs::path& path : gone) {
    fs::remove_all(path, failed);
  }
}

/// Visits (word, bits) of the marks of one extent.
template <class Visit>
void for_marks_of(std::uint64_t extent, std::size_t words, Visit visit) {
  constexpr std::uint64_t per_extent = extent_bytes / standing_grain;
  static_assert(64 % per_extent == 0);
  const std::uint64_t first = extent * per_extent;
  const std::uint64_t bits = ((std::uint64_t{1} << per_extent) - 1)
                             << (first % 64);
  if (first / 64 < words) {
    visit(static_cast<std::size_t>(first / 64), bits);
  }
}

}  // namespace

result<void> standing_tracker::check_host(const std::string& folder) {
  const auto possible = tracker_programs::check_kernel();
  return possible ? prepare_folder(folder) : possible;
}

result<std::unique_ptr<standing_tracker>> standing_tracker::attach(
    const std::string& folder,
    const std::string& device,
    const tracker_purpose& purpose,
    std::chrono::milliseconds limit) {
  auto disk = find_disk(device);
  if (!disk) {
    return disk.error();
  }
  if (const auto size = mark_grain(*disk); !size) {
    return size.error();
  }
  if (auto there = prepare_folder(folder); !there) {
    return there.error();
  }
  remove(folder, device);
  auto programs =
      tracker_programs::attach(*disk, standing_grain, tracker_life::standing);
  if (!programs) {
    return in_context(device, programs.error());
  }
  std::unique_ptr<standing_tracker> made(new standing_tracker(
      std::move(*disk), std::move(*programs), standing_grain));
  const auto life = unique_id::make();
  if (!life) {
    return life.error();
  }
  made->life_ = *life;
  made->purpose_ = purpose;
  // Before the barrier: writes that passed it went to what is below now.
  const auto stack = stack_digest(made->disk_);
  if (!stack) {
    return in_context(device, stack.error());
  }
  made->stack_ = *stack;
  if (auto started = made->balance_.start_barrier(limit); !started) {
    return started.error();
  }
  if (auto noted = made->write_note(); !noted) {
    return noted.error();
  }
  // Renamed to its own name only when complete.
  const std::string name = folder_of(folder, made->disk_);
  const std::string before = name + std::string(unfinished);
  if (auto pinned = made->programs_.pin(before); !pinned) {
    return pinned.error();
  }
  if (::rename(before.c_str(), name.c_str()) != 0) {
    return system_error(errno, "rename " + before);
  }
  return made;
}

result<std::unique_ptr<standing_tracker>> standing_tracker::adopt(
    const std::string& folder, const std::string& device) {
  auto disk = find_disk(device);
  if (!disk) {
    return disk.error();
  }
  auto programs = tracker_programs::adopt(folder_of(folder, *disk));
  if (!programs) {
    return programs.error();
  }
  if (auto sound = programs->check_sound(); !sound) {
    return sound.error();
  }
  std::unique_ptr<standing_tracker> made(new standing_tracker(
      std::move(*disk), std::move(*programs), standing_grain));
  auto sound = made->read_note();
  if (sound) {
    sound = made->check_stack();
  }
  if (!sound) {
    return in_context(device, sound.error());
  }
  return made;
}

std::vector<std::string> standing_tracker::devices(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    // The name begins with the device's numbers.
    const std::string name = entry.path().filename();
    found.push_back("/dev/block/" + name.substr(0, name.find('-')));
  }
  return found;
}

void standing_tracker::keep_only(const std::string& folder,
                                 const std::vector<std::string>& devices) {
  std::set<std::string> kept;
  for (const std::string& device : devices) {
    if (const auto disk = find_disk(device)) {
      kept.insert(folder_of(folder, *disk));
    }
  }
  remove_if(folder, [&](const fs::path& path) { return !kept.contains(path); });
}

void standing_tracker::remove(const std::string& folder,
                              const std::string& device) {
  struct stat about {};
  if (::stat(device.c_str(), &about) != 0) {
    return;
  }
  const std::string numbers = numbers_of(about.st_rdev) + "-";
  remove_if(folder, [&](const fs::path& path) {
    return path.filename().string().starts_with(numbers);
  });
}

void move_marks(std::span<std::uint64_t> marks,
                std::span<std::uint64_t> taken,
                std::span<std::uint64_t> moved) {
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const std::atomic_ref<std::uint64_t> word(marks[i]);
    if (const std::uint64_t bits = word.load(std::memory_order_relaxed)) {
      // The mark is in both maps between these two lines.
      std::atomic_ref<std::uint64_t>(taken[i]).fetch_or(bits);
      word.fetch_and(~bits);
      moved[i] |= bits;
    }
  }
}

result<dirty_map> standing_tracker::collect() {
  if (auto same = check_same_disk(disk_); !same) {
    return same.error();
  }
  if (auto sound = programs_.check_sound(); !sound) {
    return sound.error();
  }
  if (auto same = check_stack(); !same) {
    return same.error();
  }
  dirty_map moved(disk_.sectors * sector_bytes, grain_);
  move_marks(programs_.marks(), programs_.taken(), moved.words());
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // As dirty_tracker's take(): what is in flight now is marked again.
  const auto again = balance_.mark_pending(grain_);
  if (!again) {
    return again;
  }
  moved.merge(*again);
  return moved;
}

void standing_tracker::served(std::uint64_t extent) {
  const auto taken = programs_.taken();
  for_marks_of(extent, taken.size(), [&](std::size_t word, std::uint64_t bits) {
    std::atomic_ref<std::uint64_t>(taken[word]).fetch_and(~bits);
  });
}

dirty_map standing_tracker::behind() const {
  dirty_map all(disk_.sectors * sector_bytes, grain_);
  const auto marks = programs_.marks();
  const auto taken = programs_.taken();
  for (std::size_t i = 0; i < marks.size(); ++i) {
    // Marks first: what leaves them meanwhile is found in `taken`.
    all.words()[i] = std::atomic_ref<std::uint64_t>(marks[i]).load();
    all.words()[i] |= std::atomic_ref<std::uint64_t>(taken[i]).load();
  }
  return all;
}

bool standing_tracker::is_dirty(std::uint64_t extent) const {
  bool dirty = true;
  const auto marks = programs_.marks();
  const auto taken = programs_.taken();
  for_marks_of(extent, marks.size(), [&](std::size_t word, std::uint64_t bits) {
    const auto marked = std::atomic_ref<std::uint64_t>(marks[word]).load();
    const auto moved = std::atomic_ref<std::uint64_t>(taken[word]).load();
    dirty = ((marked | moved) & bits) != 0;
  });
  return dirty;
}

result<void> standing_tracker::check_stack() const {
  const auto now = stack_digest(disk_);
  if (!now) {
    return now.error();
  }
  return *now == stack_
             ? result<void>()
             : error(errc::mismatch,
                     disk_.device + ": what the device is made of was changed");
}

result<void> standing_tracker::audit() {
  auto same = check_stack();
  return same ? balance_.audit() : same;
}

result<void> standing_tracker::set_served_epoch(std::uint64_t epoch) {
  epoch_ = epoch;
  return write_note();
}

result<void> standing_tracker::write_note() const {
  // Fields of eight bytes, in their places: who reads beside us sees each of
  // them as it was or as it is.
  byte_writer out;
  out.number(std::uint64_t{note_layout});
  out.number(disk_.sequence);
  out.number(disk_.start);
  out.number(disk_.sectors);
  out.number(stack_);
  out.number(balance_.base()->kernel);
  out.number(balance_.base()->ours);
  out.number(balance_.base()->unpaired);
  write_id(out, life_);
  write_id(out, purpose_.index);
  out.number(std::uint64_t{purpose_.guest});
  out.number(epoch_);
  return programs_.write_note(std::move(out).take());
}

result<void> standing_tracker::read_note() {
  const auto note = programs_.note();
  if (!note) {
    return note.error();
  }
  byte_reader in(*note);
  const auto layout = in.number<std::uint64_t>();
  const auto sequence = in.number<std::uint64_t>();
  const auto start = in.number<std::uint64_t>();
  const auto sectors = in.number<std::uint64_t>();
  stack_ = in.number<std::uint64_t>();
  baseline base;
  base.kernel = in.number<std::uint64_t>();
  base.ours = in.number<std::uint64_t>();
  base.unpaired = in.number<std::uint64_t>();
  const unique_id life = read_id(in);
  purpose_.index = read_id(in);
  purpose_.guest = static_cast<std::uint32_t>(in.number<std::uint64_t>());
  epoch_ = in.number<std::uint64_t>();
  const std::size_t words =
      count_of(count_of(sectors * sector_bytes, standing_grain), 64);
  if (layout != note_layout || sequence != disk_.sequence ||
      start != disk_.start || sectors != disk_.sectors ||
      programs_.marks().size() != words || (life_.is_set() && life != life_)) {
    return error(errc::mismatch,
                 "its tracker is of another release, or of a device that was "
                 "there before");
  }
  life_ = life;
  balance_.set_base(base);
  return {};
}

}  // namespace teleport
