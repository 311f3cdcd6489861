// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/xl_config.hpp: the text of a configuration as xl.cfg(5) has
// it, as far as a guest's name, uuid and disks: read, and made to name those of
// this host. Text in, text out.
//
// xl takes the last of several assignments of a key, so that a section at the
// end counts and what its owner wrote above stays as it is.
//
// Threads: pure functions. Trust: any text; nothing of it is run.

#ifndef XL_TELEPORT_SETUP_XL_CONFIG_HPP
#define XL_TELEPORT_SETUP_XL_CONFIG_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace teleport {

/// A disk as the section names it.
struct start_disk {
  std::string vdev;
  std::string path;  ///< stable: of an image file, a volume, or by-id
  bool is_file = false;
  bool read_only = false;
  bool is_cdrom = false;
};

/// The text that a key is given last: KEY = "VALUE" or KEY = 'VALUE'.
[[nodiscard]] std::optional<std::string> text_value(std::string_view config,
                                                    std::string_view key);

/// Whether it is this guest's: of its uuid or, where it has none, of its name.
[[nodiscard]] bool is_config_of(std::string_view config,
                                std::string_view name,
                                std::string_view uuid);

/// Without the section that with_disks() has added.
[[nodiscard]] std::string without_section(std::string_view config);

/// With a section at its end, in the place of one that is there.
[[nodiscard]] std::string with_disks(std::string_view config,
                                     const std::string& uuid,
                                     const std::vector<start_disk>& disks);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_XL_CONFIG_HPP
