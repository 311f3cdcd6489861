// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_pause_test.cpp: disks that are not to be read for now.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

#include "index/extent_source.hpp"
#include "index/pause_list.hpp"
#include "index/scan_gate.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

namespace {

using names = std::vector<std::string>;

/// A disk that is paused by the reading of one of its extents.
class pausing_disk : public block_device {
 public:
  pausing_disk(std::uint64_t extents, std::uint64_t at, pause_list pauses)
      : extents_(extents), at_(at), pauses_(std::move(pauses)) {}

  [[nodiscard]] std::uint64_t size() const noexcept override {
    return extents_ * extent_bytes;
  }
  result<void> read_at(std::uint64_t offset,
                       std::span<std::byte> into) override {
    // One at a time, but not in order: who was to read this extent may be
    // overtaken by any number of others.
    const std::lock_guard alone(mutex_);
    std::ranges::fill(into, std::byte{1});
    reads += into.size() / extent_bytes;
    if (offset / extent_bytes != at_) {
      return {};
    }
    result<void> paused = pauses_.pause({"/disk"});
    reads_when_paused = reads.load();
    return paused;
  }
  result<void> write_at(std::uint64_t /*offset*/, byte_span /*from*/) override {
    return error(errc::unsupported, "read only");
  }
  result<void> zero_at(std::uint64_t /*offset*/,
                       std::uint64_t /*length*/) override {
    return error(errc::unsupported, "read only");
  }
  result<void> flush() override { return {}; }

  std::atomic<std::uint64_t> reads = 0;              ///< extents
  std::atomic<std::uint64_t> reads_when_paused = 0;  ///< extents

 private:
  std::mutex mutex_;
  std::uint64_t extents_;
  std::uint64_t at_;
  pause_list pauses_;
};

}  // namespace

TEST_CASE("what is paused is remembered until it is resumed", "[pause]") {
  const temp_folder folder;
  pause_list pauses(folder.path());
  CHECK(*pauses.read() == paused_disks());
  REQUIRE(pauses.pause({"/a", "/b"}));
  REQUIRE(pauses.pause({"/b", "/c"}));
  const pause_list other(folder.path());
  CHECK(other.read()->paths == names{"/a", "/b", "/c"});
  CHECK(other.read()->covers("/a"));
  CHECK_FALSE(other.read()->covers("/"));
  REQUIRE(pauses.resume({"/b", "/none"}));
  CHECK(other.read()->paths == names{"/a", "/c"});
  REQUIRE(pauses.rename("/a", "/d"));
  REQUIRE(pauses.rename("/c", ""));
  REQUIRE(pauses.rename("/none", "/e"));
  CHECK(other.read()->paths == names{"/d"});
  SECTION("all are paused, and only resuming all ends it") {
    REQUIRE(pauses.pause_all());
    CHECK(other.read()->covers("/whatever"));
    CHECK(pauses.resume({"/d"}).error().code == errc::busy);
    REQUIRE(pauses.resume_all());
  }
  SECTION("the last one") {
    REQUIRE(pauses.resume({"/d"}));
  }
  CHECK(*other.read() == paused_disks());
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a list of pauses that somebody wrote holds what it can", "[pause]") {
  const temp_folder folder;
  std::ofstream(folder / pause_list::file_name) << "relative\n\n/a\n#*\n* \n/b";
  const auto now = pause_list(folder.path()).read();
  REQUIRE(now);
  CHECK_FALSE(now->all);
  CHECK(now->paths == names{"/a", "/b"});
}

TEST_CASE("a gate closes and opens with the list", "[pause]") {
  const temp_folder folder;
  pause_list pauses(folder.path());
  scan_gate gate(pauses, "/a");
  CHECK_FALSE(gate.closed());
  REQUIRE(pauses.pause({"/b"}));
  CHECK_FALSE(gate.closed());
  REQUIRE(pauses.pause({"/a"}));
  gate.wait(std::chrono::hours(1));  // returns: something has happened
  CHECK(gate.closed());
  CHECK(gate.closed());
  REQUIRE(pauses.resume({"/a"}));
  CHECK_FALSE(gate.closed());
  REQUIRE(pauses.pause_all());
  CHECK(gate.closed());
  CHECK(scan_gate(pauses, "/c").closed());
  REQUIRE(pauses.resume_all());
  CHECK_FALSE(gate.closed());
}

TEST_CASE("a disk that is paused while it is read goes on from there",
          "[pause]") {
  const temp_folder folder;
  pause_list pauses(folder.path());
  constexpr std::uint64_t extents = 64;
  constexpr std::uint64_t paused_at = 10;
  pausing_disk disk(extents, paused_at, pauses);
  scan_gate gate(pauses, "/disk");
  source_options how;
  how.threads = GENERATE(1U, 2U, 5U);
  how.idle_priority = false;
  how.gate = &gate;
  extent_source source(disk, "/disk", how);
  std::set<std::uint64_t> seen;
  unsigned paused = 0;
  while (const auto found = source.next()) {
    if (found->what == extent_source::kind::paused) {
      ++paused;
      // What the other threads had begun is read; nothing is under way.
      CHECK(disk.reads == seen.size());
      CHECK(seen.size() <= disk.reads_when_paused + 2 * (how.threads - 1));
      REQUIRE(pauses.resume({"/disk"}));
      continue;
    }
    CHECK(found->what == extent_source::kind::content);
    CHECK(seen.insert(found->first).second);
  }
  CHECK(paused == 1);
  CHECK(seen.size() == extents);
  CHECK(disk.reads == extents);
}

TEST_CASE("a source that is paused can be given up", "[pause]") {
  const temp_folder folder;
  pause_list pauses(folder.path());
  REQUIRE(pauses.pause_all());
  pausing_disk disk(8, 0, pauses);
  scan_gate gate(pauses, "/disk");
  std::atomic<bool> cancel = false;
  source_options how;
  how.threads = 3;
  how.cancel = &cancel;
  how.gate = &gate;
  {
    extent_source source(disk, "/disk", how);
    const auto first = source.next();
    REQUIRE(first);
    CHECK(first->what == extent_source::kind::paused);
    SECTION("by a signal") {
      cancel = true;
      CHECK_FALSE(source.next());
    }
    SECTION("by its owner") {}
  }
  CHECK(disk.reads == 0);
}

TEST_CASE("a scan of a paused disk waits, and then is whole", "[pause]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, ascending(1, 3 * extent_blocks));
  const auto tables = open_store(folder / "index");
  REQUIRE(add_disk(*tables, image));
  REQUIRE(tables->pauses().pause({image}));
  std::vector<bool> told;
  scan_options how;
  how.progress = [&](const scan_progress& now) {
    told.push_back(now.paused);
    if (now.paused) {
      CHECK(now.read_bytes == 0);
      REQUIRE(tables->pauses().resume({image}));
    }
  };
  CHECK(scan(*tables, image, how).disk.data_blocks == 3 * extent_blocks);
  CHECK(told == std::vector{true, false});
}

TEST_CASE("a disk that is removed is not paused when it comes again",
          "[pause]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, ascending(1, 3));
  const auto tables = open_store(folder / "index");
  const auto disk = add_disk(*tables, image);
  REQUIRE(disk);
  REQUIRE(tables->pauses().pause({image}));
  REQUIRE(tables->remove_disk(disk->id, removal::to_be_added_again));
  CHECK(tables->pauses().read()->covers(image));
  REQUIRE(tables->remove_disk(add_disk(*tables, image)->id));
  CHECK_FALSE(tables->pauses().read()->covers(image));
}

}  // namespace teleport::index
