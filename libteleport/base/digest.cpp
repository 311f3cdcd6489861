// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/digest.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <openssl/evp.h>
#include <xxhash.h>

#include "libteleport/base/units.hpp"

namespace teleport {

block_digest digest_block(std::span<const std::byte> block) {
  assert(block.size() <= block_bytes);
  if (block.size() == block_bytes) {
    return XXH3_64bits(block.data(), block.size());
  }
  std::array<std::byte, block_bytes> padded{};
  std::copy(block.begin(), block.end(), padded.begin());
  return XXH3_64bits(padded.data(), padded.size());
}

extent_digest digest_extent(std::span<const std::byte> bytes) {
  sha256_stream hash;
  hash.update(bytes);
  return hash.finish();
}

bool is_zero(std::span<const std::byte> bytes) noexcept {
  // The first bytes by hand, the rest against itself shifted: memcmp runs at
  // the speed of memory.
  constexpr std::size_t head = 16;
  const std::size_t n = std::min(head, bytes.size());
  for (std::size_t i = 0; i < n; ++i) {
    if (bytes[i] != std::byte{0}) {
      return false;
    }
  }
  return bytes.size() <= head ||
         std::memcmp(bytes.data(), bytes.data() + head, bytes.size() - head) ==
             0;
}

struct sha256_stream::state {
  struct free_context {
    void operator()(EVP_MD_CTX* done) const { EVP_MD_CTX_free(done); }
  };
  std::unique_ptr<EVP_MD_CTX, free_context> context{EVP_MD_CTX_new()};
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) {
  if (!state_->context ||
      EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot set up SHA-256");
  }
}
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;
sha256_stream::~sha256_stream() = default;

void sha256_stream::update(std::span<const std::byte> bytes) {
  if (!state_->context ||
      EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) !=
          1) {
    throw std::runtime_error("OpenSSL cannot update SHA-256");
  }
}

extent_digest sha256_stream::finish() {
  extent_digest digest{};
  std::array<unsigned char, digest.size()> raw{};
  unsigned int length = 0;
  // Dropped: more bytes are an error in OpenSSL 3.5, and pass unseen in 3.0.
  const auto context = std::move(state_->context);
  if (!context || EVP_DigestFinal_ex(context.get(), raw.data(), &length) != 1 ||
      length != raw.size()) {
    throw std::runtime_error("OpenSSL cannot finish SHA-256");
  }
  std::memcpy(digest.data(), raw.data(), raw.size());
  return digest;
}

std::string to_hex(std::span<const std::byte> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    text += digits[std::to_integer<unsigned>(b >> 4)];
    text += digits[std::to_integer<unsigned>(b & std::byte{15})];
  }
  return text;
}

}  // namespace teleport
