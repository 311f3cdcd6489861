// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/pinned_tracker.hpp"

#include <filesystem>
#include <type_traits>

#include <libteleport/disk/dirty_tracker.skel.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/tracker_programs.hpp"
#include "test/support/catch.hpp"

namespace teleport::test {

namespace {

namespace fs = std::filesystem;

/// The address of no structure of the kernel's: no end of a write removes it.
constexpr std::uint64_t write_key = 1;

unique_fd map_of(const std::string& folder, const char* name) {
  const fs::path pinned = fs::directory_iterator(folder)->path();
  unique_fd map(bpf_obj_get((pinned / name).c_str()));
  REQUIRE(map);
  return map;
}

}  // namespace

pinned_tracker::pinned_tracker(const std::string& folder) : folder_(folder) {}

void pinned_tracker::add_write(std::uint64_t offset,
                               std::uint64_t bytes) const {
  const unique_fd map = map_of(folder_, "pending");
  pending_write write{};
  write.sector = offset / sector_bytes;
  write.bytes = bytes;
  write.bytes_left = static_cast<std::int64_t>(bytes);
  write.serial = ~std::uint64_t{0};
  REQUIRE(bpf_map_update_elem(map.get(), &write_key, &write, BPF_ANY) == 0);
}

void pinned_tracker::remove_write() const {
  REQUIRE(bpf_map_delete_elem(map_of(folder_, "pending").get(), &write_key) ==
          0);
}

void pinned_tracker::set_insert_failed(std::uint64_t writes) const {
  using counter_block = std::remove_pointer_t<decltype(dirty_tracker_bpf::bss)>;
  const unique_fd map = map_of(folder_, "counters");
  void* const memory = ::mmap(nullptr,
                              sizeof(counter_block),
                              PROT_READ | PROT_WRITE,
                              MAP_SHARED,
                              map.get(),
                              0);
  REQUIRE(memory != MAP_FAILED);
  static_cast<counter_block*>(memory)->insert_failed = writes;
  ::munmap(memory, sizeof(counter_block));
}

}  // namespace teleport::test
