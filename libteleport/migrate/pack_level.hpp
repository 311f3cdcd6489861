// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/pack_level.hpp: how hard blocks are compressed: harder
// while the link is what holds them up, less while the packing is. Pure.
//
// Judged over many MiB or two seconds: another level begins a new zstd frame,
// which has forgotten what was sent before. Blocks that do not shrink cross a
// fast link as they are; on a slow one the packer has the time, and what comes
// next may shrink again.
//
// Threads: one owner.

#ifndef LIBTELEPORT_MIGRATE_PACK_LEVEL_HPP
#define LIBTELEPORT_MIGRATE_PACK_LEVEL_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "libteleport/base/units.hpp"

namespace teleport {

class pack_level {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// What a piece waited for before it was packed.
  enum class held_up_by { nothing, link, packing };

  /// zstd's level for the next piece; 0: none.
  [[nodiscard]] int now() const noexcept {
    return in_vain_ != 0 ? 0 : ladder[step_];
  }
  /// A piece is about to be packed.
  void on_piece(std::size_t raw_bytes,
                held_up_by cause,
                time_point at) noexcept;
  /// It took so long and became so many bytes.
  void on_packed(std::chrono::nanoseconds took,
                 std::size_t packed_bytes) noexcept {
    busy_ += took;
    packed_ += packed_bytes;
  }

 private:
  /// From as fast as a core copies to some 30 MB/s: each about half as fast as
  /// the one before.
  static constexpr std::array<int, 6> ladder{0, 1, 3, 6, 9, 12};
  /// Judged after so much, or so long.
  static constexpr std::uint64_t judged_bytes = 32_MiB;
  static constexpr std::chrono::seconds judged_time{2};
  /// A link that outruns a packer of this speed takes blocks as they are: it
  /// carries more than 800 Mbit/s.
  static constexpr double bytes_a_second_of_plain = 100e6;
  /// A link that takes so much of what was packed leaves the processors no time
  /// for more than the lowest level: 320 Mbit/s. What holds blocks up there may
  /// be the other end's processor, which looks like a link from here.
  static constexpr double bytes_a_second_of_fast = 40e6;
  /// A level that was too slow is tried again after so much.
  static constexpr std::uint64_t retry_bytes = 1024_MiB;
  /// What comes after blocks that did not shrink is tried after so much.
  static constexpr std::uint64_t look_again_bytes = 256_MiB;

  void begin(time_point at) noexcept;
  void judge(time_point at) noexcept;
  [[nodiscard]] bool is_fast(time_point at) const noexcept;
  [[nodiscard]] bool is_too_slow(time_point at) const noexcept;

  static constexpr std::size_t first_step = 2;
  std::size_t step_ = first_step;
  /// The first level, when it was last judged; once more, and it is left.
  bool was_too_slow_ = false;
  /// Left to send as it is before packing is tried again; 0: packed.
  std::uint64_t in_vain_ = 0;
  std::size_t highest_ = ladder.size() - 1;
  std::uint64_t since_too_slow_ = 0;
  // Since the last judgement:
  std::optional<time_point> began_;
  std::chrono::nanoseconds busy_{0};
  std::uint64_t bytes_ = 0;
  std::uint64_t packed_ = 0;
  std::uint64_t held_by_link_ = 0;
  std::uint64_t held_by_packing_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_PACK_LEVEL_HPP
