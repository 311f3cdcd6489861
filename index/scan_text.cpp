// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/scan_text.hpp"

#include <fmt/format.h>

namespace teleport::index {

std::string time_left(const scan_progress& now, double seconds) {
  // Holes take no time; what is left may hold some, so this is the most.
  if (now.read_bytes == 0 || seconds < 1) {
    return {};
  }
  const double rest = static_cast<double>(now.disk_bytes - now.done_bytes) *
                      seconds / static_cast<double>(now.read_bytes);
  if (rest < 100) {
    return fmt::format("{:.0f} s", rest);
  }
  return rest < 100 * 60 ? fmt::format("{:.0f} min", rest / 60)
                         : fmt::format("{:.1f} h", rest / 3600);
}

}  // namespace teleport::index
