// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/wire/codec.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <zstd.h>

namespace teleport {

namespace {

struct free_zstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

packed pack(byte_span raw, int level) {
  thread_local const std::unique_ptr<ZSTD_CCtx, free_zstd> context(
      ZSTD_createCCtx());
  packed out;
  out.bytes.resize(ZSTD_compressBound(raw.size()));
  const std::size_t n = ZSTD_compressCCtx(context.get(),
                                          out.bytes.data(),
                                          out.bytes.size(),
                                          raw.data(),
                                          raw.size(),
                                          level);
  if (ZSTD_isError(n) != 0 || n >= raw.size()) {
    out.bytes.assign(raw.begin(), raw.end());
    return out;
  }
  out.bytes.resize(n);
  out.compressed = true;
  return out;
}

result<void> unpack(byte_span packed_bytes,
                    bool compressed,
                    std::span<std::byte> out) {
  if (!compressed) {
    if (packed_bytes.size() != out.size()) {
      return error(errc::protocol,
                   fmt::format("{} plain bytes where {} were announced",
                               packed_bytes.size(),
                               out.size()));
    }
    std::copy(packed_bytes.begin(), packed_bytes.end(), out.begin());
    return {};
  }
  thread_local const std::unique_ptr<ZSTD_DCtx, free_zstd> context(
      ZSTD_createDCtx());
  const std::size_t n = ZSTD_decompressDCtx(context.get(),
                                            out.data(),
                                            out.size(),
                                            packed_bytes.data(),
                                            packed_bytes.size());
  if (ZSTD_isError(n) != 0 || n != out.size()) {
    return error(errc::protocol, "compressed blocks do not unpack");
  }
  return {};
}

}  // namespace teleport
