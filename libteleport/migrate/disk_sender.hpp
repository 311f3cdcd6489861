// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/disk_sender.hpp: the source's side of the disks, as a
// state machine: which extent is read next, what is answered to the
// destination.
//
// Sans-IO: events go in by on_...(), what is to be done comes out of next().
// The driver runs jobs on the pool with do_sender_job() and gives their results
// back. What is known of a disk is announced without reading it; what is not,
// is read and, while there is room, stays captured until its data has been
// sent. At most max_outstanding extents are under way, and max_data_bytes of
// their blocks. All blocks go through one packer, in the order in which they
// are sent. PROTOCOL.md, section 4.
//
// Threads: one owner; do_sender_job() alone may be called from any thread.
// Trust:   records from the destination are checked against what was sent.

#ifndef LIBTELEPORT_MIGRATE_DISK_SENDER_HPP
#define LIBTELEPORT_MIGRATE_DISK_SENDER_HPP

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"
#include "libteleport/disk/dirty_map.hpp"
#include "libteleport/disk/dirty_tracker.hpp"
#include "libteleport/migrate/bulk_order.hpp"
#include "libteleport/migrate/capture.hpp"
#include "libteleport/migrate/known_content.hpp"
#include "libteleport/migrate/pack_level.hpp"
#include "libteleport/wire/block_packer.hpp"
#include "libteleport/wire/framer.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

using shared_extent = std::shared_ptr<const captured_extent>;

/// Recall or read these extents and announce them.
struct announce_job {
  extent_run run;
  bool keep_bytes = true;  ///< there is room for what is read
};

/// Make BLOCK_DIGESTS of an extent, or take the data of the chosen blocks,
/// which are read when its bytes were not kept.
struct answer_job {
  shared_extent extent;
  std::optional<block_mask> blocks;  ///< nullopt: digests
};

/// Read an extent again and send the blocks written since.
struct round_job {
  extent_place place;
  block_mask blocks;
};

/// Read an extent anew and send all of it.
struct whole_job {
  extent_place place;
};

/// Make EXTENT_DATA of blocks. One at a time, in the order of sending.
struct pack_job {
  block_data data;
  int level = 0;
};

using sender_job =
    std::variant<announce_job, answer_job, round_job, whole_job, pack_job>;

/// What a job gave.
struct sender_job_done {
  /// Extents that are under way from now on; a round's without their bytes.
  std::vector<shared_extent> captured;
  std::optional<raw_record> record;     ///< to send
  std::optional<block_data> data;       ///< to be packed
  std::uint64_t read_bytes = 0;         ///< from the disk
  std::uint64_t known_bytes = 0;        ///< announced without reading them
  std::chrono::nanoseconds packing{0};  ///< what pack_job took
  bool kept_bytes = false;              ///< announce_job's
};

/// A disk as jobs need it.
struct source_disk {
  block_device* device = nullptr;
  /// None for a disk that nobody writes.
  const write_tracker* tracker = nullptr;
  /// None where every extent is to be read.
  known_content* known = nullptr;
};

/// What the source's disks were spared, and what was read from them, in bytes.
struct source_counts {
  std::uint64_t known = 0;  ///< announced without reading them
  std::uint64_t read_in_bulk = 0;
  std::uint64_t read_in_rounds = 0;
};

/// Bytes of a pass, of one disk.
struct pass_count {
  std::uint64_t done = 0;  ///< proven
  std::uint64_t total = 0;
};

/// Of all disks.
[[nodiscard]] pass_count sum_of(const std::vector<pass_count>& disks) noexcept;

/// Does a job's work. Blocks on the disk.
///
/// @param disks   in the OFFER's order
/// @param packer  of this session; used by pack_job alone
[[nodiscard]] result<sender_job_done> do_sender_job(
    const sender_job& job,
    const std::vector<source_disk>& disks,
    block_packer& packer);

class disk_sender {
 public:
  using action = std::variant<sender_job, raw_record>;
  using time_point = std::chrono::steady_clock::time_point;

  /// @param disk_bytes  sizes in the OFFER's order
  explicit disk_sender(std::vector<std::uint64_t> disk_bytes);

  /// Announces every extent of every disk.
  /// @pre idle()
  void start_bulk();

  /// Sends what the maps mark: one for each disk, in order.
  /// @pre idle()
  void start_round(std::vector<dirty_map> dirty);

  void on_job_done(sender_job_done done);

  /// EXTENT_STATES or WANTED.
  /// @error errc::protocol when it does not answer what we sent
  result<void> on_record(const raw_record& record);

  /// What to do next; nullopt when only events can bring more.
  ///
  /// @param queued  bytes that wait for the link: while they are many, no more
  ///                blocks are taken and packed
  /// @param now     by which the packing's level is judged
  [[nodiscard]] std::optional<action> next(std::size_t queued = 0,
                                           time_point now = {});

  /// Everything of the pass has come out of next(), and nothing is asked for.
  /// What the destination finds wrong may follow all the same.
  [[nodiscard]] bool all_sent() const noexcept;

  /// Everything of the pass has been proven by the destination.
  [[nodiscard]] bool idle() const noexcept;

  /// The current pass, by disks in the OFFER's order.
  [[nodiscard]] const std::vector<pass_count>& pass() const noexcept {
    return pass_;
  }
  /// Bytes of blocks that the destination did not have, of all passes.
  [[nodiscard]] std::uint64_t bytes_wanted() const noexcept { return wanted_; }
  /// Of all passes.
  [[nodiscard]] const source_counts& counts() const noexcept { return counts_; }

 private:
  enum class stage {
    announced,
    wants_digests,
    wants_data,
    wanted,
    answered,
    sent_whole
  };
  struct entry {
    shared_extent extent;  ///< none once its data was taken
    stage at = stage::announced;
    bool queued = false;         ///< in digests_wanted_ or data_wanted_
    std::size_t data_bytes = 0;  ///< taken for it and not answered yet
  };
  struct wanted_blocks {
    extent_place place;
    block_mask blocks;
  };

  result<void> on_states(const extent_states_record& record);
  std::optional<sender_job> next_answer(bool link_full);
  std::optional<sender_job> next_pack(std::size_t queued, time_point now);
  std::optional<sender_job> next_bulk();
  std::optional<sender_job> next_round();
  [[nodiscard]] bool may_take() const noexcept;
  void take(std::size_t length);
  void forget_extent(entry& known);
  [[nodiscard]] std::size_t length_of(const extent_place& place) const;

  std::vector<std::uint64_t> disk_bytes_;
  std::map<extent_place, entry> outstanding_;
  std::size_t reading_ = 0;  ///< extents in jobs that have not captured them
  std::size_t held_ = 0;  ///< extents whose bytes are kept, or may come to be
  std::deque<action> ready_;
  std::deque<extent_place> digests_wanted_;
  std::deque<wanted_blocks> data_wanted_;
  std::size_t wanted_bytes_ = 0;  ///< in data_wanted_
  std::size_t taking_ = 0;        ///< jobs that take blocks for the packer
  std::size_t data_bytes_ = 0;    ///< taken and not answered yet
  std::deque<block_data> to_pack_;
  bool packing_ = false;
  pack_level level_;
  pack_level::held_up_by held_up_by_ = pack_level::held_up_by::nothing;
  bulk_order bulk_;  ///< what is yet to be announced
  std::vector<dirty_map> dirty_;
  std::vector<pass_count> pass_;
  std::uint64_t wanted_ = 0;
  bool in_round_ = false;
  source_counts counts_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_DISK_SENDER_HPP
