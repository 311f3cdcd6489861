// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/bpf_folder.hpp: a BPF file system of its own for one test. What
// is pinned there goes with it.

#ifndef TELEPORT_TEST_SUPPORT_BPF_FOLDER_HPP
#define TELEPORT_TEST_SUPPORT_BPF_FOLDER_HPP

#include <string>

#include <sys/mount.h>

#include "test/support/catch.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

class bpf_folder {
 public:
  bpf_folder() {
    REQUIRE(::mount("bpf", mount_.path().c_str(), "bpf", 0, nullptr) == 0);
  }
  bpf_folder(const bpf_folder&) = delete;
  bpf_folder& operator=(const bpf_folder&) = delete;
  bpf_folder(bpf_folder&&) = delete;
  bpf_folder& operator=(bpf_folder&&) = delete;
  ~bpf_folder() { ::umount2(mount_.path().c_str(), MNT_DETACH); }

  /// Where trackers are to be pinned; is not there yet.
  [[nodiscard]] std::string path() const { return mount_ / "trackers"; }

 private:
  temp_folder mount_;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_BPF_FOLDER_HPP
