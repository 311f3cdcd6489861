// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/pacer.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

namespace {

using std::chrono::nanoseconds;
using clock = pacer::clock;

/// Length of a turn on the link: short, so that other processes wait little for
/// theirs.
constexpr std::uint64_t turns_a_second = 20;
constexpr std::size_t smallest_piece = 4096;
constexpr std::size_t largest_piece = std::size_t{256} << 10U;

/// No queue of teleports is longer; the file is of another boot, or damaged.
constexpr std::chrono::seconds farthest_ahead{30};

/// Time without sending that may be made up for, at most.
constexpr std::chrono::milliseconds catch_up{50};

constexpr std::uint64_t not_set = ~std::uint64_t{0};

nanoseconds time_for(std::size_t bytes, link_rate rate) {
  return nanoseconds(static_cast<std::int64_t>(
      1e9 * static_cast<double>(bytes) / static_cast<double>(rate)));
}

std::int64_t count_of(clock::time_point at) {
  return std::chrono::duration_cast<nanoseconds>(at.time_since_epoch()).count();
}

/// Moves `free` on by a turn. @return when the turn begins
std::int64_t begin_turn(std::int64_t free, clock::time_point now) {
  const std::int64_t earliest = count_of(now - catch_up);
  const bool believed = free <= count_of(now + farthest_ahead);
  return believed ? std::max(free, earliest) : earliest;
}

}  // namespace

/// What the file holds: native numbers, as it never leaves this host.
struct host_budget::shared {
  std::atomic<std::int64_t> free_at;         ///< steady clock, nanoseconds
  std::atomic<std::uint64_t> rate_plus_one;  ///< 0: none was set by hand
};

result<std::unique_ptr<host_budget>> host_budget::open(
    const std::string& path) {
  const auto failed = [&path] {
    return system_error(errno, "bandwidth file " + path);
  };
  const unique_fd file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 ||
      (static_cast<std::size_t>(facts.st_size) < sizeof(shared) &&
       ::ftruncate(file.get(), sizeof(shared)) != 0)) {
    return failed();
  }
  void* mapped = ::mmap(nullptr,
                        sizeof(shared),
                        PROT_READ | PROT_WRITE,
                        MAP_SHARED,
                        file.get(),
                        0);
  if (mapped == MAP_FAILED) {
    return failed();
  }
  return std::unique_ptr<host_budget>(
      new host_budget(static_cast<shared*>(mapped)));
}

host_budget::~host_budget() {
  ::munmap(mapped_, sizeof(shared));
}

std::optional<link_rate> host_budget::by_hand() const {
  const std::uint64_t stored = mapped_->rate_plus_one;
  return stored == 0 ? std::nullopt : std::optional(stored - 1);
}

void host_budget::set_by_hand(std::optional<link_rate> rate) {
  mapped_->rate_plus_one = rate ? std::min(*rate, not_set - 1) + 1 : 0;
}

clock::time_point host_budget::reserve(nanoseconds takes,
                                       clock::time_point now) {
  std::int64_t free = mapped_->free_at;
  std::int64_t begins = 0;
  do {
    begins = begin_turn(free, now);
  } while (
      !mapped_->free_at.compare_exchange_weak(free, begins + takes.count()));
  return clock::time_point(
      std::chrono::duration_cast<clock::duration>(nanoseconds(begins)));
}

pacer::pacer(link_rate own,
             std::function<link_rate()> planned,
             std::unique_ptr<host_budget> budget)
    : own_(own), planned_(std::move(planned)), budget_(std::move(budget)) {}

link_rate pacer::host_rate() const {
  const auto by_hand = budget_ ? budget_->by_hand() : std::nullopt;
  return by_hand ? *by_hand : planned_ ? planned_() : 0;
}

std::size_t pacer::piece() const {
  std::uint64_t bytes = largest_piece;
  for (const link_rate rate : {own_, host_rate()}) {
    bytes = rate != 0 ? std::min(bytes, rate / turns_a_second) : bytes;
  }
  return std::max<std::size_t>(bytes, smallest_piece);
}

clock::time_point pacer::reserve(std::size_t bytes, clock::time_point now) {
  auto begins = now;
  const auto take = [&](clock::time_point& free, link_rate rate) {
    const auto start = std::max(free, now - catch_up);
    free = start + time_for(bytes, rate);
    begins = std::max(begins, start);
  };
  if (own_ != 0) {
    take(own_free_, own_);
  }
  const link_rate rate = host_rate();
  const auto turn = rate != 0 && budget_
                        ? budget_->reserve(time_for(bytes, rate), now)
                        : clock::time_point();
  if (rate != 0 && (!budget_ || has_right_of_way_)) {
    take(host_free_, rate);
  } else if (rate != 0) {
    begins = std::max(begins, turn);
  }
  return begins;
}

}  // namespace teleport
