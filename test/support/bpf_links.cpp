// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/bpf_links.hpp"

#include <cstdint>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"

namespace teleport::test {

namespace {

namespace fs = std::filesystem;

std::string name_of_program(std::uint32_t id) {
  const unique_fd program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info about{};
  std::uint32_t length = sizeof(about);
  return bpf_obj_get_info_by_fd(program.get(), &about, &length) == 0
             ? about.name
             : "";
}

}  // namespace

int link_of(const std::string& program) {
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) != "anon_inode:bpf_link") {
      continue;
    }
    const int fd = std::stoi(entry.path().filename());
    bpf_link_info about{};
    std::uint32_t length = sizeof(about);
    if (bpf_obj_get_info_by_fd(fd, &about, &length) == 0 &&
        name_of_program(about.prog_id) == program) {
      return fd;
    }
  }
  FAIL("no link of " << program);
  return -1;
}

void detach(const std::string& program) {
  const unique_fd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  REQUIRE(::dup2(other.get(), link_of(program)) >= 0);
}

}  // namespace teleport::test
