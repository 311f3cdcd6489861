// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/network_list.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

namespace teleport {

namespace {

using address_bytes = std::array<unsigned char, 16>;

constexpr std::size_t v4_bits = 32;
constexpr std::size_t v6_bits = 128;
/// Of ::ffff:0:0/96, in which IPv4 addresses are written as IPv6.
constexpr std::size_t mapped_bits = v6_bits - v4_bits;

struct known_address {
  address_bytes bytes{};
  bool is_v4 = false;
};

std::optional<known_address> read_address(std::string_view text) {
  namespace ip = boost::asio::ip;
  boost::system::error_code failure;
  const auto address = ip::make_address(std::string(text), failure);
  if (failure) {
    return std::nullopt;
  }
  const ip::address_v6 whole =
      address.is_v6() ? address.to_v6()
                      : ip::make_address_v6(ip::v4_mapped, address.to_v4());
  return known_address{whole.to_bytes(), whole.is_v4_mapped()};
}

/// Digits alone, up to `most`.
std::optional<std::size_t> read_length(std::string_view text,
                                       std::size_t most) {
  std::size_t length = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, length);
  const bool good = read.ec == std::errc() && read.ptr == end && length <= most;
  return good ? std::optional(length) : std::nullopt;
}

/// The address with zeros behind its first bits.
address_bytes first_bits(address_bytes bytes, std::size_t bits) {
  constexpr std::size_t byte_bits = 8;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t before = i * byte_bits;
    const std::size_t left =
        bits > before ? std::min(bits - before, byte_bits) : 0;
    bytes.at(i) &= static_cast<unsigned char>(0xff00U >> left);
  }
  return bytes;
}

}  // namespace

result<void> network_list::add(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return error(errc::bad_input, fmt::format("'{}' {}", text, why));
  };
  const std::size_t slash = text.find('/');
  const std::string_view base = text.substr(0, slash);
  const auto address = base.find('%') == std::string_view::npos
                           ? read_address(base)
                           : std::nullopt;
  const bool written_as_v6 = base.find(':') != std::string_view::npos;
  const std::size_t most = written_as_v6 ? v6_bits : v4_bits;
  const auto length = slash == std::string_view::npos
                          ? std::optional(most)
                          : read_length(text.substr(slash + 1), most);
  if (!address || !length) {
    return wrong("is no network, as 10.0.0.0/8");
  }
  const std::size_t bits = written_as_v6 ? *length : mapped_bits + *length;
  if (first_bits(address->bytes, bits) != address->bytes) {
    return wrong("has bits behind the length of its network");
  }
  networks_.push_back({address->bytes, bits, address->is_v4});
  return {};
}

std::vector<std::string> network_list::texts() const {
  std::vector<std::string> all;
  for (const network& one : networks_) {
    std::array<char, INET6_ADDRSTRLEN> base{};
    (void)::inet_ntop(AF_INET6, one.base.data(), base.data(), base.size());
    all.push_back(fmt::format("{}/{}", base.data(), one.bits));
  }
  return all;
}

bool network_list::contains(std::string_view address) const {
  if (networks_.empty()) {
    return true;
  }
  const auto known = read_address(address.substr(0, address.find('%')));
  return known && std::ranges::any_of(networks_, [&](const network& one) {
           return one.is_v4 == known->is_v4 &&
                  first_bits(known->bytes, one.bits) == one.base;
         });
}

}  // namespace teleport
