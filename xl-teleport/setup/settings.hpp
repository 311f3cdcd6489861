// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/settings.hpp: /etc/xen/teleport.conf, read and checked.
//
// Every key has a default; the file may be missing when it was not named by
// the user. An unknown key is an error: a typo must not change nothing.

#ifndef XL_TELEPORT_SETUP_SETTINGS_HPP
#define XL_TELEPORT_SETUP_SETTINGS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/link_options.hpp"
#include "libteleport/net/network_list.hpp"
#include "libteleport/xen/guest_config.hpp"
#include "xl-teleport/setup/link_plan.hpp"

namespace teleport {

/// The port of a destination, unless said otherwise. Not assigned by IANA.
inline constexpr std::uint16_t default_port = 8744;

inline constexpr const char* default_settings_file = "/etc/xen/teleport.conf";

/// Which disks come into the index without being named.
enum class donor_choice {
  listed,     ///< none
  automatic,  ///< those of running guests; "auto" in the file
};

/// What of jobs that are over is told by 'teleportctl log'.
struct history_limits {
  std::chrono::days age{90};
  std::size_t entries = 1000;
};

struct settings {
  std::string listen_address = "::";
  std::uint16_t port = default_port;
  network_list listen_from;  ///< who may connect
  key_files keys;
  store_config store{disk_kind::file, "/var/lib/xen/images", "", false};
  std::uint64_t store_reserve = 0;  ///< bytes
  std::string index_path = "/var/lib/xl-teleport/index";
  std::uint64_t index_max_bytes = std::uint64_t{64} << 30U;
  donor_choice index_donors = donor_choice::listed;
  /// Absolute, without "." and "..", each once.
  std::vector<std::string> index_folders;
  bool index_keep_fresh = true;
  std::size_t index_max_followed = 30;
  std::uint64_t index_scan_rate = 0;  ///< bytes a second; 0: no limit
  std::chrono::seconds index_quiet{30};
  std::string state_path = "/var/lib/xl-teleport";
  std::string run_path = "/run/xl-teleport";
  history_limits history;
  link_plan bwlimit;
  link_options link;
  arrival_rules arrivals = default_arrival_rules();
  std::string at_gate_hook;
  std::string record_stream;

  [[nodiscard]] std::string journal_path() const {
    return state_path + "/journal";
  }
  [[nodiscard]] std::string kept_disks_path() const {
    return state_path + "/disks";
  }
};

/// @param path   the file
/// @param named  the user named it, so it must be there
/// @error errc::bad_input: file, line, what was found, what was expected
[[nodiscard]] result<settings> load_settings(const std::string& path,
                                             bool named);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_SETTINGS_HPP
