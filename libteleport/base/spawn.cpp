// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/spawn.hpp"

#include <cassert>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

namespace {

class file_actions {
 public:
  file_actions() { posix_spawn_file_actions_init(&actions_); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;
  file_actions(file_actions&&) = delete;
  file_actions& operator=(file_actions&&) = delete;
  ~file_actions() { posix_spawn_file_actions_destroy(&actions_); }

  /// Copies above the program's own numbers come first: no descriptor that is
  /// still to be copied is overwritten.
  result<void> pass(const std::vector<int>& descriptors) {
    const int count = static_cast<int>(descriptors.size());
    for (int number = 0; number < count; ++number) {
      const int ours = descriptors[static_cast<std::size_t>(number)];
      if (ours == spawn_options::inherited) {
        continue;
      }
      copies_.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, count));
      if (!copies_.back()) {
        return system_error(errno, "descriptor for another program");
      }
      posix_spawn_file_actions_adddup2(&actions_, copies_.back().get(), number);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions_, count);
    return {};
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const {
    return &actions_;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  std::vector<unique_fd> copies_;
};

class attributes {
 public:
  explicit attributes(spawn_group group) {
    posix_spawnattr_init(&attributes_);
    sigset_t none{};
    sigset_t all{};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    const int how = group == spawn_group::own           ? POSIX_SPAWN_SETPGROUP
                    : group == spawn_group::own_session ? POSIX_SPAWN_SETSID
                                                        : 0;
    posix_spawnattr_setflags(&attributes_,
                             static_cast<short>(POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF | how));
  }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  attributes(attributes&&) = delete;
  attributes& operator=(attributes&&) = delete;
  ~attributes() { posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// @return as argv and environ are: a null pointer is the last
std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

result<pid_t> spawn(spawn_options options) {
  assert(!options.argv.empty());
  std::string program =
      options.program.empty() ? options.argv.front() : options.program;
  file_actions actions;
  const auto passed = actions.pass(options.descriptors);
  if (!passed) {
    return passed.error();
  }
  const attributes how(options.group);
  const auto environment = options.environment
                               ? pointers_to(*options.environment)
                               : std::vector<char*>();
  pid_t pid = -1;
  const auto run = [&] {
    const auto argv = pointers_to(options.argv);
    return ::posix_spawnp(&pid,
                          program.c_str(),
                          actions.get(),
                          how.get(),
                          argv.data(),
                          environment.empty() ? environ : environment.data());
  };
  int failure = run();
  if (failure == ENOEXEC) {
    // A script that names no interpreter, which execvp() gives to sh as well.
    options.argv.front() = program;
    program = "/bin/sh";
    options.argv.insert(options.argv.begin(), program);
    failure = run();
  }
  if (failure != 0) {
    return system_error(failure, "run " + program);
  }
  return pid;
}

int wait_until_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace teleport
