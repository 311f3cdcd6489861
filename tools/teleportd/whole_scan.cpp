// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/whole_scan.hpp"

namespace teleport {

bool needs_whole_scan(const index::disk_record* record,
                      const index::disk_identity& now,
                      const disk_use& use) {
  const bool known =
      record != nullptr && record->complete && record->identity == now.name;
  // A block device does not say when it was written last.
  const bool says_same =
      known && now.is_file && record->changed_at == now.changed_at;
  if (says_same) {
    return false;
  }
  if (now.is_file &&
      use.today - std::chrono::nanoseconds(now.changed_at) >= use.quiet) {
    return true;
  }
  return known ? use.today - std::chrono::seconds(record->scanned_at) >=
                     whole_scan_interval
               : !now.is_file || use.by_guest;
}

}  // namespace teleport
