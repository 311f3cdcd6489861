// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane_set.hpp"

#include <algorithm>
#include <utility>

namespace teleport {

std::size_t lane_set::add(framer input) {
  lanes_.push_back({std::move(input), std::nullopt, false});
  return lanes_.size() - 1;
}

void lane_set::feed(std::size_t lane, byte_span bytes) {
  lanes_[lane].input.feed(bytes);
}

result<std::optional<raw_record>> lane_set::next_record() {
  for (;;) {
    while (const auto bytes = order_.next()) {
      stream_.feed(*bytes);
    }
    if (slices_begun_) {
      auto record = stream_.next();
      if (!record || *record) {
        return record;
      }
    }
    bool found = false;
    for (std::size_t i = 0; i < lanes_.size() && !found; ++i) {
      auto record = lanes_[i].input.next();
      if (!record) {
        return record;
      }
      found = record->has_value();
      if (!found) {
        continue;
      }
      if (direction_ == slices::in && (*record)->type == record_type::slice) {
        slices_begun_ = slices_begun_ || i == 0;
        const auto taken = order_.take(i, (*record)->body);
        if (!taken) {
          return taken.error();
        }
      } else if (slices_begun_ || i != 0) {
        return error(errc::protocol, "a record beside the slices");
      } else {
        return record;
      }
    }
    if (!found) {
      return std::optional<raw_record>();
    }
  }
}

/// Slice 0 goes on the first lane, behind all that is not in slices.
std::optional<std::size_t> lane_set::next_free() const noexcept {
  const std::size_t count = next_slice_.value_or(0) == 0 ? 1 : lanes_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t lane = (turn_ + i) % count;
    if (!lanes_[lane].writing && !lanes_[lane].ended) {
      return lane;
    }
  }
  return std::nullopt;
}

std::optional<lane_set::write> lane_set::next_write(record_queue& queue,
                                                    std::size_t most) {
  const auto lane = next_free();
  if (!lane) {
    return std::nullopt;
  }
  if (direction_ == slices::out && lanes_.size() > 1 && !next_slice_ &&
      queue.is_between_records()) {
    next_slice_ = 0;
  }
  write made;
  made.lane = *lane;
  made.bytes = queue.pop(next_slice_ ? std::min(most, max_slice_bytes) : most);
  made.of_records = made.bytes.bytes.size();
  if (made.of_records == 0) {
    return std::nullopt;
  }
  if (next_slice_) {
    made.bytes = share(frame(record_type::slice,
                             encode_slice(*next_slice_, made.bytes.bytes)));
    ++*next_slice_;
  }
  lanes_[*lane].writing = made.of_records;
  turn_ = *lane + 1;
  return made;
}

std::size_t lane_set::on_written(std::size_t lane) noexcept {
  return std::exchange(lanes_[lane].writing, std::nullopt).value_or(0);
}

bool lane_set::is_writing() const noexcept {
  return std::ranges::any_of(
      lanes_, [](const auto& lane) { return lane.writing.has_value(); });
}

bool lane_set::all_ended() const noexcept {
  return std::ranges::all_of(lanes_,
                             [](const auto& lane) { return lane.ended; });
}

}  // namespace teleport
