// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/peer_certificates.hpp: the certificates with which one paired
// host may come in, as its file NAME.crt has them: PEM, one after the other. A
// host has several while it renews its key.
//
// Its identity is the key that it was first paired with. Journals, the book of
// kept disks and quotas name a host by that, whatever key it has now. A line
// "first-key: SHA256" above the certificates has it where it is not the first
// of them.
//
// Threads: plain values.

#ifndef LIBTELEPORT_NET_PEER_CERTIFICATES_HPP
#define LIBTELEPORT_NET_PEER_CERTIFICATES_HPP

#include <cstddef>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

/// Of a file with certificates.
inline constexpr std::size_t max_pem_bytes = 64_KiB;

/// The present key, the next one, and two that some renewal has left behind.
inline constexpr std::size_t most_keys = 4;

struct host_certificate {
  std::string key;  ///< SHA-256 of its DER form, in hexadecimal
  std::string pem;
};

/// @return at least one, and each once
/// @error errc::corrupt when there is none, when one of them is none, or when
///        they are more than `limit`
[[nodiscard]] result<std::vector<host_certificate>> read_certificates(
    const std::string& pem, std::size_t limit = most_keys);

/// SHA-256 of the DER form of the first of PEM certificates, in hexadecimal.
///
/// @error errc::corrupt when it is no certificate
[[nodiscard]] result<std::string> fingerprint_of(const std::string& pem);

[[nodiscard]] std::string pem_of(const std::vector<host_certificate>& all);

struct peer_certificates {
  std::string first_key;  ///< the host's identity
  std::vector<host_certificate> accepted;
  /// Whether the file says whose the keys are, by its line or by having more
  /// than one. One key alone may be that of a host of another file.
  bool says_whose = false;
};

/// @error errc::corrupt, also where the line "first-key:" has no fingerprint
[[nodiscard]] result<peer_certificates> read_peer_certificates(
    const std::string& text);

/// What is to be in the file of a host.
[[nodiscard]] std::string text_of(const peer_certificates& peer);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_PEER_CERTIFICATES_HPP
