// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/stream/stream_filter.hpp"

#include <algorithm>
#include <utility>

namespace teleport {

result<std::vector<coded_piece>> stream_filter::feed(byte_span from_libxl) {
  if (failure_) {
    return *failure_;
  }
  statistics_.bytes_in += from_libxl.size();
  if (!ended()) {  // else the digest is final, and the parser refuses the bytes
    hash_.update(from_libxl);
  }
  std::vector<coded_piece> pieces;
  while (!from_libxl.empty()) {
    const auto found = parser_.next(from_libxl);
    if (!found) {
      failure_ = found.error();
      return *failure_;
    }
    switch (found->what) {
      case stream_segment::sort::nothing:
        break;
      case stream_segment::sort::other:
        add_raw(found->bytes, pieces);
        break;
      case stream_segment::sort::page_data: {
        const auto added = add_pages(*found, pieces);
        if (!added) {
          failure_ = added.error();
          return *failure_;
        }
        break;
      }
      case stream_segment::sort::end:
        // What may follow in this slice is an error: the digest is not final
        // before it is known that nothing does.
        if (from_libxl.empty()) {
          add_end(pieces);
        }
        break;
    }
  }
  flush_raw(pieces);
  return pieces;
}

void stream_filter::add_raw(byte_span bytes, std::vector<coded_piece>& pieces) {
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), raw_piece_bytes - raw_.size());
    const byte_span part = bytes.first(n);
    raw_.insert(raw_.end(), part.begin(), part.end());
    bytes = bytes.subspan(n);
    if (raw_.size() == raw_piece_bytes) {
      flush_raw(pieces);
    }
  }
}

void stream_filter::flush_raw(std::vector<coded_piece>& pieces) {
  if (!raw_.empty()) {
    add_piece(coded_piece::kind::raw, std::exchange(raw_, {}), pieces);
  }
}

void stream_filter::add_piece(coded_piece::kind type,
                              byte_buffer body,
                              std::vector<coded_piece>& pieces) {
  statistics_.bytes_out += body.size();
  pieces.push_back({type, std::move(body)});
}

result<void> stream_filter::add_pages(const stream_segment& part,
                                      std::vector<coded_piece>& pieces) {
  record_.reserve(part.record_bytes);
  record_.insert(record_.end(), part.bytes.begin(), part.bytes.end());
  if (!part.is_last) {
    return {};
  }
  const auto record = read_page_record(record_);
  if (!record) {
    return in_context("the guest's stream", record.error());
  }
  if (!record->is_codable()) {
    add_raw(record_, pieces);
  } else {
    flush_raw(pieces);
    page_counts counts;
    byte_buffer body = encoder_.encode(*record, counts);
    if (body.size() <= record_.size() - record_.size() / 8) {
      add_piece(coded_piece::kind::pages, std::move(body), pieces);
    } else {
      // Short pieces, as blocks of the disk do not overtake half a record.
      add_raw(record_, pieces);
    }
    statistics_.pages += counts.pages;
    statistics_.zero_pages += counts.zero;
  }
  ++statistics_.page_records;
  record_.clear();
  return {};
}

void stream_filter::add_end(std::vector<coded_piece>& pieces) {
  flush_raw(pieces);
  const extent_digest digest = hash_.finish();
  byte_writer body;
  body.number(statistics_.bytes_in);
  body.bytes(digest);
  add_piece(coded_piece::kind::end, std::move(body).take(), pieces);
}

}  // namespace teleport
