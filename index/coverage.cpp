// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/coverage.hpp"

namespace teleport::index {

coverage coverage_of(const standing_tracker& tracker) {
  return {tracker.life(),
          tracker.purpose().index,
          tracker.served_epoch(),
          tracker.disk_bytes()};
}

bool covers(const coverage& tracker,
            const unique_id& index,
            const disk_record& record) {
  // The record's scan began after this very tracker.
  const bool is_same_tracker =
      tracker.life.is_set() && record.tracker == tracker.life;
  const bool is_same_index = index.is_set() && tracker.index == index;
  // An older copy of the database lacks what was read for marks that were
  // cleared since.
  const bool is_newest = record.epoch >= tracker.served_epoch;
  const bool is_same_size = record.size == tracker.disk_bytes;
  return record.complete && is_same_tracker && is_same_index && is_newest &&
         is_same_size;
}

}  // namespace teleport::index
