// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/listen/confinement.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <initializer_list>
#include <memory>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libteleport/net/visit_records.hpp"

namespace teleport {

namespace {

/// What both do: bytes on sockets that are there, memory, time, threads that
/// are there.
// NOLINTNEXTLINE(cert-err58-cpp): numbers
constexpr std::array both{
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(close),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    // By a thread that was made just before.
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/// Accepting connections; and what starting a program takes, as the speaker
/// inherits this list: its libraries are loaded under it.
constexpr std::array listener_alone{
    SCMP_SYS(accept4),    SCMP_SYS(socketpair),
    SCMP_SYS(pipe2),      SCMP_SYS(dup2),
    SCMP_SYS(dup3),       SCMP_SYS(close_range),
    SCMP_SYS(clone),      SCMP_SYS(clone3),
    SCMP_SYS(vfork),      SCMP_SYS(execve),
    SCMP_SYS(wait4),      SCMP_SYS(waitid),
    SCMP_SYS(pidfd_open), SCMP_SYS(mmap),
    SCMP_SYS(mprotect),   SCMP_SYS(ioctl),
    SCMP_SYS(openat),     SCMP_SYS(open),
    SCMP_SYS(stat),       SCMP_SYS(newfstatat),
    SCMP_SYS(statx),      SCMP_SYS(access),
    SCMP_SYS(faccessat),  SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),   SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64), SCMP_SYS(lseek),
    SCMP_SYS(pread64),    SCMP_SYS(getcwd),
    SCMP_SYS(uname),      SCMP_SYS(sysinfo),
    SCMP_SYS(getuid),     SCMP_SYS(geteuid),
    SCMP_SYS(getgid),     SCMP_SYS(getegid),
    SCMP_SYS(getppid),    SCMP_SYS(set_tid_address),
    SCMP_SYS(arch_prctl), SCMP_SYS(prctl),
    SCMP_SYS(prlimit64),  SCMP_SYS(getrlimit),
    SCMP_SYS(setrlimit),  SCMP_SYS(seccomp),
};

class filter {
 public:
  /// A call that is refused fails; whoever has taken the process over may try
  /// each once more, and has nothing by that.
  filter()
      : context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM)), ::seccomp_release) {
    note(context_ == nullptr ? -ENOMEM : 0);
    // All threads, or none.
    if (context_ != nullptr) {
      note(::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    }
  }

  template <class Numbers>
  void allow(const Numbers& numbers) {
    for (const int number : numbers) {
      allow_where(number, {});
    }
  }
  void allow_where(int number, std::vector<scmp_arg_cmp> conditions) {
    if (failure_ == 0) {
      note(::seccomp_rule_add_array(context_.get(),
                                    SCMP_ACT_ALLOW,
                                    number,
                                    static_cast<unsigned>(conditions.size()),
                                    conditions.data()));
    }
  }
  [[nodiscard]] result<void> load() {
    if (failure_ == 0) {
      note(::seccomp_load(context_.get()));
    }
    return failure_ == 0 ? result<void>()
                         : result<void>(system_error(failure_, "seccomp"));
  }

 private:
  void note(int outcome) { failure_ = outcome < 0 ? -outcome : failure_; }

  int failure_ = 0;
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

/// @return no entry where there is no such user
std::unique_ptr<passwd> user_called(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there are no other threads yet
  const passwd* const found = ::getpwnam(name);
  return found == nullptr ? nullptr : std::make_unique<passwd>(*found);
}

result<void> become(const passwd& user) {
  const bool done = ::setgroups(0, nullptr) == 0 &&
                    ::setresgid(user.pw_gid, user.pw_gid, user.pw_gid) == 0 &&
                    ::setresuid(user.pw_uid, user.pw_uid, user.pw_uid) == 0;
  return done ? result<void>()
              : result<void>(system_error(errno, "another user"));
}

}  // namespace

result<void> give_up_root() {
  if (::geteuid() == 0) {
    auto user = user_called(listen_user);
    if (!user) {
      user = user_called("nobody");
    }
    if (!user || user->pw_uid == 0) {
      return error(errc::not_found,
                   "there is neither a user xl-teleport nor nobody");
    }
    const auto done = become(*user);
    if (!done) {
      return done;
    }
  }
  const rlimit nothing{0, 0};
  const bool closed = ::setrlimit(RLIMIT_CORE, &nothing) == 0 &&
                      ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  return closed ? result<void>() : result<void>(system_error(errno, "prctl"));
}

result<void> confine(confined part) {
  ::tzset();  // the log's times; the file is read once
  filter made;
  made.allow(both);
  if (part == confined::listener) {
    made.allow(listener_alone);
  } else {
    // No memory of its is ever run.
    for (const int number : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
      made.allow_where(
          number, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, scmp_datum_t{0})});
    }
    made.allow_where(SCMP_SYS(ioctl),
                     {SCMP_A1(SCMP_CMP_EQ, scmp_datum_t{FIONBIO})});
  }
  return made.load();
}

}  // namespace teleport
