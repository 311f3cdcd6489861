// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/stream_maker.hpp"

#include <algorithm>
#include <string>

namespace teleport::test {

namespace {

using namespace xen_stream;

template <class T>
void put_be(byte_writer& out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) {
    out.number(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

constexpr std::uint64_t entry(unsigned type, std::uint64_t pfn) {
  return std::uint64_t{type} << pfn_type_shift | pfn;
}

// Record types that the parser needs no name for.
enum : std::uint32_t {
  pv_info = 0x2,
  pv_p2m_frames = 0x3,
  pv_vcpu_basic = 0x4,
  pv_vcpu_extended = 0x5,
  pv_vcpu_xsave = 0x6,
  shared_info = 0x7,
  tsc_info = 0x8,
  hvm_context = 0x9,
  hvm_params = 0xa,
  pv_vcpu_msrs = 0xc,
  verify = 0xd,
  static_data_end = 0x10,
  cpuid_policy = 0x11,
  msr_policy = 0x12,
};

}  // namespace

void stream_maker::libxl_header(std::uint32_t version, std::uint32_t options) {
  byte_writer out;
  put_be(out, libxl_ident);
  put_be(out, version);
  put_be(out, options);
  add(std::move(out).take());
}

void stream_maker::image_header(std::uint32_t version, std::uint16_t options) {
  byte_writer out;
  put_be(out, image_marker);
  put_be(out, image_ident);
  put_be(out, version);
  put_be(out, options);
  put_be(out, std::uint16_t{0});
  put_be(out, std::uint32_t{0});
  add(std::move(out).take());
}

void stream_maker::domain_header(std::uint32_t type, std::uint16_t shift) {
  byte_writer out;
  out.number(type);
  out.number(shift);
  out.number(std::uint16_t{0});
  out.number(std::uint32_t{4});
  out.number(std::uint32_t{17});
  add(std::move(out).take());
}

void stream_maker::record(std::uint32_t type, byte_span body) {
  byte_writer out;
  out.number(type);
  out.counted(body);
  add(std::move(out).take());
  bytes_.resize((bytes_.size() + 7) / 8 * 8);
}

byte_buffer stream_maker::noise(std::size_t size) {
  byte_buffer out(size);
  std::generate(out.begin(), out.end(), [&] {
    return static_cast<std::byte>(random_() & 0xffU);
  });
  return out;
}

void stream_maker::page(const stream_shape& shape, byte_buffer& out) {
  const std::size_t at = out.size();
  out.resize(at + page_bytes);
  const unsigned dice = static_cast<unsigned>(random_() % 100);
  if (dice < shape.zero_percent) {
    return;
  }
  if (dice < shape.zero_percent + shape.random_percent) {
    const byte_buffer page_noise = noise(page_bytes);
    std::copy(page_noise.begin(), page_noise.end(), out.end() - page_bytes);
    return;
  }
  // One of eight pages of text, so that some are repeated.
  const std::string text = "page number " + std::to_string(dice % 8) + " says ";
  for (std::size_t i = 0; i < page_bytes; ++i) {
    out[at + i] = static_cast<std::byte>(text[i % text.size()]);
  }
}

void stream_maker::page_data(std::span<const std::uint64_t> entries,
                             const stream_shape& shape) {
  byte_writer out;
  out.number(static_cast<std::uint32_t>(entries.size()));
  out.number(std::uint32_t{0});
  for (const std::uint64_t e : entries) {
    out.number(e);
  }
  byte_buffer body = std::move(out).take();
  for (const std::uint64_t e : entries) {
    if (has_data(static_cast<unsigned>(e >> pfn_type_shift))) {
      page(shape, body);
    }
  }
  record(libxc_page_data, body);
}

void stream_maker::beginning(const stream_shape& shape) {
  const bool pv = shape.kind == guest_kind::pv;
  libxl_header();
  record(libxl_libxc_context);
  image_header();
  domain_header(pv ? guest_x86_pv : guest_x86_hvm);
  record(cpuid_policy, noise(24 * 3));
  record(msr_policy, noise(16));
  record(static_data_end);
  if (pv) {
    record(pv_info, as_bytes(std::string_view("\x08\x04\0\0\0\0\0\0", 8)));
    byte_writer frames;
    frames.number(std::uint32_t{0});
    frames.number(std::uint32_t{1023});
    frames.number(std::uint64_t{0x1234});
    frames.number(std::uint64_t{0x1235});
    record(pv_p2m_frames, std::move(frames).take());
  }
}

void stream_maker::memory(const stream_shape& shape) {
  const bool pv = shape.kind == guest_kind::pv;
  for (unsigned round = 0; round < shape.rounds; ++round) {
    std::vector<std::uint64_t> batch;
    for (unsigned i = 0; i < shape.pages; ++i) {
      if (round > 0 && random_() % (1U << round) != 0) {
        continue;
      }
      // A hole below 4 GiB, as HVM guests have, and types by guest kind.
      const std::uint64_t pfn = i < shape.pages / 2 ? i : 0x100000 + i;
      unsigned type = 0;
      if (i % 13 == 5) {
        type = static_cast<unsigned>(0xd + random_() % 3);
      } else if (pv && i % 7 == 3) {
        type = static_cast<unsigned>(1 + random_() % 4 + random_() % 2 * 8);
      }
      batch.push_back(entry(type, pfn));
      if (batch.size() == shape.batch) {
        page_data(batch, shape);
        batch.clear();
      }
    }
    if (!batch.empty()) {
      page_data(batch, shape);
    }
    if (round == 0) {
      record(verify);
    }
  }
}

void stream_maker::ending(const stream_shape& shape) {
  byte_buffer tsc = noise(24);
  std::fill(tsc.end() - 4, tsc.end(), std::byte{0});
  record(tsc_info, tsc);
  if (shape.kind == guest_kind::pv) {
    record(shared_info, noise(page_bytes));
    const std::uint32_t kinds[] = {
        pv_vcpu_basic, pv_vcpu_extended, pv_vcpu_xsave, pv_vcpu_msrs};
    for (const std::uint32_t type : kinds) {
      byte_buffer vcpu = noise(8 + 8 * (type + 3) + 1);
      std::fill(vcpu.begin(), vcpu.begin() + 8, std::byte{0});
      record(type, vcpu);
    }
  } else {
    record(hvm_context, noise(shape.context_bytes));
    byte_writer params;
    params.number(std::uint32_t{2});
    params.number(std::uint32_t{0});
    params.bytes(noise(32));
    record(hvm_params, std::move(params).take());
  }
  record(libxc_end);
  if (shape.kind == guest_kind::hvm) {
    byte_writer emulator;
    emulator.number(std::uint32_t{2});
    emulator.number(std::uint32_t{0});
    record(libxl_emulator_xenstore_data, std::move(emulator).take());
    byte_writer blob;
    blob.number(std::uint32_t{2});
    blob.number(std::uint32_t{0});
    blob.bytes(noise(shape.context_bytes));
    record(libxl_emulator_context, std::move(blob).take());
  }
  record(libxl_end);
}

byte_buffer make_stream(const stream_shape& shape) {
  stream_maker maker(shape.seed);
  maker.beginning(shape);
  maker.memory(shape);
  maker.ending(shape);
  return maker.bytes();
}

byte_buffer make_page_record(std::uint32_t count,
                             std::span<const std::uint64_t> entries,
                             std::size_t pages_size) {
  byte_writer out;
  out.number(libxc_page_data);
  out.number(static_cast<std::uint32_t>(8 + entries.size() * 8 + pages_size));
  out.number(count);
  out.number(std::uint32_t{0});
  for (const std::uint64_t e : entries) {
    out.number(e);
  }
  byte_buffer record = std::move(out).take();
  record.resize((record.size() + pages_size + 7) / 8 * 8, std::byte{0x5a});
  return record;
}

byte_buffer join_pieces(const std::vector<coded_piece>& pieces) {
  byte_writer out;
  for (const coded_piece& piece : pieces) {
    out.number(static_cast<std::uint8_t>(piece.type));
    out.counted(piece.body);
  }
  return std::move(out).take();
}

std::vector<coded_piece> split_pieces(byte_span joined) {
  std::vector<coded_piece> pieces;
  byte_reader in(joined);
  while (true) {
    const auto type = in.number<std::uint8_t>();
    const byte_span body = in.counted(max_piece_bytes);
    if (!in.ok()) {
      return pieces;
    }
    pieces.push_back({static_cast<coded_piece::kind>(type),
                      byte_buffer(body.begin(), body.end())});
  }
}

}  // namespace teleport::test
