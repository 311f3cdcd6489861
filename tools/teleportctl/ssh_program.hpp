// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/ssh_program.hpp: ssh in front of a person. It stays in our
// process group, which has the terminal, so that it can ask for a host's key or
// a password; its standard error is ours. Standard input and output are the
// program's that it runs on the other host.
//
// Threads: one. Blocks: until the other host says or does something, or for as
// long as the caller allows.

#ifndef TOOLS_TELEPORTCTL_SSH_PROGRAM_HPP
#define TOOLS_TELEPORTCTL_SSH_PROGRAM_HPP

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

class ssh_program {
 public:
  /// While it lives, Ctrl-C ends ssh and not us.
  ssh_program();
  ssh_program(const ssh_program&) = delete;
  ssh_program& operator=(const ssh_program&) = delete;
  ssh_program(ssh_program&&) = delete;
  ssh_program& operator=(ssh_program&&) = delete;
  ~ssh_program();

  /// @param arguments  without "ssh" itself
  [[nodiscard]] result<void> start(std::vector<std::string> arguments);
  /// What it writes, until `last` was in it, or it writes no more.
  ///
  /// @param last    empty: until it writes no more
  /// @param within  ssh is ended when that has not come by then; nullopt: none
  /// @error errc::protocol: more than `limit` bytes; errc::timeout
  [[nodiscard]] result<std::string> read_to(
      std::string_view last,
      std::size_t limit,
      std::optional<std::chrono::seconds> within = std::nullopt);
  /// Writes, and ends its input.
  void write(std::string_view text);
  /// @param limit  ssh is ended when it has not ended by then; nullopt: none
  /// @error errc::cancelled: Ctrl-C; errc::system: another exit code than 0;
  ///        errc::timeout
  [[nodiscard]] result<void> wait(
      std::optional<std::chrono::seconds> limit = std::nullopt);

 private:
  /// @return whether it has
  [[nodiscard]] bool ends_within(std::chrono::milliseconds limit) const;
  /// Ends ssh, which has not said or done enough in `limit`.
  [[nodiscard]] error end(std::chrono::seconds limit);

  pid_t pid_ = -1;
  unique_fd input_;   ///< ours to write to
  unique_fd output_;  ///< ours to read from
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_SSH_PROGRAM_HPP
