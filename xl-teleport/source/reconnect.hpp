// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/reconnect.hpp: how long a lost link is looked for, and how
// often.
//
// Threads: one owner. Blocks: sleep_unless_signalled(), with_reconnect().

#ifndef XL_TELEPORT_SOURCE_RECONNECT_HPP
#define XL_TELEPORT_SOURCE_RECONNECT_HPP

#include <chrono>
#include <optional>

#include "libteleport/net/link_counters.hpp"

namespace CLI {
class App;
}

namespace teleport {

/// How an attempt ended, as far as trying again is concerned.
enum class attempt_end {
  over,       ///< done, cancelled, or failed for another reason than the link
  link_lost,  ///< while disks were sent: what has arrived stays there
  guest_changed,  ///< others restarted, renamed or re-equipped the guest
  memory_lost,    ///< while the running guest's memory was sent: it begins anew
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
  /// Attempts that begin anew for a guest that was changed.
  static constexpr unsigned most_changes = 5;
  /// The destination may still be busy with the attempt before.
  static constexpr std::chrono::seconds change_limit{60};

  std::chrono::seconds limit_;
  std::chrono::seconds pause_{0};
  time_point give_up_;
  unsigned losses_ = 0;
  unsigned memory_losses_ = 0;
  unsigned changes_ = 0;
};

/// @return false when SIGINT or SIGTERM came first
[[nodiscard]] bool sleep_unless_signalled(std::chrono::seconds pause);

/// Attempts until one is over for good.
///
/// @param once      makes an attempt: an object with `report.link` and
///                  `report.link_losses`
/// @param end_of    from an attempt to its attempt_end
/// @param on_pause  told of the attempt that failed, and the pause before the
///                  next
/// @return the last attempt; its report has the bytes of all
template <class Once, class EndOf, class OnPause>
[[nodiscard]] auto with_reconnect(std::chrono::seconds limit,
                                  Once once,
                                  EndOf end_of,
                                  OnPause on_pause) {
  reconnect_policy policy(limit);
  link_counters before;
  auto last = once();
  while (const auto pause =
             policy.after(end_of(last), std::chrono::steady_clock::now())) {
    on_pause(last, *pause);
    if (!sleep_unless_signalled(*pause)) {
      break;
    }
    before += last.report.link;
    last = once();
  }
  last.report.link += before;
  last.report.link_losses = policy.losses();
  return last;
}

/// Adds --reconnect; `limit` must outlive the parsing and holds the default.
void add_reconnect_option(CLI::App& app, std::chrono::seconds& limit);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_RECONNECT_HPP
