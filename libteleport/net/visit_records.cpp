// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/visit_records.hpp"

#include <algorithm>
#include <cstdint>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/sentence.hpp"

namespace teleport {

namespace {

constexpr std::size_t max_networks = 4096;
constexpr std::size_t max_network_bytes = 64;
constexpr std::size_t max_key_text_bytes = 48_KiB;
constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t digest_digits = 64;

error broken(std::string_view what) {
  return {errc::protocol,
          "another process of this host sent no " + std::string(what)};
}

std::string text_of(byte_writer&& out) {
  const byte_buffer bytes = std::move(out).take();
  return std::string(as_text(bytes));
}

std::string counted(byte_reader& in, std::size_t limit) {
  return std::string(as_text(in.counted(limit)));
}

bool is_digest(std::string_view text) {
  return text.size() == digest_digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string encode_listen_order(const network_list& from) {
  byte_writer out;
  const auto texts = from.texts();
  out.number(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) {
    out.counted(as_bytes(text));
  }
  return text_of(std::move(out));
}

result<network_list> decode_listen_order(std::string_view bytes) {
  byte_reader in(as_bytes(bytes));
  network_list from;
  const auto count = in.number<std::uint32_t>();
  if (count > max_networks) {
    return broken("list of networks");
  }
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto added = from.add(counted(in, max_network_bytes));
    if (!added) {
      return added.error();
    }
  }
  return in.done() ? result<network_list>(from) : broken("list of networks");
}

std::string encode_visit(std::string_view address) {
  return std::string(address.substr(0, max_visit_bytes));
}

result<std::string> decode_visit(std::string_view bytes) {
  const auto belongs = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '.' ||
           c == ':';
  };
  return !bytes.empty() && bytes.size() <= max_visit_bytes &&
                 std::ranges::all_of(bytes, belongs)
             ? result<std::string>(std::string(bytes))
             : broken("address");
}

std::string encode(const speaker_terms& terms) {
  byte_writer out;
  out.counted(as_bytes(terms.own.key));
  out.counted(as_bytes(terms.own.certificate));
  out.counted(as_bytes(terms.congestion_control));
  return text_of(std::move(out));
}

result<speaker_terms> decode_terms(std::string_view bytes) {
  byte_reader in(as_bytes(bytes));
  speaker_terms terms;
  terms.own.key = counted(in, max_key_text_bytes);
  terms.own.certificate = counted(in, max_key_text_bytes);
  terms.congestion_control = counted(in, max_name_bytes);
  return in.done() ? result<speaker_terms>(std::move(terms)) : broken("terms");
}

std::string encode(const introduction& who) {
  return (who.has_key ? '+' : '!') +
         (who.has_key ? who.text : sendable(who.text));
}

result<introduction> decode_introduction(std::string_view bytes) {
  if (bytes.empty() || (bytes.front() != '+' && bytes.front() != '!')) {
    return broken("introduction");
  }
  introduction who{bytes.front() == '+', std::string(bytes.substr(1))};
  if (who.has_key && !is_digest(who.text)) {
    return broken("key");
  }
  if (!who.has_key) {
    who.text = sendable(who.text);
  }
  return who;
}

std::string encode(const verdict& said) {
  byte_writer out;
  out.number(static_cast<std::uint8_t>(said.what));
  out.counted(as_bytes(said.host.key));
  out.counted(as_bytes(said.host.name));
  out.number(static_cast<std::uint32_t>(said.keys.size()));
  for (const std::string& key : said.keys) {
    out.counted(as_bytes(key));
  }
  return text_of(std::move(out));
}

result<verdict> decode_verdict(std::string_view bytes) {
  byte_reader in(as_bytes(bytes));
  verdict said;
  const auto what = static_cast<verdict::kind>(in.number<std::uint8_t>());
  said.what = what == verdict::kind::come_in || what == verdict::kind::full
                  ? what
                  : verdict::kind::stranger;
  said.host.key = counted(in, digest_digits);
  said.host.name = counted(in, max_name_bytes);
  const auto count = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    said.keys.push_back(counted(in, digest_digits));
  }
  return in.done() ? result<verdict>(std::move(said)) : broken("verdict");
}

}  // namespace teleport
