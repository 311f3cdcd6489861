// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/duet.hpp: disk_sender and disk_receiver joined by two byte
// queues, with a scheduler drawn from a seed.
//
// Jobs run in any order, and so do their results; bytes arrive in order but at
// any time and in pieces of any size; the guest writes between any two steps.
// A run ends with both sides idle, or with the first failure. What must hold
// at every step is checked at every step and reported in `broken`.

#ifndef TELEPORT_TEST_SUPPORT_DUET_HPP
#define TELEPORT_TEST_SUPPORT_DUET_HPP

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"
#include "libteleport/disk/dirty_map.hpp"
#include "libteleport/migrate/content_lookup.hpp"
#include "libteleport/migrate/disk_receiver.hpp"
#include "libteleport/migrate/disk_sender.hpp"

namespace teleport {

class duet {
 public:
  /// All pointers must outlive this; disks and targets in the same order.
  duet(std::uint64_t seed,
       std::vector<block_device*> disks,
       std::vector<target_disk> targets,
       content_lookup& lookup);

  /// Called now and then during a pass: the guest's chance to write.
  void while_running(std::function<void()> guest) { guest_ = std::move(guest); }
  /// What is known of each disk, in the same order.
  void know(std::vector<known_content*> known) { known_ = std::move(known); }
  /// Where the targets are looked at when extents are called proven; the
  /// targets themselves unless given.
  void look_at(std::vector<block_device*> devices) {
    looked_at_ = std::move(devices);
  }
  /// Sees every record on its way: true for what goes to the destination.
  void listen(std::function<void(bool, const raw_record&)> listener) {
    listener_ = std::move(listener);
  }

  result<void> bulk();
  result<void> round(std::vector<dirty_map> dirty);

  [[nodiscard]] const disk_receiver& receiver() const { return receiver_; }
  [[nodiscard]] const disk_sender& sender() const { return sender_; }
  /// The first rule found broken; empty when none was.
  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  result<void> run_to_idle();
  [[nodiscard]] bool over() const;
  result<void> step();
  void pull_sender();
  void pull_receiver();
  result<void> run_sender_job();
  result<void> run_receiver_job();
  void note_named(const raw_record& record);
  void finish_sender_job();
  void finish_receiver_job();
  result<void> deliver(bool to_destination);
  void on_delivered(const raw_record& record, bool to_destination);
  void check_proven(const extent_place& place);
  void expect(bool holds, const std::string& rule);
  std::size_t pick(std::size_t count) { return random_() % count; }

  struct pipe {
    std::deque<std::byte> bytes;
    framer records;
  };

  std::mt19937_64 random_;
  std::vector<block_device*> disks_;
  std::vector<target_disk> targets_;
  std::vector<block_device*> looked_at_;
  std::vector<known_content*> known_;
  content_lookup& lookup_;
  disk_sender sender_;
  disk_receiver receiver_;
  std::function<void()> guest_;
  std::function<void(bool, const raw_record&)> listener_;
  pipe to_destination_;
  pipe to_source_;
  std::vector<sender_job> sender_jobs_;
  std::vector<sender_job_done> sender_done_;
  std::vector<receiver_job> receiver_jobs_;
  std::vector<receiver_job_done> receiver_done_;
  std::map<extent_place, extent_digest> named_;
  std::set<extent_place> unproven_;
  block_packer packer_;
  block_unpacker unpacker_;
  std::map<extent_place, std::size_t> data_;
  std::size_t data_bytes_ = 0;
  std::size_t under_way_ = 0;
  std::string broken_;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_DUET_HPP
