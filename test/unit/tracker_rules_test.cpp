// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/tracker_rules_test.cpp: what a tracker decides without a kernel:
// whether its counts prove it, and that no mark is lost while it is moved.

#include <csignal>
#include <span>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/disk/standing_tracker.hpp"
#include "libteleport/disk/tracker_balance.hpp"
#include "test/support/catch.hpp"

namespace teleport {

namespace {

constexpr std::size_t words_of_page = 512;

/// A page that this process's children share.
class shared_page {
 public:
  shared_page()
      : memory_(::mmap(nullptr,
                       words_of_page * sizeof(std::uint64_t),
                       PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS,
                       -1,
                       0)) {
    REQUIRE(memory_ != MAP_FAILED);
  }
  ~shared_page() { ::munmap(memory_, bytes()); }
  shared_page(const shared_page&) = delete;
  shared_page& operator=(const shared_page&) = delete;
  shared_page(shared_page&&) = delete;
  shared_page& operator=(shared_page&&) = delete;

  [[nodiscard]] std::span<std::uint64_t> words() const {
    return {static_cast<std::uint64_t*>(memory_), words_of_page};
  }
  /// Who writes to it dies.
  void make_read_only() const {
    static_cast<void>(::mprotect(memory_, bytes(), PROT_READ));
  }

 private:
  static constexpr std::size_t bytes() {
    return words_of_page * sizeof(std::uint64_t);
  }
  void* memory_;
};

}  // namespace

TEST_CASE("equal counts prove that every write is marked", "[tracker]") {
  const baseline before{1000, 500, 3};
  CHECK(missed_writes(before, before, {}).empty());
  CHECK(missed_writes(before, {1080, 580, 3}, {}).empty());
  // Ends that were missed cost bytes and lose no mark.
  tracker_counters counted;
  counted.missed_ends = counted.reused = counted.pending = 9;
  CHECK(missed_writes(before, {1080, 580, 3}, counted).empty());
}

TEST_CASE("each count that is at odds means that a mark may be missing",
          "[tracker]") {
  const baseline before{1000, 500, 3};
  tracker_counters counted;
  std::string said;
  std::string wanted;
  SECTION("the kernel has written more") {
    said = missed_writes(before, {1088, 580, 3}, counted);
    wanted = "the kernel counts 88 sectors written, the tracker 80";
  }
  SECTION("the tracker has seen more") {
    said = missed_writes(before, {1080, 588, 3}, counted);
    wanted = "the kernel counts 80 sectors written, the tracker 88";
  }
  SECTION("the table was full") {
    counted.insert_failed = 2;
    said = missed_writes(before, before, counted);
    wanted = "2 writes found no place in the table of pending ones";
  }
  SECTION("the kernel did not run the tracker") {
    counted.missed = 4;
    said = missed_writes(before, before, counted);
    wanted = "the kernel left out the tracker 4 times";
  }
  SECTION("a write ended that had not begun") {
    said = missed_writes(before, {1080, 580, 5}, counted);
    wanted = "2 writes ended whose begin was not seen";
  }
  CHECK(said == wanted);
}

TEST_CASE("marks are moved, and what was moved is told", "[tracker]") {
  std::vector<std::uint64_t> marks{0, 5, 0, ~std::uint64_t{0}};
  std::vector<std::uint64_t> taken{8, 2, 0, 1};
  std::vector<std::uint64_t> moved(4);
  move_marks(marks, taken, moved);
  CHECK(marks == std::vector<std::uint64_t>{0, 0, 0, 0});
  CHECK(taken == std::vector<std::uint64_t>{8, 7, 0, ~std::uint64_t{0}});
  CHECK(moved == std::vector<std::uint64_t>{0, 5, 0, ~std::uint64_t{0}});
}

TEST_CASE("who dies while it moves a mark leaves it in one of the two maps",
          "[tracker]") {
  const shared_page marks;
  const shared_page taken;
  marks.words()[7] = 0b1010;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // It dies at its first write to `taken`, and says nothing.
    static_cast<void>(std::signal(SIGSEGV, SIG_DFL));
    const rlimit no_core{0, 0};
    static_cast<void>(::setrlimit(RLIMIT_CORE, &no_core));
    taken.make_read_only();
    std::vector<std::uint64_t> moved(words_of_page);
    move_marks(marks.words(), taken.words(), moved);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(marks.words()[7] == 0b1010);
}

}  // namespace teleport
