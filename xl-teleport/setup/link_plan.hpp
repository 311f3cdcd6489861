// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/link_plan.hpp: how fast teleports may send, by the time of
// day: the key `link.bwlimit` and the option --bwlimit.
//
//   "100Mbit"                          always
//   ["08:00-18:00 20Mbit", "100Mbit"]  the first entry whose hours it is
//
// Threads: values and pure functions; make_pacer() opens a file.
// Trust:   the user's text; what is wrong with it is told.

#ifndef XL_TELEPORT_SETUP_LINK_PLAN_HPP
#define XL_TELEPORT_SETUP_LINK_PLAN_HPP

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/net/pacer.hpp"

namespace CLI {
class App;
}

namespace teleport {

/// What a rate looks like, for messages.
inline constexpr const char* rate_examples =
    "a rate such as \"100Mbit\", \"12MB\" (bytes a second) or \"off\"";

/// "20Mbit", "512kbit", "1.5Gbit"; "12MB", "800kB", "1GB" a second; "off".
///
/// @return bytes a second, 0 for "off"; nullopt when it is none of these
[[nodiscard]] std::optional<link_rate> read_rate(std::string_view text);

/// "100 Mbit/s (12.5 MB/s)"; "no limit"
[[nodiscard]] std::string rate_text(link_rate rate);

/// Adds --connections N. @param out  nullopt as long as it is not given
void add_connections_option(CLI::App& app, std::optional<unsigned>& out);

/// Adds --bwlimit RATE.
void add_bwlimit_option(CLI::App& app, link_rate& out);

class link_plan {
 public:
  /// Adds an entry: a rate, or "HH:MM-HH:MM RATE"; hours may pass midnight.
  ///
  /// @return false when it is neither
  [[nodiscard]] bool add(std::string_view text);
  /// @param minute  of the local day, 0 to 1439
  [[nodiscard]] link_rate at(unsigned minute) const noexcept;
  [[nodiscard]] link_rate now() const;

 private:
  struct entry {
    unsigned from = 0;
    unsigned until = 0;  ///< equal to `from`: the whole day
    link_rate rate = 0;
  };
  std::vector<entry> entries_;
};

/// The file by which this host's teleports share the link.
[[nodiscard]] std::string budget_file(const std::string& run_path);

/// For a connection that sends a guest or a disk.
///
/// @param own  --bwlimit
[[nodiscard]] std::shared_ptr<pacer> make_pacer(link_rate own,
                                                const link_plan& plan,
                                                const std::string& run_path);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_LINK_PLAN_HPP
