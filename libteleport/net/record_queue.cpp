// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/record_queue.hpp"

#include <algorithm>
#include <utility>

#include "libteleport/wire/framer.hpp"

namespace teleport {

void record_queue::push(record_type type, byte_span body) {
  queue_.push_back(frame(type, body));
  queued_ += queue_.back().size();
}

void record_queue::push_ahead(record_type type, byte_span body) {
  ahead_.push_back(frame(type, body));
  queued_ += ahead_.back().size();
}

bool record_queue::is_between_records() const noexcept {
  return !batch_ || popped_ == batch_->size();
}

shared_bytes record_queue::pop(std::size_t most) {
  if (is_between_records()) {
    byte_buffer batch;
    while (batch.size() < batch_bytes && !(ahead_.empty() && queue_.empty())) {
      auto& from = ahead_.empty() ? queue_ : ahead_;
      if (batch.empty()) {
        batch = std::move(from.front());  // no copy of a long record
      } else {
        batch.insert(batch.end(), from.front().begin(), from.front().end());
      }
      from.pop_front();
    }
    batch_ = std::make_shared<const byte_buffer>(std::move(batch));
    popped_ = 0;
  }
  const std::size_t size = std::min(most, batch_->size() - popped_);
  const byte_span bytes = byte_span(*batch_).subspan(popped_, size);
  popped_ += size;
  return {batch_, bytes};
}

}  // namespace teleport
