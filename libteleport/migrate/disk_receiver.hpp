// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/disk_receiver.hpp: the destination's side of the disks,
// as a state machine: which step each arriving extent takes, and whether all
// are proven.
//
// Sans-IO, as disk_sender.hpp: the driver runs jobs on the pool with
// do_receiver_job() and gives results back. PROTOCOL.md, section 4.
//
// Threads: one owner; do_receiver_job() alone may be called from any thread.
// Trust:   records come from the peer: every place, order and number is
//          checked. At most max_outstanding extents hold digests, some 4 KiB
//          each, and a few of them their bytes; at most max_data_bytes of data
//          wait for their turn.

#ifndef LIBTELEPORT_MIGRATE_DISK_RECEIVER_HPP
#define LIBTELEPORT_MIGRATE_DISK_RECEIVER_HPP

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/content_lookup.hpp"
#include "libteleport/migrate/digest_account.hpp"
#include "libteleport/migrate/possession_probe.hpp"
#include "libteleport/migrate/proven_extents.hpp"
#include "libteleport/migrate/rebuild.hpp"
#include "libteleport/migrate/rebuild_counts.hpp"
#include "libteleport/wire/block_packer.hpp"
#include "libteleport/wire/framer.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

struct examine_job {
  extents_record record;
};
struct assemble_job {
  block_digests_record record;
  assembly how;
  std::unique_ptr<extent_work> work;
};
/// One at a time, in the order of arrival.
struct unpack_job {
  extent_data_record record;
};
struct fill_job {
  block_data data;
  std::unique_ptr<extent_work> work;
};
struct overlay_job {
  block_data data;
};
using receiver_job =
    std::variant<examine_job, assemble_job, unpack_job, fill_job, overlay_job>;

struct stepped_extent {
  std::unique_ptr<extent_work> work;
  step_result step{};
};
struct receiver_job_done {
  /// The result for each of the job's extents, in order.
  std::vector<stepped_extent> steps;
  std::optional<block_data> unpacked;
};

/// Does a job's work. Blocks on disks.
///
/// @param targets  in the OFFER's order
/// @param unpacker  of this session; used by unpack_job alone
[[nodiscard]] result<receiver_job_done> do_receiver_job(
    receiver_job job,
    const std::vector<target_disk>& targets,
    content_lookup& lookup,
    block_unpacker& unpacker);

class disk_receiver {
 public:
  using action = std::variant<receiver_job, raw_record>;

  /// @param disk_bytes  sizes in the OFFER's order
  /// @param probe       of this session
  /// @param account     of this session, empty
  disk_receiver(const std::vector<std::uint64_t>& disk_bytes,
                const possession_probe& probe,
                const digest_account& account = digest_account());

  /// EXTENTS, BLOCK_DIGESTS or EXTENT_DATA.
  result<void> on_record(const raw_record& record);
  void on_job_done(receiver_job_done done);
  /// The next job: of all that wait, the one nearest to its end. So gaps are
  /// asked for first, and newly announced extents are looked up while their
  /// blocks cross the link.
  [[nodiscard]] std::optional<action> next();
  /// The link is gone: extents that were announced are not looked up any more.
  void forget_announced() noexcept { to_examine_.clear(); }

  /// No extent is between its announcement and its proof.
  [[nodiscard]] bool idle() const noexcept { return outstanding_.empty(); }
  /// Every extent of every disk is on its target, proven.
  [[nodiscard]] bool all_proven() const noexcept { return proven_.all(); }
  /// Bytes by origin, of the bulk alone and of rounds alone.
  [[nodiscard]] const rebuild_counts& bulk() const noexcept { return bulk_; }
  [[nodiscard]] const rebuild_counts& rounds() const noexcept {
    return rounds_;
  }
  /// What was asked for by digests, and what was brought.
  [[nodiscard]] const digest_account& digests() const noexcept {
    return account_;
  }

 private:
  enum class stage { working, wants_digests, wants_data };
  struct entry {
    stage at = stage::working;
    bool round = false;
    bool kept = false;           ///< its bytes may be held
    std::size_t data_bytes = 0;  ///< of EXTENT_DATA that is not answered yet
    std::unique_ptr<extent_work> work;
  };

  result<void> on_extents(extents_record record);
  result<void> on_digests(block_digests_record record);
  result<void> on_data(extent_data_record record);
  void on_unpacked(block_data data);
  /// @error errc::protocol when more data is under way than allowed
  result<void> take_data(entry& known, extent_data_record record);
  void count_answered(entry& known);
  void release_bytes(entry& known);
  void step(stepped_extent stepped, extent_states_record& states);

  possession_probe probe_;
  digest_account account_;
  proven_extents proven_;
  std::map<extent_place, entry> outstanding_;
  std::size_t kept_ = 0;
  std::size_t data_bytes_ = 0;
  std::deque<raw_record> answers_;
  std::deque<extent_data_record> to_unpack_;
  std::deque<receiver_job> to_assemble_;  ///< and to fill
  std::deque<receiver_job> to_examine_;
  bool unpacking_ = false;
  rebuild_counts bulk_;
  rebuild_counts rounds_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_DISK_RECEIVER_HPP
