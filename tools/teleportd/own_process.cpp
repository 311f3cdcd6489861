// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/own_process.hpp"

#include <cerrno>
#include <csignal>

#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace teleport {

result<pid_t> start_own_process(std::string name,
                                std::vector<std::string> arguments,
                                int socket) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  if (socket >= 0) {
    posix_spawn_file_actions_adddup2(&actions, socket, own_process_socket);
  }
  // Above all not the socket that listens: it would keep the next daemon from
  // its port for as long as this process lives.
  posix_spawn_file_actions_addclosefrom_np(
      &actions, socket >= 0 ? own_process_socket + 1 : own_process_socket);
  std::vector<char*> argv{name.data()};
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  // This program, also when an upgrade replaced its file meanwhile.
  const char* const program = "/proc/self/exe";
  pid_t pid = -1;
  const int failure =
      ::posix_spawn(&pid, program, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    return system_error(failure, "start a process of " + name);
  }
  return pid;
}

int wait_until_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void follow_parent(const char* name) {
  static_cast<void>(::prctl(PR_SET_NAME, name));
  static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGTERM));
  if (::getppid() == 1) {
    static_cast<void>(::raise(SIGTERM));  // it had ended before
  }
}

}  // namespace teleport
