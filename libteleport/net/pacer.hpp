// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/pacer.hpp: when the next bytes may be sent: at this
// connection's own rate, and within the host's, which all teleports share.
//
// The host's budget is one number in a small file that every process maps: the
// moment at which the link is free again. A process that wants to send moves
// this moment on by the time its bytes take, and waits until the moment before.
// So the processes send in turns, one short piece each, and share fairly
// without talking to each other.
//
// Threads: one owner; the file is shared by atomics.
// Trust:   the file is root's; a moment far ahead in it is not believed.

#ifndef LIBTELEPORT_NET_PACER_HPP
#define LIBTELEPORT_NET_PACER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Bytes a second; 0: no limit.
using link_rate = std::uint64_t;

/// The budget that all processes of this host share.
class host_budget {
 public:
  /// Makes the file where it is not there.
  [[nodiscard]] static result<std::unique_ptr<host_budget>> open(
      const std::string& path);

  host_budget(const host_budget&) = delete;
  host_budget& operator=(const host_budget&) = delete;
  host_budget(host_budget&&) = delete;
  host_budget& operator=(host_budget&&) = delete;
  ~host_budget();

  /// A rate that somebody set by hand for all running teleports.
  [[nodiscard]] std::optional<link_rate> by_hand() const;
  void set_by_hand(std::optional<link_rate> rate);

  /// Reserves the next free time on the link. @return when it begins
  [[nodiscard]] std::chrono::steady_clock::time_point reserve(
      std::chrono::nanoseconds takes,
      std::chrono::steady_clock::time_point now);

 private:
  struct shared;
  explicit host_budget(shared* mapped) : mapped_(mapped) {}
  shared* mapped_;
};

class pacer {
 public:
  using clock = std::chrono::steady_clock;

  /// @param own      this connection's own limit
  /// @param planned  the host's rate now, unless one was set by hand
  /// @param budget   null: what is planned holds for this connection alone
  pacer(link_rate own,
        std::function<link_rate()> planned,
        std::unique_ptr<host_budget> budget);

  /// Bytes that may be sent in one go: what the rate carries in 50 ms.
  [[nodiscard]] std::size_t piece() const;
  /// From now on no other process's turn is waited for: a suspended guest does
  /// not stand for others. The rates hold, and the others wait for the turns
  /// that are taken.
  void take_right_of_way() noexcept { has_right_of_way_ = true; }
  /// @return when these bytes may be sent
  [[nodiscard]] clock::time_point reserve(std::size_t bytes,
                                          clock::time_point now);

 private:
  [[nodiscard]] link_rate host_rate() const;

  link_rate own_;
  std::function<link_rate()> planned_;
  std::unique_ptr<host_budget> budget_;
  clock::time_point own_free_;
  clock::time_point host_free_;  ///< without a budget, or with right of way
  bool has_right_of_way_ = false;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_PACER_HPP
