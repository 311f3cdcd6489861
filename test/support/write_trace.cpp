// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/write_trace.hpp"

#include <csignal>
#include <utility>

namespace teleport {

int write_trace::writing(int fd, std::uint64_t at, std::string bytes) {
  return test::path_of(fd) == file_ ? note({false, at, std::move(bytes)}) : 0;
}

void write_trace::synced(int fd) {
  if (test::path_of(fd) == file_) {
    (void)note({true, 0, {}});
  }
}

int write_trace::note(event what) {
  if (events_.size() == kill_at) {
    (void)std::raise(SIGKILL);
  }
  if (events_.size() >= refuse_from && !what.sync) {
    return refuse_with;
  }
  events_.push_back(std::move(what));
  return 0;
}

}  // namespace teleport
