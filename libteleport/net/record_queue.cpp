// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/record_queue.hpp"

#include <algorithm>
#include <utility>

#include "libteleport/wire/framer.hpp"

namespace teleport {

void record_queue::add(records& to, record_type type, byte_span body) {
  to.push_back(frame(type, body));
  queued_ += to.back().size();
}

void record_queue::push(record_type type, byte_span body) {
  add(records_, type, body);
}

void record_queue::push_ahead(record_type type, byte_span body) {
  add(ahead_records_, type, body);
}

void record_queue::push_behind(record_type type, byte_span body) {
  add(behind_records_, type, body);
  behind_ += behind_records_.back().size();
}

void record_queue::drop(records& from) noexcept {
  for (const byte_buffer& record : from) {
    queued_ -= record.size();
  }
  from.clear();
}

void record_queue::push_last(record_type type, byte_span body) {
  drop(ahead_records_);
  drop(records_);
  drop(behind_records_);
  // The rest of the batch is popped as ever.
  behind_ =
      batch_is_behind_ && batch_ != nullptr ? batch_->size() - popped_ : 0;
  push(type, body);
}

bool record_queue::is_between_records() const noexcept {
  return !batch_ || popped_ == batch_->size();
}

record_queue::records* record_queue::next_records() noexcept {
  for (records* const from : {&ahead_records_, &records_, &behind_records_}) {
    if (!from->empty()) {
      return from;
    }
  }
  return nullptr;
}

void record_queue::begin_batch() {
  byte_buffer batch;
  batch_is_behind_ = false;
  for (records* from = next_records(); from != nullptr; from = next_records()) {
    const bool is_behind = from == &behind_records_;
    const std::size_t most = is_behind ? behind_batch_bytes : batch_bytes;
    if (batch.empty()) {
      batch = std::move(from->front());  // no copy of a long record
      batch_is_behind_ = is_behind;
    } else if (batch.size() >= most || is_behind != batch_is_behind_) {
      break;
    } else {
      batch.insert(batch.end(), from->front().begin(), from->front().end());
    }
    from->pop_front();
  }
  batch_ = std::make_shared<const byte_buffer>(std::move(batch));
  popped_ = 0;
}

shared_bytes record_queue::pop(std::size_t most) {
  if (is_between_records()) {
    begin_batch();
  }
  const std::size_t size = std::min(most, batch_->size() - popped_);
  const byte_span bytes = byte_span(*batch_).subspan(popped_, size);
  popped_ += size;
  behind_ -= batch_is_behind_ ? size : 0;
  return {batch_, bytes};
}

}  // namespace teleport
