// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/visit_records.hpp: what teleportd, which is root, and the
// processes that speak with the network tell each other about a connection. In
// their order, each one packet (base/packet.hpp):
//
//   listen_order    teleportd to the process that listens, with the socket
//   visit           that process to teleportd: somebody has connected; with the
//                   two sockets that lead to its speaker, this one and that of
//                   its records
//   speaker_terms   teleportd to the speaker: with which key to shake hands
//   introduction    the speaker: whose key the other side has
//   verdict         teleportd: whether that is a paired host that may come in
//
// Threads: plain values.
// Trust:   what the speaker says is said by whoever has taken it over: each
//          packet has a limit, and is decoded with checks.

#ifndef LIBTELEPORT_NET_VISIT_RECORDS_HPP
#define LIBTELEPORT_NET_VISIT_RECORDS_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/key_pair.hpp"
#include "libteleport/net/network_list.hpp"
#include "libteleport/net/told_keys.hpp"

namespace teleport {

/// Whose processes those are that the network reaches. The package makes it;
/// where there is none they are "nobody"'s.
inline constexpr const char* listen_user = "xl-teleport";

/// Where the process that listens finds teleportd: its socket's name, or the
/// descriptor that teleportd gives the one that it starts itself.
inline constexpr const char* default_listen_door = "/run/teleport-listen/door";
inline constexpr int listen_daemon = 3;

/// Bytes of the longest of these packets; each decoder has its own limits.
inline constexpr std::size_t max_order_bytes = 128_KiB;
inline constexpr std::size_t max_visit_bytes = 64;
inline constexpr std::size_t max_terms_bytes = 128_KiB;
inline constexpr std::size_t max_introduction_bytes = 2_KiB;
inline constexpr std::size_t max_verdict_bytes = 4_KiB;

[[nodiscard]] std::string encode_listen_order(const network_list& from);
[[nodiscard]] result<network_list> decode_listen_order(std::string_view bytes);

/// @param address  of who has connected
[[nodiscard]] std::string encode_visit(std::string_view address);
/// @return the address; no more than it can have is in it
[[nodiscard]] result<std::string> decode_visit(std::string_view bytes);

struct speaker_terms {
  key_pair own;
  std::string congestion_control;
};
[[nodiscard]] std::string encode(const speaker_terms& terms);
[[nodiscard]] result<speaker_terms> decode_terms(std::string_view bytes);

struct introduction {
  bool has_key = false;
  /// SHA-256 of the certificate that was shown, in hexadecimal; else why there
  /// is none.
  std::string text;
};
[[nodiscard]] std::string encode(const introduction& who);
[[nodiscard]] result<introduction> decode_introduction(std::string_view bytes);

struct verdict {
  enum class kind : char {
    come_in = '+',
    stranger = '?',  ///< no paired host: it is told so
    full = '-',      ///< a paired one that finds no place: nothing is said
  };
  kind what = kind::stranger;
  paired_host host{};
  /// All keys that the host may show.
  std::vector<std::string> keys{};
};
[[nodiscard]] std::string encode(const verdict& said);
[[nodiscard]] result<verdict> decode_verdict(std::string_view bytes);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_VISIT_RECORDS_HPP
