// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/key_pair.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include <openssl/pem.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/net/openssl_objects.hpp"
#include "libteleport/net/peer_certificates.hpp"
#include "libteleport/net/private_file.hpp"

namespace teleport {

namespace {

/// A pinned certificate ends by being unpinned, not by a date; this is the
/// date that X.509 has for "no date" (RFC 5280, 4.1.2.5).
constexpr const char* no_expiry = "99991231235959Z";

/// How a certificate's block begins in a file.
constexpr const char* begin_of_certificate = "-----BEGIN CERTIFICATE-----";

owned_certificate self_signed(EVP_PKEY* key, const std::string& host_name) {
  owned_certificate certificate(X509_new());
  X509* x509 = certificate.get();
  if (x509 == nullptr || X509_set_version(x509, 2) != 1 ||
      ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(x509), -24L * 3600) == nullptr ||
      ASN1_TIME_set_string(X509_getm_notAfter(x509), no_expiry) != 1 ||
      X509_set_pubkey(x509, key) != 1) {
    return nullptr;
  }
  X509_NAME* name = X509_get_subject_name(x509);
  std::array<unsigned char, 65> common{};
  std::memcpy(common.data(),
              host_name.data(),
              std::min<std::size_t>(host_name.size(), common.size() - 1));
  if (X509_NAME_add_entry_by_txt(
          name, "CN", MBSTRING_UTF8, common.data(), -1, -1, 0) != 1 ||
      X509_set_issuer_name(x509, name) != 1 ||
      X509_sign(x509, key, nullptr) == 0) {
    return nullptr;
  }
  return certificate;
}

}  // namespace

result<key_pair> make_key_pair(const std::string& host_name) {
  const owned_key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const owned_certificate certificate =
      key ? self_signed(key.get(), host_name) : nullptr;
  const owned_bio key_text(BIO_new(BIO_s_mem()));
  const owned_bio certificate_text(BIO_new(BIO_s_mem()));
  if (!certificate || !key_text || !certificate_text ||
      PEM_write_bio_PrivateKey(
          key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
    return error(errc::system, "OpenSSL cannot make a key for this host");
  }
  return key_pair{text_of(key_text.get()), text_of(certificate_text.get())};
}

std::string text_of(const key_pair& pair) {
  return pair.key + pair.certificate;
}

result<key_pair> read_key_pair(const std::string& key_file,
                               const std::string& certificate_file) {
  auto text = read_small_file(key_file, max_pem_bytes);
  if (!text) {
    return text.error();
  }
  if (const auto checked = check_private(key_file); !checked) {
    return checked.error();
  }
  const auto at = text->find(begin_of_certificate);
  if (at != std::string::npos) {
    return key_pair{text->substr(0, at), text->substr(at)};
  }
  auto certificate = read_small_file(certificate_file, max_pem_bytes);
  return certificate ? result<key_pair>(
                           key_pair{std::move(*text), std::move(*certificate)})
                     : result<key_pair>(certificate.error());
}

}  // namespace teleport
