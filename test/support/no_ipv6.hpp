// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/no_ipv6.hpp: runs something as on a kernel without IPv6
// (ipv6.disable=1), in which no such socket can be made.

#ifndef TEST_SUPPORT_NO_IPV6_HPP
#define TEST_SUPPORT_NO_IPV6_HPP

#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <thread>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/support/catch.hpp"

namespace teleport::test {

/// Calls `body` in a thread of its own, whose system calls are filtered; so are
/// those of the threads that it starts. Its assertions are the caller's, as no
/// other thread asserts meanwhile.
template <class Body>
void without_ipv6(const Body& body) {
  bool filtered = false;
  std::exception_ptr thrown;  // a REQUIRE that failed
  std::thread([&] {
    std::array rules{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                             offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                             offsetof(seccomp_data, args)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{rules.size(), rules.data()};
    filtered = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
               ::socket(AF_INET6, SOCK_STREAM, 0) < 0;
    if (!filtered) {
      return;
    }
    try {
      body();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  REQUIRE(filtered);
  if (thrown) {
    std::rethrow_exception(thrown);
  }
}

}  // namespace teleport::test

#endif  // TEST_SUPPORT_NO_IPV6_HPP
