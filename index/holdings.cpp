// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/holdings.hpp"

#include <memory>
#include <optional>

#include "index/extent_source.hpp"
#include "libteleport/disk/file_device.hpp"

namespace teleport::index {

result<holdings> find_holdings(content_lookup& lookup,
                               const std::string& path,
                               const std::atomic<bool>* cancel) {
  const result<std::unique_ptr<block_device>> device =
      open_device(path, open_mode::read_only);
  if (!device) {
    return device.error();
  }
  source_options how;
  how.threads = 2;
  how.cancel = cancel;
  holdings sum;
  sum.bytes = (*device)->size();
  extent_source source(**device, path, how);
  for (auto part = source.next(); part; part = source.next()) {
    if (part->what == extent_source::kind::unreadable) {
      return error(errc::system, source.first_failure());
    }
    if (!part->content || part->content->count == 0) {
      continue;
    }
    const extent_content& content = *part->content;
    const bool whole = extent_length(sum.bytes, part->first) == extent_bytes;
    if (whole && lookup.find_extent(content.sha)) {
      ++sum.whole_extents;
    }
    std::uint64_t found = 0;
    for (const donor_run& run :
         lookup.find_blocks(std::span(content.digests).first(content.count))) {
      found += run.count;
      ++sum.runs;
      sum.by_donor[run.donor] += run.count;
    }
    sum.found += found;
    sum.missing += content.count - found;
  }
  if (cancel != nullptr && *cancel) {
    return error(errc::cancelled, "stopped");
  }
  sum.zero = count_of(sum.bytes, block_bytes) - sum.found - sum.missing;
  return sum;
}

}  // namespace teleport::index
