// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/openssl_objects.hpp: OpenSSL's objects with an owner.

#ifndef LIBTELEPORT_NET_OPENSSL_OBJECTS_HPP
#define LIBTELEPORT_NET_OPENSSL_OBJECTS_HPP

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace teleport {

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

/// The DER form; empty where there is no certificate, or it has none.
inline std::vector<unsigned char> der_of(X509* certificate) {
  const int size = certificate == nullptr ? 0 : i2d_X509(certificate, nullptr);
  std::vector<unsigned char> der(static_cast<std::size_t>(std::max(size, 0)));
  unsigned char* out = der.data();
  if (size > 0 && i2d_X509(certificate, &out) != size) {
    der.clear();
  }
  return der;
}

/// What was written into a BIO in memory.
inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  // BIO_get_mem_data is a macro with a C cast of its own.
  const long size = BIO_ctrl(bio, BIO_CTRL_INFO, 0, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace teleport

#endif  // LIBTELEPORT_NET_OPENSSL_OBJECTS_HPP
