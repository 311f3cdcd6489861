// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/bytes.hpp: bytes in memory: spans, little-endian numbers,
// a checked reader and a writer.
//
// Trust: byte_reader is made for hostile input: nothing is read past the end,
// and after a failed read all later reads fail too, so ok() is asked once.

#ifndef LIBTELEPORT_BASE_BYTES_HPP
#define LIBTELEPORT_BASE_BYTES_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace teleport {

using byte_span = std::span<const std::byte>;
using byte_buffer = std::vector<std::byte>;

/// Copies all of `from` to the start of `to`. g++ 12 makes loops over single
/// bytes of the standard's algorithms.
///
/// @pre to.size() >= from.size()
inline void copy_bytes(byte_span from, std::span<std::byte> to) noexcept {
  if (!from.empty()) {
    std::memmove(to.data(), from.data(), from.size());
  }
}

[[nodiscard]] inline bool same_bytes(byte_span a, byte_span b) noexcept {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// The characters of `text` as bytes; valid as long as `text`'s are.
[[nodiscard]] inline byte_span as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The bytes as characters; valid as long as `bytes` are.
[[nodiscard]] inline std::string_view as_text(byte_span bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// @pre bytes.size() >= sizeof(T)
template <std::unsigned_integral T>
[[nodiscard]] T load_le(byte_span bytes) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(
        value | static_cast<T>(std::to_integer<T>(bytes[i]) << (8 * i)));
  }
  return value;
}

/// @pre bytes.size() >= sizeof(T)
template <std::unsigned_integral T>
void store_le(T value, std::span<std::byte> bytes) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<std::byte>(std::uint64_t{value} >> (8 * i) & 0xffU);
  }
}

/// Reads little-endian fields from a span, checked.
class byte_reader {
 public:
  explicit byte_reader(byte_span bytes) noexcept : rest_(bytes) {}

  template <std::unsigned_integral T>
  [[nodiscard]] T number() noexcept {
    const byte_span raw = take(sizeof(T));
    return raw.size() == sizeof(T) ? load_le<T>(raw) : T{0};
  }
  /// The next `length` bytes, or an empty span when there are fewer.
  [[nodiscard]] byte_span take(std::size_t length) noexcept {
    if (!ok_ || length > rest_.size()) {
      ok_ = false;
      return {};
    }
    const byte_span taken = rest_.first(length);
    rest_ = rest_.subspan(length);
    return taken;
  }
  /// All that is left.
  [[nodiscard]] byte_span rest() noexcept { return take(rest_.size()); }
  /// A u32 length and as many bytes, at most `limit`.
  [[nodiscard]] byte_span counted(std::size_t limit) noexcept {
    const auto length = number<std::uint32_t>();
    if (length > limit) {
      ok_ = false;
    }
    return take(length);
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// True when all was read and nothing is left over.
  [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

 private:
  byte_span rest_;
  bool ok_ = true;
};

/// Appends little-endian fields to a buffer.
class byte_writer {
 public:
  template <std::unsigned_integral T>
  void number(T value) {
    const std::size_t at = buffer_.size();
    buffer_.resize(at + sizeof(T));
    store_le(value, std::span(buffer_).subspan(at));
  }
  void bytes(byte_span more) {
    buffer_.insert(buffer_.end(), more.begin(), more.end());
  }
  /// A u32 length and the bytes.
  void counted(byte_span more) {
    number(static_cast<std::uint32_t>(more.size()));
    bytes(more);
  }
  [[nodiscard]] byte_buffer take() && { return std::move(buffer_); }
  [[nodiscard]] std::size_t size() const noexcept { return buffer_.size(); }

 private:
  byte_buffer buffer_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_BYTES_HPP
