// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/thin_volume_test.cpp: what thin_dump says of a volume, and that the
// pool's metadata snapshot is released however the reading ends. dmsetup and
// thin_dump are stand-ins; test/root/thin_test.cpp has the real ones.

#include "libteleport/disk/thin_volume.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "index/extent_source.hpp"
#include "libteleport/disk/thin_dump_reader.hpp"
#include "test/support/catch.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

/// As thin_dump 0.9.0 writes it, of chunks of 64 KiB.
constexpr std::string_view sample =
    R"(
<superblock uuid="" time="1" transaction="2" flags="0" version="2" data_block_size="128" nr_data_blocks="16384">
  <device dev_id="1" mapped_blocks="9" transaction="0" creation_time="0" snap_time="1">
    <single_mapping origin_block="3" data_block="0" time="0"/>
    <range_mapping origin_begin="100" data_begin="10" length="7" time="0"/>
    <single_mapping origin_block="8000" data_block="30" time="1"/>
  </device>
  <device dev_id="2" mapped_blocks="1" transaction="1" creation_time="1" snap_time="1">
    <single_mapping origin_block="0" data_block="40" time="1"/>
  </device>
</superblock>
)";

result<dirty_map> parse(std::string_view text,
                        std::uint32_t device = 1,
                        std::uint64_t size = 1_GiB,
                        std::size_t piece = 4096) {
  thin_dump_reader reader(device, size);
  while (!text.empty()) {
    reader.feed(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  return reader.finish();
}

std::vector<std::uint64_t> extents_in(const dirty_map& map) {
  std::vector<std::uint64_t> extents;
  for (auto at = map.next_extent(0); at; at = map.next_extent(*at + 1)) {
    extents.push_back(*at);
  }
  return extents;
}

std::string changed(std::string_view what, std::string_view into) {
  std::string text(sample);
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), into);
}

using extents = std::vector<std::uint64_t>;

/// Programs of ours before the system's.
class fake_programs {
 public:
  fake_programs() : path_(std::getenv("PATH")) {
    ::setenv("PATH", (folder_.path() + ":" + path_).c_str(), 1);
    add("dmsetup",
        "echo \"$*\" >>" + log() + "\n" + "case $4 in res*) [ ! -e " + held() +
            " ] || exit 1; " + "echo >" + held() + ";; rel*) rm " + held() +
            ";; esac");
  }
  fake_programs(const fake_programs&) = delete;
  fake_programs& operator=(const fake_programs&) = delete;
  fake_programs(fake_programs&&) = delete;
  fake_programs& operator=(fake_programs&&) = delete;
  ~fake_programs() { ::setenv("PATH", path_.c_str(), 1); }

  void add(const std::string& name, const std::string& script) const {
    std::ofstream(folder_ / name) << "#!/bin/sh\n" << script << '\n';
    std::filesystem::permissions(folder_ / name,
                                 std::filesystem::perms::owner_all);
  }
  [[nodiscard]] std::string held() const { return folder_ / "held"; }
  [[nodiscard]] std::string log() const { return folder_ / "log"; }
  [[nodiscard]] std::string file(const std::string& name) const {
    return folder_ / name;
  }

 private:
  temp_folder folder_;
  std::string path_;
};

}  // namespace

TEST_CASE("what is provisioned is known by the extent", "[thin]") {
  const std::size_t piece = GENERATE(1U, 7U, 100000U);
  const auto one = parse(sample, 1, 1_GiB, piece);
  REQUIRE(one);
  // Chunk 3; chunks 100 to 106; chunk 8000.
  CHECK(extents_in(*one) == extents{0, 6, 500});
  CHECK(extents_in(*parse(sample, 2, 1_GiB, piece)) == extents{0});
  CHECK(extents_in(*parse(sample, 1, 64_MiB, piece)) == extents{0, 6});
  CHECK(parse(sample, 3).error().code == errc::not_found);
}

TEST_CASE("large chunks cover more than one extent", "[thin]") {
  const auto parts =
      parse(changed("data_block_size=\"128\"", "data_block_size=\"8192\""));
  REQUIRE(parts);
  CHECK(extents_in(*parts).size() == 4 * 8);
  CHECK(parts->next_extent(1) == 12);
}

TEST_CASE("a dump that is not as it should be is no answer", "[thin]") {
  std::string bad;
  SECTION("nothing") {}
  SECTION("cut short") {
    bad = std::string(sample).substr(0, sample.size() - 12);
  }
  SECTION("a mapping less") {
    bad = changed(
        R"(<single_mapping origin_block="3" data_block="0" time="0"/>)", "");
  }
  SECTION("more chunks than promised") {
    bad = changed("length=\"7\"", "length=\"8\"");
  }
  SECTION("numbers that are none") {
    bad = changed("\"8000\"",
                  GENERATE("\"\"",
                           "\"-1\"",
                           "\"0x10\"",
                           "\"8000 \"",
                           "\"18446744073709551616\""));
  }
  SECTION("places that no disk has") {
    bad = changed("\"8000\"", "\"18446744073709551615\"");
  }
  SECTION("chunks of no size") {
    bad = changed("\"128\"",
                  GENERATE("\"0\"",
                           "\"1\"",
                           "\"127\"",
                           "\"36893488147419103232\"",
                           "\"4194304\""));
  }
  SECTION("an attribute that is missing") {
    bad = changed(GENERATE("origin_begin=\"100\"",
                           "length=\"7\"",
                           "mapped_blocks=\"9\"",
                           "data_block_size=\"128\""),
                  "");
  }
  SECTION("an element of another release") {
    bad = changed("<single_mapping origin_block=\"3\"",
                  "<ref name=\"shared\"/><single_mapping origin_block=\"3\"");
  }
  SECTION("the volume twice") {
    bad = changed("dev_id=\"2\"", "dev_id=\"1\"");
  }
  SECTION("a document type") {
    bad = "<!DOCTYPE superblock [<!ENTITY a \"b\">]>" + std::string(sample);
  }
  SECTION("a failure's mark after it") {
    bad = std::string(sample) + "<failed/>\n";
  }
  INFO(bad);
  const auto parts = parse(bad);
  REQUIRE_FALSE(parts);
  CHECK(parts.error().code == errc::corrupt);
}

TEST_CASE("a dump that was cut short is never an answer", "[thin]") {
  const std::size_t whole = sample.rfind('>') + 1;
  for (std::size_t length = 0; length < whole; ++length) {
    INFO(length);
    REQUIRE_FALSE(parse(sample.substr(0, length)));
  }
  CHECK(parse(sample.substr(0, whole)));
}

TEST_CASE("whatever a dump is made of, it is refused or read", "[thin]") {
  std::mt19937 random(20261123);
  unsigned refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text(sample);
    for (auto i = random() % 3 + 1; i > 0; --i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 20);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), 30));
      }
    }
    const auto parts = parse(text);
    refused += parts ? 0U : 1U;
    if (!parts && parts.error().code != errc::corrupt) {
      REQUIRE(parts.error().code == errc::not_found);
    }
  }
  CHECK(refused > 5000);
}

TEST_CASE("tables of thin volumes and pools are told apart", "[thin]") {
  const auto table = parse_thin_table("0 2097152 thin 253:4 17\n");
  REQUIRE(table);
  CHECK(table->pool == "253:4");
  CHECK(table->id == 17);
  for (const char* const other :
       {"",
        "0 2097152 thin 253:4",
        "0 2097152 thin 253:4 17 253:9",  // an external origin
        "0 2097152 thin 253:4 x",
        "0 2097152 thin ../etc 17",
        "0 2097152 thin 253: 17",
        "8 2097152 thin 253:4 17",
        "0 8 linear 8:1 0",
        "0 8 thin 253:4 1\n8 8 thin 253:4 2"}) {
    INFO(other);
    CHECK_FALSE(parse_thin_table(other));
  }
  CHECK(parse_pool_table(
            "0 131072 thin-pool 253:0 253:1 128 0 1 no_discard_passdown") ==
        "253:0");
  CHECK_FALSE(parse_pool_table("0 131072 thin 253:0 1"));
  CHECK_FALSE(parse_pool_table("0 131072 thin-pool /dev/x 253:1 128 0 0"));
}

TEST_CASE("a pool's metadata snapshot is released however it ends", "[thin]") {
  const fake_programs programs;
  std::ofstream(programs.file("xml")) << sample;
  const std::string cat = "cat " + programs.file("xml");
  const thin_place place{"vg-pool-tpool", "/dev/null", 1};
  std::atomic<bool> cancel = false;
  errc expected = errc::corrupt;
  SECTION("well") {
    programs.add("thin_dump",
                 "[ -e " + programs.held() + " ] && echo \"$*\" >>" +
                     programs.log() + " && " + cat);
    const auto parts = dump_parts(place, 1_GiB, &cancel);
    REQUIRE(parts);
    CHECK(extents_in(*parts) == extents{0, 6, 500});
    std::ifstream log(programs.log());
    CHECK(std::string(std::istreambuf_iterator<char>(log), {}) ==
          "message vg-pool-tpool 0 reserve_metadata_snap\n"
          "--metadata-snap --dev-id 1 /dev/null\n"
          "message vg-pool-tpool 0 release_metadata_snap\n");
    expected = errc(0);
  }
  SECTION("with a failure of thin_dump's, before or after its answer") {
    const bool answers = GENERATE(false, true);
    programs.add("thin_dump", (answers ? cat : "true") + "; exit 1");
  }
  SECTION("with a signal to the shell and what it runs") {
    programs.add("thin_dump",
                 "kill -TERM $PPID; kill -TERM $$; exec tail -f /dev/null");
  }
  SECTION("with thin_dump killed") {
    programs.add("thin_dump", cat + "; kill -KILL $$");
  }
  SECTION("with the shell killed, so that we must") {
    programs.add("thin_dump", cat + "; kill -KILL $PPID");
    expected = errc::busy;
  }
  SECTION("when nobody wants it any more") {
    programs.add("thin_dump", cat + "; exec tail -f /dev/null");
    cancel = true;
    expected = errc::cancelled;
  }
  SECTION("with another pool's text") {
    programs.add("thin_dump", "echo '<superblock/>'");
  }
  if (expected != errc(0)) {
    const auto parts = dump_parts(place, 1_GiB, &cancel);
    REQUIRE_FALSE(parts);
    CHECK(parts.error().code == expected);
  }
  CHECK_FALSE(std::filesystem::exists(programs.held()));
}

TEST_CASE("a metadata snapshot that another holds is left to it", "[thin]") {
  const fake_programs programs;
  std::ofstream(programs.held()) << "theirs";
  programs.add("thin_dump", "echo never >" + programs.file("ran"));
  const auto parts = dump_parts({"pool", "/dev/null", 1}, 1_GiB, nullptr);
  REQUIRE_FALSE(parts);
  CHECK(parts.error().code == errc::busy);
  CHECK(std::filesystem::exists(programs.held()));
  CHECK_FALSE(std::filesystem::exists(programs.file("ran")));
}

TEST_CASE("what is not provisioned is not read", "[thin]") {
  constexpr std::uint64_t size = 20 * extent_bytes - 4096;
  memory_device disk(byte_buffer(size, std::byte{7}));
  dirty_map parts(size, extent_bytes);
  for (const std::uint64_t extent : {2U, 3U, 4U, 5U, 6U, 11U, 19U}) {
    parts.mark(extent * extent_bytes, 1);
  }
  bool none = false;
  SECTION("some") {}
  SECTION("none at all") {
    parts = dirty_map(size, extent_bytes);
    none = true;
  }
  index::source_options how;
  how.threads = 2;
  how.idle_priority = false;
  how.data = &parts;
  index::extent_source source(disk, "", how);
  std::vector<int> seen(20);
  while (const auto found = source.next()) {
    const bool data = found->what == index::extent_source::kind::content;
    for (std::uint64_t i = 0; i < found->count; ++i) {
      seen[found->first + i] += data ? 1 : 100;
    }
  }
  for (std::uint64_t e = 0; e < 20; ++e) {
    INFO("extent " << e);
    CHECK(seen[e] == (parts.next_extent(e) == e ? 1 : 100));
  }
  CHECK(parts.empty() == none);
}

}  // namespace teleport
