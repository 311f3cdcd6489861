// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/coverage.hpp"

namespace teleport::index {

bool covers(const standing_tracker& tracker,
            const unique_id& index,
            const disk_record& record) {
  // The scan began after this very tracker, in this very database; no older
  // copy of the database has come back since marks were cleared for it.
  return record.complete && index.is_set() && tracker.life().is_set() &&
         record.tracker == tracker.life() && tracker.purpose().index == index &&
         record.epoch >= tracker.served_epoch() &&
         record.size == tracker.disk_bytes();
}

}  // namespace teleport::index
