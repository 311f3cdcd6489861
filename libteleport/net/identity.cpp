// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/identity.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <memory>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/durable_file.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/net/private_file.hpp"

namespace teleport {

namespace {

/// A pinned certificate ends by being unpinned, not by a date; this is the
/// date that X.509 has for "no date" (RFC 5280, 4.1.2.5).
constexpr const char* no_expiry = "99991231235959Z";

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using owned_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using owned_certificate = std::unique_ptr<X509, freed_by<X509_free>>;
using owned_bio = std::unique_ptr<BIO, freed_by<BIO_free_all>>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  // BIO_get_mem_data is a macro with a C cast of its own.
  const long size = BIO_ctrl(bio, BIO_CTRL_INFO, 0, &data);
  return {data, static_cast<std::size_t>(size)};
}

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

result<std::string> path_of_peer(const std::string& folder,
                                 const std::string& name) {
  if (!is_peer_name(name)) {
    return error(errc::bad_input, "'" + name + "' is not a host's name");
  }
  return folder + "/" + name + ".crt";
}

}  // namespace

result<void> make_identity(const key_files& files,
                           const std::string& host_name) {
  std::error_code failure;
  if (std::filesystem::exists(files.certificate, failure) &&
      std::filesystem::exists(files.key, failure)) {
    return check_private(files.key);
  }
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
  const auto folder =
      make_folders(std::filesystem::path(files.key).parent_path());
  if (!folder) {
    return folder;
  }
  // Writes the key first: a certificate without its key would be shown to
  // peers.
  const auto key_written =
      write_durably(files.key, text_of(key_text.get()), 0600);
  if (!key_written) {
    return key_written;
  }
  return write_durably(
      files.certificate, text_of(certificate_text.get()), 0644);
}

result<std::string> fingerprint_of(const std::string& pem) {
  const owned_bio bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const owned_certificate certificate(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    return error(errc::corrupt, "this is not a PEM certificate");
  }
  const int size = i2d_X509(certificate.get(), nullptr);
  std::vector<unsigned char> der(static_cast<std::size_t>(std::max(size, 0)));
  unsigned char* out = der.data();
  if (size <= 0 || i2d_X509(certificate.get(), &out) != size) {
    return error(errc::corrupt, "this certificate cannot be encoded");
  }
  return to_hex(digest_extent(std::as_bytes(std::span(der))));
}

result<pinned_peers> pinned_peers::load(const std::string& folder) {
  pinned_peers peers;
  const auto files = read_peer_files(folder);
  if (!files) {
    return files.error();
  }
  for (const auto& [name, key] : *files) {
    peers.names_[key] = name;
    peers.lower_names_and_keys_.emplace(in_lower_case(name), key);
  }
  return peers;
}

std::optional<std::string> pinned_peers::name_of(
    const std::string& fingerprint) const {
  const auto it = names_.find(fingerprint);
  return it == names_.end() ? std::nullopt : std::optional(it->second);
}

bool pinned_peers::is_key_of(const std::string& name,
                             const std::string& fingerprint) const {
  return lower_names_and_keys_.contains({in_lower_case(name), fingerprint});
}

result<void> pin_peer(const std::string& folder,
                      const std::string& name,
                      const std::string& pem) {
  const auto path = path_of_peer(folder, name);
  if (!path) {
    return path.error();
  }
  if (pem.size() > max_pem_bytes) {
    return error(errc::bad_input,
                 "the certificate of " + name + " is too long");
  }
  const auto fingerprint = fingerprint_of(pem);
  if (!fingerprint) {
    return in_context("certificate of " + name, fingerprint.error());
  }
  const auto made = make_folders(folder);
  return made ? write_durably(*path, pem, 0644) : made;
}

result<void> unpin_peer(const std::string& folder, const std::string& name) {
  const auto path = path_of_peer(folder, name);
  if (!path) {
    return path.error();
  }
  std::error_code failure;
  if (!std::filesystem::exists(*path, failure)) {
    return error(errc::not_found, "no host is paired as " + name);
  }
  return remove_durably(*path);
}

}  // namespace teleport
