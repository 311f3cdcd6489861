// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/peer_certificates.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "libteleport/base/digest.hpp"
#include "libteleport/net/openssl_objects.hpp"

namespace teleport {

namespace {

constexpr std::string_view first_key_line = "first-key: ";
constexpr std::string_view begin_of_block = "-----BEGIN ";
/// SHA-256 in hexadecimal.
constexpr std::size_t key_digits = 64;

error not_a_certificate() {
  return {errc::corrupt, "this is not a PEM certificate"};
}

result<host_certificate> certificate_of(X509* x509) {
  const auto der = der_of(x509);
  const owned_bio text(BIO_new(BIO_s_mem()));
  if (der.empty() || !text || PEM_write_bio_X509(text.get(), x509) != 1) {
    return error(errc::corrupt, "this certificate cannot be encoded");
  }
  return host_certificate{to_hex(digest_extent(std::as_bytes(std::span(der)))),
                          text_of(text.get())};
}

bool is_end(unsigned long failure) {
  return ERR_GET_LIB(failure) == ERR_LIB_PEM &&
         ERR_GET_REASON(failure) == PEM_R_NO_START_LINE;
}

/// The line "first-key:" above the first certificate; empty where none is.
result<std::string> first_key_of(std::string_view text) {
  text = text.substr(0, text.find(begin_of_block));
  const auto at = text.find(first_key_line);
  if (at == std::string_view::npos) {
    return std::string();
  }
  text.remove_prefix(at + first_key_line.size());
  const std::string key(text.substr(0, text.find_first_of("\r\n")));
  if (key.size() != key_digits ||
      key.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return error(errc::corrupt,
                 "'first-key:' is not followed by a key's fingerprint");
  }
  return key;
}

}  // namespace

result<std::vector<host_certificate>> read_certificates(const std::string& pem,
                                                        std::size_t limit) {
  const owned_bio bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<host_certificate> all;
  while (true) {
    ERR_clear_error();
    const owned_certificate x509(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!x509) {
      const bool is_whole = is_end(ERR_peek_last_error());
      ERR_clear_error();
      return is_whole && !all.empty()
                 ? result<std::vector<host_certificate>>(std::move(all))
                 : not_a_certificate();
    }
    auto read = certificate_of(x509.get());
    if (!read) {
      return read.error();
    }
    if (std::ranges::find(all, read->key, &host_certificate::key) !=
        all.end()) {
      continue;
    }
    if (all.size() == limit) {
      return error(errc::corrupt,
                   fmt::format("there are more than {} certificates", limit));
    }
    all.push_back(std::move(*read));
  }
}

result<std::string> fingerprint_of(const std::string& pem) {
  auto all = read_certificates(pem);
  return all ? result<std::string>(std::move(all->front().key))
             : result<std::string>(all.error());
}

std::string pem_of(const std::vector<host_certificate>& all) {
  std::string text;
  for (const host_certificate& one : all) {
    text += one.pem;
  }
  return text;
}

result<peer_certificates> read_peer_certificates(const std::string& text) {
  auto first = first_key_of(text);
  if (!first) {
    return first.error();
  }
  auto accepted = read_certificates(text);
  if (!accepted) {
    return accepted.error();
  }
  peer_certificates peer;
  peer.says_whose = !first->empty() || accepted->size() > 1;
  peer.first_key = first->empty() ? accepted->front().key : std::move(*first);
  peer.accepted = std::move(*accepted);
  return peer;
}

std::string text_of(const peer_certificates& peer) {
  const bool is_plain =
      peer.accepted.size() == 1 && peer.accepted.front().key == peer.first_key;
  return (is_plain ? std::string()
                   : fmt::format("{}{}\n", first_key_line, peer.first_key)) +
         pem_of(peer.accepted);
}

}  // namespace teleport
