// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/hook_check.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace teleport {

result<void> check_hook(const std::string& program) {
  if (program.empty()) {
    return {};
  }
  const std::string what = "the hook at_gate, " + program;
  if (::access(program.c_str(), X_OK) != 0) {
    return system_error(errno, what);
  }
  // A folder may be entered, which access() calls the same; execve() does not.
  std::error_code ignored;
  return std::filesystem::is_directory(program, ignored)
             ? system_error(EACCES, what)
             : result<void>();
}

}  // namespace teleport
