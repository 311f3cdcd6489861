// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/block_packer.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>
#include <zstd.h>

namespace teleport {

namespace {

/// Both sides hold this much of what was sent: 32 MiB.
constexpr int window_log = 25;

/// From this level on long-distance matching is on; below it that would be most
/// of the work.
constexpr int first_long_level = 3;

struct free_zstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct block_packer::context {
  std::unique_ptr<ZSTD_CCtx, free_zstd> zstd{ZSTD_createCCtx()};
  int level = 0;  ///< of the open frame; 0: none

  void run(byte_span raw, ZSTD_EndDirective until, byte_buffer& out) {
    ZSTD_inBuffer in{raw.data(), raw.size(), 0};
    std::size_t left = 1;
    while (left != 0 || in.pos < in.size) {
      const std::size_t before = out.size();
      out.resize(before + ZSTD_CStreamOutSize());
      ZSTD_outBuffer to{out.data() + before, out.size() - before, 0};
      left = ZSTD_compressStream2(zstd.get(), &to, &in, until);
      // Only a wrong parameter or lack of memory: no input makes it fail.
      assert(ZSTD_isError(left) == 0);
      out.resize(before + to.pos);
    }
  }
};

block_packer::block_packer() : context_(std::make_unique<context>()) {}
block_packer::block_packer(block_packer&&) noexcept = default;
block_packer& block_packer::operator=(block_packer&&) noexcept = default;
block_packer::~block_packer() = default;

packed block_packer::pack(byte_span raw, int level) {
  packed out;
  if (level == 0 || raw.empty()) {
    out.bytes.assign(raw.begin(), raw.end());
    return out;
  }
  out.coding = data_coding::streamed;
  ZSTD_CCtx* zstd = context_->zstd.get();
  if (level != context_->level) {
    if (context_->level != 0) {
      context_->run({}, ZSTD_e_end, out.bytes);
    }
    context_->level = level;
    ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(zstd,
                           ZSTD_c_enableLongDistanceMatching,
                           level >= first_long_level ? 1 : 0);
  }
  context_->run(raw, ZSTD_e_flush, out.bytes);
  return out;
}

struct block_unpacker::context {
  std::unique_ptr<ZSTD_DCtx, free_zstd> zstd{ZSTD_createDCtx()};
};

block_unpacker::block_unpacker() : context_(std::make_unique<context>()) {
  ZSTD_DCtx_setParameter(context_->zstd.get(), ZSTD_d_windowLogMax, window_log);
}
block_unpacker::block_unpacker(block_unpacker&&) noexcept = default;
block_unpacker& block_unpacker::operator=(block_unpacker&&) noexcept = default;
block_unpacker::~block_unpacker() = default;

result<void> block_unpacker::unpack(byte_span payload,
                                    data_coding coding,
                                    std::span<std::byte> out) {
  if (coding == data_coding::plain) {
    if (payload.size() != out.size()) {
      return error(errc::protocol,
                   fmt::format("{} plain bytes where {} were announced",
                               payload.size(),
                               out.size()));
    }
    copy_bytes(payload, out);
    return {};
  }
  ZSTD_inBuffer in{payload.data(), payload.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (in.pos < in.size) {
    const std::size_t read = in.pos;
    const std::size_t made = to.pos;
    const std::size_t left =
        ZSTD_decompressStream(context_->zstd.get(), &to, &in);
    if (ZSTD_isError(left) != 0 || (in.pos == read && to.pos == made)) {
      return error(errc::protocol, "compressed blocks do not unpack");
    }
  }
  // Bytes of a piece beyond the announced size would stay in zstd's buffer.
  std::byte spare{};
  ZSTD_outBuffer beyond{&spare, 1, 0};
  (void)ZSTD_decompressStream(context_->zstd.get(), &beyond, &in);
  if (beyond.pos != 0) {
    return error(errc::protocol,
                 fmt::format("compressed blocks unpack to more than the {} "
                             "bytes that were announced",
                             out.size()));
  }
  if (to.pos != to.size) {
    return error(errc::protocol,
                 fmt::format("compressed blocks unpack to {} bytes where {} "
                             "were announced",
                             to.pos,
                             to.size));
  }
  return {};
}

}  // namespace teleport
