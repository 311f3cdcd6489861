// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/whole/xen/stream_reader.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>

#include <unistd.h>

#include "libteleport/stream/formats.hpp"
#include "test/whole/xen/memory_page.hpp"

namespace teleport::whole {

namespace {

using namespace xen_stream;

struct record {
  std::uint32_t type = 0;
  byte_buffer body;
};

record read_record(int fd) {
  std::array<std::uint32_t, 2> head{};
  read_exactly(fd, head.data(), sizeof(head));
  if (head[1] > max_libxc_body) {
    throw std::runtime_error("a record of the stream is too long");
  }
  record one{head[0], byte_buffer(head[1])};
  read_exactly(fd, one.body.data(), one.body.size());
  std::array<std::byte, record_header_bytes> padding{};
  read_exactly(fd, padding.data(), (8 - one.body.size() % 8) % 8);
  return one;
}

/// Each page of each PAGE_DATA record: a later one is what the frame holds.
class memory {
 public:
  void add(byte_span body) {
    std::uint32_t count = 0;
    std::memcpy(&count, body.data(), sizeof(count));
    std::size_t page = 8 + std::size_t{count} * 8;
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint64_t entry = 0;
      std::memcpy(&entry, body.data() + 8 + std::size_t{i} * 8, sizeof(entry));
      if (!has_data(static_cast<unsigned>(entry >> pfn_type_shift))) {
        continue;
      }
      if (page + page_bytes > body.size()) {
        throw std::runtime_error("a PAGE_DATA record has too few pages");
      }
      if (const auto last = read_memory_page(body.subspan(page, page_bytes))) {
        if ((entry & pfn_mask) != memory_pfn) {
          throw std::runtime_error("a page has come to another frame");
        }
        last_ = *last;
      }
      page += page_bytes;
    }
    if (page != body.size()) {
      throw std::runtime_error("a PAGE_DATA record has too many pages");
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> last() const { return last_; }

 private:
  std::optional<std::uint64_t> last_;
};

void read_libxc(int fd, memory& pages) {
  std::array<std::byte, image_header_bytes + domain_header_bytes> headers{};
  read_exactly(fd, headers.data(), headers.size());
  for (;;) {
    const record one = read_record(fd);
    if (one.type == libxc_end) {
      return;
    }
    if (one.type == libxc_page_data) {
      pages.add(one.body);
    }
  }
}

}  // namespace

void read_exactly(int fd, void* into, std::size_t bytes) {
  auto* at = static_cast<std::byte*>(into);
  while (bytes > 0) {
    const ssize_t r = ::read(fd, at, bytes);
    if (r < 0 && errno == EINTR) {
      continue;
    }
    if (r <= 0) {
      throw std::runtime_error("the stream ended before its end");
    }
    at += r;
    bytes -= static_cast<std::size_t>(r);
  }
}

std::uint64_t read_stream(int fd) {
  std::array<std::byte, libxl_header_bytes> header{};
  read_exactly(fd, header.data(), header.size());
  if (as_text(byte_span(header).first(8)) != "LibxlFmt") {
    throw std::runtime_error("this is no stream of libxl's");
  }
  memory pages;
  for (;;) {
    const record one = read_record(fd);
    if (one.type == libxl_libxc_context) {
      read_libxc(fd, pages);
    }
    if (one.type == libxl_end) {
      break;
    }
  }
  if (!pages.last()) {
    throw std::runtime_error("the guest's memory is not in the stream");
  }
  return *pages.last();
}

}  // namespace teleport::whole
