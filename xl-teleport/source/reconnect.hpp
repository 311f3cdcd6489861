// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/reconnect.hpp: how long a lost link is looked for, and how
// often.
//
// Threads: one owner. Blocks: wait_for().

#ifndef XL_TELEPORT_SOURCE_RECONNECT_HPP
#define XL_TELEPORT_SOURCE_RECONNECT_HPP

#include <chrono>
#include <optional>

namespace CLI {
class App;
}

namespace teleport {

/// How an attempt ended, as far as trying again is concerned.
enum class attempt_end {
  over,         ///< done, cancelled, or failed for another reason than the link
  link_lost,    ///< while disks were sent: what has arrived stays there
  memory_lost,  ///< while the running guest's memory was sent: it begins anew
  not_there,  ///< no way there, or the host is still busy with the last attempt
};

/// Pure: says when to try again. A host that was never reached is not tried
/// again.
class reconnect_policy {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit reconnect_policy(std::chrono::seconds limit) : limit_(limit) {}

  /// @return how long to wait before the next attempt; nullopt: there is none
  [[nodiscard]] std::optional<std::chrono::seconds> after(attempt_end end,
                                                          time_point now);
  [[nodiscard]] unsigned losses() const noexcept { return losses_; }

 private:
  static constexpr std::chrono::seconds longest_pause{30};
  /// Attempts that may send memory, each from its beginning: a link that breaks
  /// every time would only slow the guest down.
  static constexpr unsigned most_memory_losses = 3;

  std::chrono::seconds limit_;
  std::chrono::seconds pause_{0};
  time_point give_up_;
  unsigned losses_ = 0;
  unsigned memory_losses_ = 0;
};

/// @return false when SIGINT or SIGTERM came first
[[nodiscard]] bool wait_for(std::chrono::seconds pause);

/// Adds --reconnect; `limit` must outlive the parsing and holds the default.
void add_reconnect_option(CLI::App& app, std::chrono::seconds& limit);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_RECONNECT_HPP
