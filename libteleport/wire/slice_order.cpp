// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/slice_order.hpp"

#include <cassert>
#include <utility>

#include <fmt/format.h>

namespace teleport {

byte_buffer encode_slice(std::uint64_t number, byte_span bytes) {
  assert(!bytes.empty() && bytes.size() <= max_slice_bytes);
  byte_writer out;
  out.number(number);
  out.bytes(bytes);
  return std::move(out).take();
}

result<void> slice_order::take(std::size_t lane, byte_span body) {
  byte_reader in(body);
  const auto number = in.number<std::uint64_t>();
  const byte_span bytes = in.rest();
  if (!in.done() || bytes.empty() || bytes.size() > max_slice_bytes) {
    return error(errc::protocol,
                 fmt::format("SLICE record: {} bytes", body.size()));
  }
  if (lane >= lanes_.size()) {
    lanes_.resize(lane + 1);
  }
  lane_state& from = lanes_[lane];
  if (number < next_ || (from.last && number <= *from.last) ||
      (number == 0 && lane != 0) || waiting_.contains(number)) {
    return error(errc::protocol,
                 fmt::format("SLICE record: number {} out of order", number));
  }
  from.last = number;
  from.bytes += bytes.size() + slice_cost;
  bytes_ += bytes.size() + slice_cost;
  waiting_[number] = {lane, byte_buffer(bytes.begin(), bytes.end())};
  return {};
}

std::optional<byte_buffer> slice_order::next() {
  const auto first = waiting_.begin();
  if (first == waiting_.end() || first->first != next_) {
    return std::nullopt;
  }
  ++next_;
  byte_buffer bytes = std::move(first->second.bytes);
  lanes_[first->second.lane].bytes -= bytes.size() + slice_cost;
  bytes_ -= bytes.size() + slice_cost;
  waiting_.erase(first);
  return bytes;
}

bool slice_order::may_read(std::size_t lane) const noexcept {
  return bytes_ < enough_waiting || lane >= lanes_.size() ||
         lanes_[lane].bytes == 0;
}

}  // namespace teleport
