// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/tracker_programs.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <libteleport/disk/dirty_tracker.skel.h>
#include <sys/mman.h>
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

/// Why BPF will not work here, as far as that can be known beforehand.
result<void> check_kernel() {
  if (::geteuid() != 0) {
    return error(errc::unsupported,
                 "tracking a disk's writes needs BPF, and that needs root: run "
                 "as root");
  }
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    return error(errc::unsupported,
                 "this kernel has no type information (/sys/kernel/btf/"
                 "vmlinux): boot one with CONFIG_DEBUG_INFO_BTF=y, such as "
                 "Debian's 6.1");
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
std::uint64_t misses_of(const bpf_program* program) {
  bpf_prog_info about{};
  std::uint32_t length = sizeof(about);
  return bpf_obj_get_info_by_fd(bpf_program__fd(program), &about, &length) == 0
             ? about.recursion_misses
             : 0;
}

dirty_tracker_bpf* open_skeleton() {
#ifdef __clang_analyzer__
  return nullptr;  // it finds a leak in the generated code
#else
  return dirty_tracker_bpf__open();
#endif
}

}  // namespace

void tracker_programs::destroy::operator()(
    dirty_tracker_bpf* skeleton) const noexcept {
  dirty_tracker_bpf__destroy(skeleton);
}

void tracker_programs::unmap::operator()(std::uint64_t* memory) const noexcept {
  ::munmap(memory, bytes);
}

result<tracker_programs> tracker_programs::attach(const disk_facts& disk,
                                                  std::size_t grain) {
  if (auto possible = check_kernel(); !possible) {
    return possible.error();
  }
  static_cast<void>(libbpf_set_print(to_log));
  tracker_programs made;
  made.skeleton_.reset(open_skeleton());
  if (!made.skeleton_) {
    return refused(errno, "open");
  }
  dirty_tracker_bpf& skeleton = *made.skeleton_;
  const std::uint64_t words =
      count_of(count_of(disk.sectors * sector_bytes, grain), 64);
  skeleton.rodata->disk_number = disk.disk_major << 20U | disk.disk_minor;
  skeleton.rodata->first_sector = disk.start;
  skeleton.rodata->sector_count = disk.sectors;
  skeleton.rodata->grain_shift =
      static_cast<std::uint32_t>(std::countr_zero(grain / sector_bytes));
  int r = bpf_map__set_max_entries(skeleton.maps.marks,
                                   static_cast<std::uint32_t>(words));
  if (r == 0) {
    r = dirty_tracker_bpf__load(&skeleton);
  }
  if (r != 0) {
    return refused(r, "load");
  }
  const std::size_t bytes = words * sizeof(std::uint64_t);
  void* const memory = ::mmap(nullptr,
                              bytes,
                              PROT_READ | PROT_WRITE,
                              MAP_SHARED,
                              bpf_map__fd(skeleton.maps.marks),
                              0);
  if (memory == MAP_FAILED) {
    return refused(errno, "share the marks of");
  }
  made.memory_ = std::unique_ptr<std::uint64_t, unmap>(
      static_cast<std::uint64_t*>(memory), unmap{bytes});
  made.marks_ = {made.memory_.get(), words};
  // Ends first: attaching takes a while, and a write whose begin alone is seen
  // would stay in the table.
  for (const auto& [program, link] :
       {std::pair(skeleton.progs.on_bio_end, &skeleton.links.on_bio_end),
        std::pair(skeleton.progs.on_request_end,
                  &skeleton.links.on_request_end),
        std::pair(skeleton.progs.on_submit, &skeleton.links.on_submit)}) {
    *link = bpf_program__attach(program);
    if (*link == nullptr) {
      return refused(errno, "attach");
    }
  }
  return made;
}

result<std::vector<pending_write>> tracker_programs::pending() const {
  // In batches, which lock a bucket each: going from key to key could skip
  // entries when one is given back and used again.
  const int table = bpf_map__fd(skeleton_->maps.pending);
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
  const int r = bpf_prog_test_run_opts(
      bpf_program__fd(skeleton_->progs.count_left), &run);
  if (r != 0) {
    return system_error(-r, "count what is left of the pending writes");
  }
  return load(skeleton_->bss->sectors_left);
}

tracker_counters tracker_programs::counters() const {
  const auto& counted = *skeleton_->bss;
  tracker_counters now;
  now.submitted_sectors = load(counted.submitted_sectors);
  now.submitted_writes = load(counted.submitted_writes);
  now.reused = load(counted.reused);
  now.insert_failed = load(counted.insert_failed);
  now.unpaired = load(counted.unpaired);
  now.missed = misses_of(skeleton_->progs.on_submit);
  now.missed_ends = load(counted.strike_failed) +
                    misses_of(skeleton_->progs.on_bio_end) +
                    misses_of(skeleton_->progs.on_request_end);
  return now;
}

result<void> tracker_programs::check_attached() const {
  for (const bpf_link* link : {skeleton_->links.on_submit,
                               skeleton_->links.on_bio_end,
                               skeleton_->links.on_request_end}) {
    bpf_link_info about{};
    std::uint32_t length = sizeof(about);
    if (link == nullptr ||
        bpf_obj_get_info_by_fd(bpf_link__fd(link), &about, &length) != 0 ||
        about.prog_id == 0) {
      return error(errc::mismatch,
                   "a program of the tracker is not attached any more");
    }
  }
  return {};
}

}  // namespace teleport
