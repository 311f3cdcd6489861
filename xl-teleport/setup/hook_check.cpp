// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/hook_check.hpp"

#include "libteleport/base/process.hpp"

namespace teleport {

result<void> check_hook(const std::string& program) {
  if (program.empty()) {
    return {};
  }
  const auto may_run = check_program(program);
  return may_run ? may_run : in_context("the hook at_gate", may_run.error());
}

}  // namespace teleport
