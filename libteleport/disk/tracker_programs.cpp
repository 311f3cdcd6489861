// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/tracker_programs.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <libteleport/disk/dirty_tracker.skel.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// Entries read at once from the table.
constexpr std::uint32_t batch = 4096;

int to_log(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) {
    return 0;  // hundreds of lines for one load
  }
  std::array<char, 1024> line{};
  const int length =
      std::vsnprintf(line.data(), line.size(), format, arguments);
  if (length > 0) {
    std::string text(line.data());
    if (text.back() == '\n') {
      text.pop_back();
    }
    log_debug(text);
  }
  return length;
}

error refused(int failure, const char* what) {
  error cause = system_error(
      failure < 0 ? -failure : failure,
      std::string("the kernel refused to ") + what + " the tracker's programs");
  cause.code = errc::unsupported;
  cause.context +=
      " (needed: Linux 5.17 or newer with CONFIG_BPF_SYSCALL, "
      "CONFIG_BPF_EVENTS and CONFIG_DEBUG_INFO_BTF; the debug log holds the "
      "kernel's own words)";
  return cause;
}

template <class Counter>
std::uint64_t load(const Counter& counter) {
  // The kernel's programs add to it atomically.
  return __atomic_load_n(&counter, __ATOMIC_ACQUIRE);
}

/// Times the kernel passed a program over, as it was running on that CPU.
std::uint64_t misses_of(const unique_fd& program) {
  bpf_prog_info about{};
  std::uint32_t length = sizeof(about);
  return bpf_obj_get_info_by_fd(program.get(), &about, &length) == 0
             ? about.recursion_misses
             : 0;
}

using counter_block = std::remove_pointer_t<decltype(dirty_tracker_bpf::bss)>;

/// Names of what is pinned. No dots: the kernel keeps them for itself.
constexpr std::array map_names{
    "marks", "taken", "counters", "pending", "notes"};
constexpr std::array link_names{"on_bio_end", "on_request_end", "on_submit"};
constexpr std::size_t submit_link = 2;

unique_fd another(int fd) {
  constexpr int above_standard = 3;
  return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, above_standard));
}

struct destroy {
  void operator()(dirty_tracker_bpf* skeleton) const noexcept {
    dirty_tracker_bpf__destroy(skeleton);
  }
};
using skeleton_owner = std::unique_ptr<dirty_tracker_bpf, destroy>;

dirty_tracker_bpf* open_skeleton() {
#ifdef __clang_analyzer__
  return nullptr;  // it finds a leak in the generated code
#else
  return dirty_tracker_bpf__open();
#endif
}

}  // namespace

result<void> tracker_programs::check_kernel() {
  if (::geteuid() != 0) {
    return error(errc::unsupported,
                 "tracking a disk's writes needs BPF, and that needs root: run "
                 "as root");
  }
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    return error(errc::unsupported,
                 "this kernel has no type information (/sys/kernel/btf/"
                 "vmlinux): boot one with CONFIG_DEBUG_INFO_BTF=y, such as "
                 "Debian's");
  }
  std::ifstream file("/sys/kernel/security/lockdown");
  const std::string lockdown{std::istreambuf_iterator<char>(file), {}};
  if (lockdown.find("[confidentiality]") != std::string::npos) {
    return error(errc::unsupported,
                 "the kernel is locked down for confidentiality, which forbids "
                 "BPF: boot with lockdown=integrity");
  }
  return {};
}

result<tracker_programs> tracker_programs::attach(const disk_facts& disk,
                                                  std::size_t grain,
                                                  tracker_life life) {
  if (auto possible = check_kernel(); !possible) {
    return possible.error();
  }
  static_cast<void>(libbpf_set_print(to_log));
  const skeleton_owner skeleton(open_skeleton());
  if (!skeleton) {
    return refused(errno, "open");
  }
  const auto words = static_cast<std::uint32_t>(
      count_of(count_of(disk.sectors * sector_bytes, grain), 64));
  skeleton->rodata->disk_number = disk.disk_major << 20U | disk.disk_minor;
  skeleton->rodata->first_sector = disk.start;
  skeleton->rodata->sector_count = disk.sectors;
  skeleton->rodata->grain_shift =
      static_cast<std::uint32_t>(std::countr_zero(grain / sector_bytes));
  int r = bpf_map__set_max_entries(skeleton->maps.marks, words);
  if (r == 0 && life == tracker_life::standing) {
    r = bpf_map__set_max_entries(skeleton->maps.taken, words);
  }
  if (r == 0) {
    r = dirty_tracker_bpf__load(skeleton.get());
  }
  if (r != 0) {
    return refused(r, "load");
  }
  tracker_programs made;
  const auto& maps = skeleton->maps;
  std::array<unique_fd, map_names.size()> fds;
  std::ranges::transform(
      std::array{maps.marks, maps.taken, maps.bss, maps.pending, maps.notes},
      fds.begin(),
      [](const bpf_map* map) { return another(bpf_map__fd(map)); });
  if (auto shared = made.share(std::move(fds)); !shared) {
    return shared.error();
  }
  // Attaches the programs at a write's end first: attaching takes a while, and
  // a write whose begin alone is seen would stay in the table.
  const auto& programs = skeleton->progs;
  const std::array in_order{
      programs.on_bio_end, programs.on_request_end, programs.on_submit};
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    const std::unique_ptr<bpf_link, int (*)(bpf_link*)> link(
        bpf_program__attach(in_order[i]), bpf_link__destroy);
    if (!link) {
      return refused(errno, "attach");
    }
    made.links_[i] = another(bpf_link__fd(link.get()));
    made.programs_[i] = another(bpf_program__fd(in_order[i]));
  }
  made.count_left_ = another(bpf_program__fd(programs.count_left));
  return made;
}

result<void> tracker_programs::share(
    std::array<unique_fd, map_names.size()> maps) {
  const std::array shared{&marks_, &taken_, &counted_};
  for (std::size_t i = 0; i < maps.size(); ++i) {
    bpf_map_info about{};
    std::uint32_t length = sizeof(about);
    const int r = bpf_obj_get_info_by_fd(maps[i].get(), &about, &length);
    if (r != 0) {
      return system_error(-r, std::string("look at the map ") + map_names[i]);
    }
    if (i < shared.size()) {
      auto memory =
          shared_map::open(std::move(maps[i]),
                           std::size_t{about.max_entries} * about.value_size);
      if (!memory) {
        return memory.error();
      }
      *shared[i] = std::move(*memory);
    }
  }
  pending_ = std::move(maps[3]);
  notes_ = std::move(maps[4]);
  return {};
}

result<void> tracker_programs::pin(const std::string& folder) const {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0) {
    return system_error(errno, "make " + folder);
  }
  const auto pin_one = [&](int fd, const char* name) -> result<void> {
    const std::string path = folder + "/" + name;
    const int r = bpf_obj_pin(fd, path.c_str());
    return r == 0 ? result<void>() : system_error(-r, "pin " + path);
  };
  const std::array maps{
      marks_.fd(), taken_.fd(), counted_.fd(), pending_.get(), notes_.get()};
  for (std::size_t i = 0; i < maps.size(); ++i) {
    if (auto pinned = pin_one(maps[i], map_names[i]); !pinned) {
      return pinned;
    }
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (auto pinned = pin_one(links_[i].get(), link_names[i]); !pinned) {
      return pinned;
    }
  }
  return {};
}

result<tracker_programs> tracker_programs::adopt(const std::string& folder) {
  const auto open_one = [&](const char* name) -> result<unique_fd> {
    const std::string path = folder + "/" + name;
    const int fd = bpf_obj_get(path.c_str());
    return fd >= 0 ? result<unique_fd>(unique_fd(fd))
                   : system_error(-fd, "open " + path);
  };
  tracker_programs made;
  std::array<unique_fd, map_names.size()> maps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    auto map = open_one(map_names[i]);
    if (!map) {
      return map.error();
    }
    maps[i] = std::move(*map);
  }
  for (std::size_t i = 0; i < made.links_.size(); ++i) {
    auto link = open_one(link_names[i]);
    if (!link) {
      return link.error();
    }
    bpf_link_info about{};
    std::uint32_t length = sizeof(about);
    int r = bpf_obj_get_info_by_fd(link->get(), &about, &length);
    r = r == 0 ? bpf_prog_get_fd_by_id(about.prog_id) : r;
    if (r < 0) {
      return system_error(-r, "find the program of a tracker's link");
    }
    made.programs_[i].reset(r);
    made.links_[i] = std::move(*link);
  }
  if (auto shared = made.share(std::move(maps)); !shared) {
    return shared.error();
  }
  if (made.counted_.bytes() != sizeof(counter_block) ||
      made.taken_.bytes() != made.marks_.bytes()) {
    return error(errc::mismatch,
                 folder + ": another release of the tracker pinned it");
  }
  return made;
}

result<byte_buffer> tracker_programs::note() const {
  byte_buffer note(tracker_note_bytes);
  const std::uint32_t key = 0;
  const int r = bpf_map_lookup_elem(notes_.get(), &key, note.data());
  return r == 0 ? result<byte_buffer>(std::move(note))
                : system_error(-r, "read the tracker's note");
}

result<void> tracker_programs::write_note(byte_span note) const {
  byte_buffer whole(note.begin(), note.end());
  whole.resize(tracker_note_bytes);
  const std::uint32_t key = 0;
  const int r = bpf_map_update_elem(notes_.get(), &key, whole.data(), BPF_ANY);
  return r == 0 ? result<void>() : system_error(-r, "write the tracker's note");
}

result<std::vector<pending_write>> tracker_programs::pending() const {
  // In batches, which lock a bucket each: going from key to key could skip
  // entries when one is given back and used again.
  const int table = pending_.get();
  std::vector<std::uint64_t> keys(batch);
  std::vector<pending_write> values(batch);
  std::vector<pending_write> all;
  std::uint32_t position = 0;
  bool first = true;
  for (;;) {
    std::uint32_t count = batch;
    const int r = bpf_map_lookup_batch(table,
                                       first ? nullptr : &position,
                                       &position,
                                       keys.data(),
                                       values.data(),
                                       &count,
                                       nullptr);
    if (r != 0 && r != -ENOENT) {
      return system_error(-r, "list the pending writes");
    }
    all.insert(all.end(), values.begin(), values.begin() + count);
    if (r == -ENOENT) {
      return all;
    }
    first = false;
  }
}

result<std::uint64_t> tracker_programs::sectors_left() const {
  LIBBPF_OPTS(bpf_test_run_opts, run);
  const int r = bpf_prog_test_run_opts(count_left_.get(), &run);
  if (r != 0) {
    return system_error(-r, "count what is left of the pending writes");
  }
  return load(
      static_cast<const counter_block*>(counted_.memory())->sectors_left);
}

tracker_counters tracker_programs::counters() const {
  const auto& counted = *static_cast<const counter_block*>(counted_.memory());
  tracker_counters now;
  now.submitted_sectors =
      load(counted.submitted_sectors) - load(counted.refused_sectors);
  now.submitted_writes = load(counted.submitted_writes);
  now.reused = load(counted.reused);
  now.insert_failed = load(counted.insert_failed);
  now.unpaired = load(counted.unpaired);
  now.missed_ends = load(counted.strike_failed);
  for (std::size_t i = 0; i < programs_.size(); ++i) {
    (i == submit_link ? now.missed : now.missed_ends) +=
        misses_of(programs_[i]);
  }
  return now;
}

result<void> tracker_programs::check_sound() const {
  for (const unique_fd& link : links_) {
    bpf_link_info about{};
    std::uint32_t length = sizeof(about);
    if (bpf_obj_get_info_by_fd(link.get(), &about, &length) != 0 ||
        about.prog_id == 0) {
      return error(errc::mismatch,
                   "a program of the tracker is not attached any more");
    }
  }
  const auto* counted = static_cast<const counter_block*>(counted_.memory());
  const std::uint64_t refused = load(counted->refused);
  if (refused != 0) {
    return error(errc::mismatch,
                 std::to_string(refused) +
                     " writes that may not wait were refused, and the kernel "
                     "may have counted them: they could hide a missed one");
  }
  return {};
}

}  // namespace teleport
