// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/destination_sight.cpp: what is seen of a session from
// outside.

#include "xl-teleport/destination/destination_session.hpp"

namespace teleport {

arrival_sight destination_session::look() const {
  const guest_info& guest = seed_ ? seed_->offered().guest : offer_.guest;
  const disk_intake* const disks = seed_ ? seed_->intake() : intake_.get();
  arrival_sight seen;
  seen.at = course_.at();
  if (seed_) {
    seen.seed = seed_->at();
  }
  seen.id = offer_.id;
  seen.guest = guest.name;
  seen.uuid = guest.uuid;
  seen.has_targets = disks != nullptr;
  if (disks != nullptr) {
    seen.bulk = disks->state().bulk();
  }
  for (const guest_disk& disk : moved_disks(guest)) {
    seen.disk_bytes += disk.size;
  }
  seen.received = link_->counters().received;
  seen.guest_runs = course_.guest_runs();
  seen.succeeded = course_.succeeded();
  seen.failure = failure_.code;
  seen.sentence = failure_.context;
  return seen;
}

}  // namespace teleport
