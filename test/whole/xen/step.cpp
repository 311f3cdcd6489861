// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/whole/xen/step.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"

namespace teleport::whole {

namespace {

std::string find_role() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  const std::string line{std::istreambuf_iterator<char>(in), {}};
  // Each word has its NUL; the first is the program.
  const auto has = [&](std::string_view word) {
    return (line + '\0').find('\0' + std::string(word) + '\0') !=
           std::string::npos;
  };
  std::string program = line.substr(0, line.find('\0'));
  program = program.substr(program.rfind('/') + 1);
  if (has("--guardian")) {
    return "guardian";
  }
  if (has("--session")) {
    return "session";
  }
  if (has("--keeper")) {
    return "keeper";
  }
  if (has("--speak")) {
    return "speak";
  }
  if (program == "xl-teleport") {
    return has("--recover") ? "recover" : "teleport";
  }
  if (program == "libxl-save-helper") {
    return "helper";
  }
  if (program == "xl") {
    return has("migrate-receive") ? "receive" : "xl";
  }
  return program;
}

int open_pipe(const std::string& path, int how) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), how | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

/// @return 0, or the errno value that the harness wants
int reach(const std::string& step) {
  const std::string gate = "/gates/" + step;
  const std::string reached = gate + ".reached";
  const std::string goes_on = gate + ".goes_on";
  if (::access(reached.c_str(), F_OK) != 0) {
    return 0;
  }
  // Both before a word: who hears it may take the pipes away at once.
  const unique_fd wait(open_pipe(goes_on, O_RDONLY));
  const unique_fd tell(open_pipe(reached, O_WRONLY));
  if (!wait || !tell || ::write(tell.get(), "here\n", 5) != 5) {
    return 0;  // not held any more
  }
  std::string answer;
  char byte = 0;
  for (;;) {
    const ssize_t r = ::read(wait.get(), &byte, 1);
    if (r == 1 && byte != '\n') {
      answer += byte;
    } else if (r >= 0 || errno != EINTR) {
      break;
    }
  }
  return std::atoi(answer.c_str());
}

}  // namespace

const std::string& own_role() {
  static const std::string role = find_role();
  return role;
}

int before(const std::string& what) {
  return reach(own_role() + "." + what + ".before");
}

void after(const std::string& what) {
  static_cast<void>(reach(own_role() + "." + what + ".after"));
}

}  // namespace teleport::whole
