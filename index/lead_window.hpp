// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/lead_window.hpp: where the next few wanted blocks lie, each for itself.
//
// A look-up of one digest waits for memory five times (a bucket's head, its
// cell, its tags; then the group's record and digest), and at 25 million blocks
// none of it is in the CPU's caches. So a window of wanted digests takes each
// of these steps together: all are asked for before the first is used. Tags are
// matched for the whole window, places and groups of a few matches only: most
// of what follows a hit is a run that needs no look-up, and where memory holds
// less than the index, each of those pages is read from the disk. Both windows
// begin small and double for as long as they are used to their end.
//
// Threads: one owner, the one of the transaction.
// Blocks: on pages of the map that are not in memory.
// Trust: as position.hpp; a lead's group holds the whole digest.

#ifndef INDEX_LEAD_WINDOW_HPP
#define INDEX_LEAD_WINDOW_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "index/bucket_view.hpp"
#include "index/position.hpp"

namespace teleport::index {

class lead_window {
 public:
  /// @param wanted  must outlive this, like the others
  lead_window(const store& tables,
              const read_txn& txn,
              position_reader& reader,
              std::span<const block_digest> wanted)
      : tables_(tables), txn_(txn), reader_(reader), wanted_(wanted) {}

  /// The positions that hold wanted[number], at most max_places; valid until
  /// the next call.
  [[nodiscard]] result<std::span<const position>> at(std::size_t number);

 private:
  static constexpr std::size_t min_width = 4;
  static constexpr std::size_t max_width = 64;
  struct candidate {
    std::size_t number = 0;  ///< in wanted_
    place where = 0;
    byte_span group;
  };

  result<void> match_tags();
  result<void> find_leads(std::size_t number);
  void keep_true_leads();

  const store& tables_;
  const read_txn& txn_;
  position_reader& reader_;
  std::span<const block_digest> wanted_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
  std::size_t width_ = min_width / 2;
  std::array<std::optional<bucket_view>, max_width> buckets_;
  std::array<bucket_view::range, max_width> matched_;
  // The part of the window whose leads are known.
  std::size_t lead_first_ = 0;
  std::size_t lead_end_ = 0;
  std::size_t matches_ = 1;  ///< at most so many tags' leads are found at once
  std::vector<candidate> candidates_;
  std::vector<position> leads_;
  /// The leads of wanted_[lead_first_ + i] are [starts_[i], starts_[i + 1]).
  std::array<std::size_t, max_width + 1> starts_{};
};

}  // namespace teleport::index

#endif  // INDEX_LEAD_WINDOW_HPP
