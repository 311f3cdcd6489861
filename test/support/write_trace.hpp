// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/write_trace.hpp: what this process writes to one file, in order,
// with the syncs between: so that a test can tell what a power loss leaves,
// fill the file system, or be killed at a chosen write.
//
// Threads: one trace at a time; the file is written by one thread.

#ifndef TEST_SUPPORT_WRITE_TRACE_HPP
#define TEST_SUPPORT_WRITE_TRACE_HPP

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "test/support/io_hooks.hpp"

namespace teleport {

class write_trace final : public test::io_observer {
 public:
  static constexpr std::size_t never = ~std::size_t{0};
  struct event {
    bool sync = false;  ///< all before is on stable storage
    std::uint64_t at = 0;
    std::string bytes;
  };

  /// @param file  absolute, without symbolic links; need not exist yet
  explicit write_trace(std::string file) : file_(std::move(file)) {}

  /// Writes from this event on are refused: the file system is full.
  std::size_t refuse_from = never;
  int refuse_with = ENOSPC;
  /// SIGKILL before this event.
  std::size_t kill_at = never;

  [[nodiscard]] const std::vector<event>& events() const { return events_; }

  int writing(int fd, std::uint64_t at, std::string bytes) override;
  void synced(int fd) override;

 private:
  int note(event what);

  std::string file_;
  std::vector<event> events_;
};

}  // namespace teleport

#endif  // TEST_SUPPORT_WRITE_TRACE_HPP
