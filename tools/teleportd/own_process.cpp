// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/own_process.hpp"

#include <cassert>
#include <csignal>
#include <cstddef>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

#include "libteleport/base/spawn.hpp"

namespace teleport {

result<pid_t> start_own_process(std::string name,
                                std::vector<std::string> arguments,
                                const std::vector<int>& given) {
  spawn_options self;
  // This program, also when an upgrade replaced its file meanwhile.
  self.program = "/proc/self/exe";
  self.argv = std::move(arguments);
  self.argv.insert(self.argv.begin(), std::move(name));
  // The socket that listens above all is not passed on: the next daemon could
  // not listen at its port for as long as this process lives.
  assert(self.descriptors.size() == std::size_t{own_process_socket});
  self.descriptors.insert(self.descriptors.end(), given.begin(), given.end());
  return spawn(std::move(self));
}

void follow_parent(const char* name) {
  static_cast<void>(::prctl(PR_SET_NAME, name));
  static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGTERM));
  if (::getppid() == 1) {
    static_cast<void>(::raise(SIGTERM));  // it had ended before
  }
}

}  // namespace teleport
