// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/duet_world.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

constexpr std::size_t library_blocks = 64;

void put(byte_buffer& disk, std::size_t at, byte_span bytes) {
  const std::size_t room = disk.size() - at;
  std::ranges::copy(bytes.first(std::min(room, bytes.size())),
                    std::span(disk).subspan(at).begin());
}

}  // namespace

duet_world::duet_world(std::uint64_t seed,
                       std::size_t disks,
                       std::size_t max_extents)
    : random_(seed) {
  for (std::size_t i = 0; i < library_blocks; ++i) {
    byte_buffer block(block_bytes);
    for (std::size_t at = 0; at < block_bytes; at += 8) {
      store_le(random_(), std::span(block).subspan(at));
    }
    library_.push_back(std::move(block));
  }
  donor_id donors = 0;
  for (std::size_t i = 0; i < disks; ++i) {
    const std::size_t whole = (max_extents - 1) * extent_bytes;
    const std::size_t tail = random_() % 3 == 0
                                 ? extent_bytes
                                 : (random_() % (extent_bytes / 512) + 1) * 512;
    byte_buffer content(whole + tail);
    if (random_() % 8 != 0) {
      fill_source(content);
    }
    add_target(content);
    byte_buffer donor((library_blocks + 1) * block_bytes);
    for (std::size_t b = 0; b < library_blocks; ++b) {
      put(donor, b * block_bytes, library_[b]);
    }
    lookup_.add_donor(std::move(donor));
    ++donors;
    if (random_() % 2 == 0) {
      // The whole disk lies in a donor that has been written to since.
      lookup_.add_donor(content);
      put(lookup_.donor(donors++), 0, library_[1]);
    }
    dirty_.emplace_back(content.size(),
                        random_() % 2 == 0 ? block_bytes : 16 * block_bytes);
    disks_.push_back(std::make_unique<memory_device>(std::move(content)));
  }
  if (random_() % 4 != 0) {
    lookup_.lie(random_(), 2 + static_cast<unsigned>(random_() % 6));
  }
}

byte_buffer duet_world::make_block() {
  switch (random_() % 5) {
    case 0:
      return byte_buffer(block_bytes);
    case 1:
      return colliding_blocks(static_cast<std::uint32_t>(random_() % 16)).first;
    case 2: {
      byte_buffer block(block_bytes, static_cast<std::byte>(random_()));
      store_le(random_(), block);
      return block;
    }
    default:
      return library_[random_() % library_.size()];
  }
}

void duet_world::fill_source(byte_buffer& disk) {
  for (std::size_t extent = 0; extent < disk.size(); extent += extent_bytes) {
    const std::size_t end = std::min(disk.size(), extent + extent_bytes);
    const auto kind = random_() % 4;
    if (kind == 0) {
      continue;  // zeros
    }
    for (std::size_t at = extent; at < end; at += block_bytes) {
      // Mostly zeros and runs of the library, or anything.
      if (kind == 1) {
        put(disk, at, library_[at / block_bytes % library_.size()]);
      } else if (kind == 3 || random_() % 16 == 0) {
        put(disk, at, make_block());
      }
    }
  }
}

void duet_world::add_target(const byte_buffer& source) {
  byte_buffer content(source.size());
  bool blank = false;
  switch (random_() % 4) {
    case 0:
      blank = true;
      break;
    case 1:  // garbage
      for (std::size_t at = 0; at < content.size(); at += block_bytes) {
        put(content, at, library_[random_() % library_.size()]);
      }
      break;
    default:  // an earlier copy
      content = source;
      for (std::size_t i = 0; i < content.size() / extent_bytes * 3 + 1; ++i) {
        const std::size_t at =
            random_() % count_of(content.size(), block_bytes) * block_bytes;
        put(content, at, make_block());
      }
  }
  // Where the source has a block, the target has its twin by digest.
  for (std::size_t at = 0; !blank && at < content.size(); at += block_bytes) {
    const auto twins =
        colliding_blocks(static_cast<std::uint32_t>(random_() % 16));
    const auto here = byte_span(source).subspan(
        at, std::min(block_bytes, source.size() - at));
    if (std::ranges::equal(here, twins.first)) {
      put(content, at, twins.second);
    }
  }
  target_devices_.push_back(
      std::make_unique<memory_device>(std::move(content)));
  targets_.push_back({target_devices_.back().get(), blank});
}

std::vector<block_device*> duet_world::sources() const {
  std::vector<block_device*> all;
  all.reserve(disks_.size());
  for (const auto& disk : disks_) {
    all.push_back(disk.get());
  }
  return all;
}

std::vector<known_content*> duet_world::know_some() {
  std::vector<known_content*> all;
  for (const auto& disk : disks_) {
    known_.push_back(std::make_unique<snapshot_content>(disk->content()));
    for (std::uint64_t i = 0; i < extents_of(disk->size()); ++i) {
      if (random_() % 4 == 0) {
        known_.back()->forget(i);
      }
    }
    all.push_back(known_.back().get());
  }
  return all;
}

void duet_world::write_somewhere() {
  const std::size_t disk = random_() % disks_.size();
  byte_buffer& content = disks_[disk]->content();
  const std::size_t at = random_() % (content.size() / 512) * 512;
  const byte_buffer block = make_block();
  const std::size_t length =
      std::min<std::size_t>((random_() % 24 + 1) * 512, content.size() - at);
  // Marked first, as the tracker does when the request is queued.
  dirty_[disk].mark(at, length);
  for (std::size_t i = 0; i < length; i += block_bytes) {
    put(content,
        at + i,
        byte_span(block).first(std::min(length - i, block_bytes)));
  }
}

std::vector<dirty_map> duet_world::take_dirty() {
  std::vector<dirty_map> fresh;
  fresh.reserve(dirty_.size());
  for (const dirty_map& map : dirty_) {
    fresh.emplace_back(map.disk_bytes(), map.grain());
  }
  std::swap(fresh, dirty_);
  return fresh;
}

std::uint64_t duet_world::total_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& disk : disks_) {
    sum += disk->size();
  }
  return sum;
}

std::string duet_world::difference() const {
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    const byte_buffer& wanted = disks_[i]->content();
    const byte_buffer& got = target_devices_[i]->content();
    const auto at = std::ranges::mismatch(wanted, got).in1;
    if (at != wanted.end()) {
      return fmt::format("disk {} differs at byte {}", i, at - wanted.begin());
    }
  }
  return {};
}

}  // namespace teleport
