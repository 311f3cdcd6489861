// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/pass_progress.hpp"

#include <algorithm>
#include <cstddef>

namespace teleport {

void add_pass(progress& now,
              const std::vector<pass_count>& pass,
              const std::vector<guest_disk>& disks,
              std::uint64_t wanted) {
  const pass_count all = sum_of(pass);
  now.done = all.done;
  now.total = all.total;
  for (std::size_t i = 0; disks.size() > 1 && i < pass.size(); ++i) {
    now.disks.push_back({disks.at(i).vdev, pass[i].done, pass[i].total});
  }
  if (now.phase == move_phase::bulk && now.done != 0) {
    now.found = 1.0 - std::min(1.0,
                               static_cast<double>(wanted) /
                                   static_cast<double>(now.done));
  }
}

}  // namespace teleport
