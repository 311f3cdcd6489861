// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/map_guard.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>

#include <sys/mman.h>
#include <sys/stat.h>

namespace teleport::index {

namespace {

/// Pages are put in one by one, whatever the size of LMDB's own.
constexpr std::uintptr_t page_bytes = 4096;
constexpr std::size_t max_maps = 16;

struct watched_map {
  std::atomic<std::uintptr_t> begin = 0;
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<bool> broken = false;
  bool taken = false;  // under the registry's mutex
};

struct registry {
  std::mutex mutex;  // guards taken and installed
  bool installed = false;
  std::array<watched_map, max_maps> maps;
  struct sigaction before {};
};
// Initialized by the compiler: the signal handler must never find it unmade.
registry all;
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

/// An empty leaf to LMDB (mp_flags, mp_lower, mp_upper), and no value of ours.
bool put_empty_page(std::uintptr_t at) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells a number
  void* page = ::mmap(reinterpret_cast<void*>(at),
                      page_bytes,
                      PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                      -1,
                      0);
  if (page == MAP_FAILED) {
    return false;
  }
  const std::array<std::uint16_t, 3> head{2, 16, page_bytes};
  std::memcpy(static_cast<char*>(page) + 10, head.data(), sizeof(head));
  return ::mprotect(page, page_bytes, PROT_READ) == 0;
}

extern "C" void on_bus_error(int number, siginfo_t* info, void* context) {
  const int kept = errno;
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (watched_map& map : all.maps) {
    if (at >= map.begin && at < map.end &&
        put_empty_page(at & ~(page_bytes - 1))) {
      map.broken = true;
      errno = kept;
      return;
    }
  }
  errno = kept;
  if ((all.before.sa_flags & SA_SIGINFO) != 0) {
    all.before.sa_sigaction(number, info, context);
  } else if (all.before.sa_handler != SIG_DFL &&
             all.before.sa_handler != SIG_IGN) {
    all.before.sa_handler(number);
  } else {
    // With the old handler back, the signal is raised again and ends the
    // process.
    (void)std::signal(SIGBUS, SIG_DFL);
  }
}

/// Needs the registry's mutex.
bool install() {
  if (!all.installed) {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    all.installed = ::sigaction(SIGBUS, &action, &all.before) == 0;
  }
  return all.installed;
}

struct address_range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

/// LMDB does not tell where its map is; the kernel does. The device is not
/// compared: some file systems tell two different ones.
std::optional<address_range> find_map(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    return std::nullopt;
  }
  std::ifstream in("/proc/self/maps");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    address_range here;
    char dash = 0;
    std::string skipped;
    ino_t inode = 0;
    words >> std::hex >> here.begin >> dash >> here.end >> skipped >> skipped >>
        skipped >> std::dec >> inode;
    const bool taken = std::any_of(
        all.maps.begin(), all.maps.end(), [&](const watched_map& map) {
          return map.begin == here.begin && map.end == here.end;
        });
    if (words && inode == info.st_ino && !taken &&
        line.find("data.mdb") != std::string::npos) {
      return here;
    }
  }
  return std::nullopt;
}

}  // namespace

map_guard::~map_guard() {
  if (slot_ != none) {
    const std::lock_guard lock(all.mutex);
    all.maps[slot_].end = 0;
    all.maps[slot_].taken = false;
  }
}

void map_guard::watch(int fd) {
  const std::lock_guard lock(all.mutex);
  for (std::size_t i = 0; slot_ == none && i < max_maps; ++i) {
    if (!all.maps[i].taken) {
      slot_ = i;
      all.maps[i].taken = true;
      all.maps[i].broken = false;
    }
  }
  if (slot_ == none || !install()) {
    return;
  }
  watched_map& map = all.maps[slot_];
  map.end = 0;  // never a mixture of the old and the new one
  if (const std::optional<address_range> where = find_map(fd)) {
    map.begin = where->begin;
    map.end = where->end;
  }
}

bool map_guard::broken() const noexcept {
  return slot_ != none && all.maps[slot_].broken;
}

}  // namespace teleport::index
