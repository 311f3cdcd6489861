// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/map_guard.hpp: a mapped file that is cut short, or cannot be read, does
// not end the process.
//
// The kernel answers a look at such a page with SIGBUS. While a guard watches a
// map, a page that LMDB takes for an empty leaf is put in its place, and the
// guard remembers that: whoever holds it believes nothing of the map from then
// on. A SIGBUS elsewhere goes where it would have gone.
//
// Threads: constructor, destructor and watch() from any; broken() from any.
// Trust: the file is hostile.

#ifndef INDEX_MAP_GUARD_HPP
#define INDEX_MAP_GUARD_HPP

#include <cstddef>

namespace teleport::index {

class map_guard {
 public:
  map_guard() = default;
  map_guard(const map_guard&) = delete;
  map_guard& operator=(const map_guard&) = delete;
  map_guard(map_guard&&) = delete;
  map_guard& operator=(map_guard&&) = delete;
  ~map_guard();

  /// Watches where the open file `fd`, a data.mdb, is mapped now; call again
  /// when the map has moved. No other thread may look into the map meanwhile.
  /// Where the kernel does not tell, or too many are watched, a SIGBUS stays
  /// what it was.
  void watch(int fd);
  /// Was a page missed since watch()?
  [[nodiscard]] bool broken() const noexcept;

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  std::size_t slot_ = none;
};

}  // namespace teleport::index

#endif  // INDEX_MAP_GUARD_HPP
