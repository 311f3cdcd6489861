// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/child_program.hpp: a program that runs beside the loop: its
// output by lines, its end as an event, and an end of it when we die.
//
// No shell: the arguments reach the program as they are. It gets three
// descriptors and nothing else of ours, a process group of its own (Ctrl-C is
// ours to pass on), and SIGTERM when this process ends, however that ends.
//
// Threads: the loop's thread, which must be the one that starts it: the kernel
//          watches that thread's life.
// Trust:   lines are capped; what is made of them is the caller's matter.

#ifndef TOOLS_EVACUATE_CHILD_PROGRAM_HPP
#define TOOLS_EVACUATE_CHILD_PROGRAM_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/event_loop.hpp"

namespace teleport {

/// A longer line of a program is given in pieces of this many bytes.
inline constexpr std::size_t max_program_line = 1_MiB;

/// How a program ended.
struct program_end {
  int code = -1;     ///< exit code; -1: by a signal
  int signal = 0;    ///< which
  std::string said;  ///< the end of its standard error
};

class child_program {
 public:
  struct events {
    /// Each line of standard output, without its end.
    std::function<void(std::string_view)> on_line;
    /// Once, after the last line; the child may be destroyed in here.
    std::function<void(program_end)> on_end;
  };

  /// @param argv  the program (looked up in PATH when it has no slash) and its
  ///              arguments
  [[nodiscard]] static result<std::unique_ptr<child_program>> start(
      event_loop& loop, const std::vector<std::string>& argv, events callbacks);
  child_program(const child_program&) = delete;
  child_program& operator=(const child_program&) = delete;
  child_program(child_program&&) = delete;
  child_program& operator=(child_program&&) = delete;
  /// Cancels it if it still runs, and does not wait.
  ~child_program();

  /// SIGTERM, and the end of its standard input. Its end comes as on_end.
  void cancel();
  /// The end of its standard input alone.
  void hang_up();

 private:
  struct state;
  explicit child_program(std::shared_ptr<state> inner);
  std::shared_ptr<state> state_;
};

}  // namespace teleport

#endif  // TOOLS_EVACUATE_CHILD_PROGRAM_HPP
