// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_fixture.hpp: images with chosen blocks, and an
// index over them, for the tests of index/.

#ifndef TEST_UNIT_INDEX_FIXTURE_HPP
#define TEST_UNIT_INDEX_FIXTURE_HPP

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/hash_index.hpp"
#include "index/scanner.hpp"
#include "index/store.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport::index {

/// For tests that break things: the log would only hide what matters.
inline void expect_warnings() {
  log_setup("unit-tests", log_level::error);
}

/// Block `content`: 0 is all zero, every other number has bytes of its own.
inline byte_buffer block_of_content(std::uint64_t content) {
  byte_buffer block(block_bytes);
  std::uint64_t x = content * 0x9E3779B97F4A7C15U;
  for (std::size_t i = 0; content != 0 && i < block.size(); i += 8) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
    store_le(x, std::span(block).subspan(i));
  }
  return block;
}

inline block_digest digest_of(std::uint64_t content) {
  return digest_block(block_of_content(content));
}

inline std::vector<block_digest> digests_of(
    const std::vector<std::uint64_t>& contents) {
  std::vector<block_digest> digests;
  for (const std::uint64_t content : contents) {
    digests.push_back(digest_of(content));
  }
  return digests;
}

/// `count` contents from `first` on.
inline std::vector<std::uint64_t> ascending(std::uint64_t first,
                                            std::size_t count) {
  std::vector<std::uint64_t> contents(count);
  for (std::size_t i = 0; i < count; ++i) {
    contents[i] = first + i;
  }
  return contents;
}

inline void write_image(const std::string& path,
                        const std::vector<std::uint64_t>& contents) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  for (const std::uint64_t content : contents) {
    const byte_buffer block = block_of_content(content);
    out.write(as_text(block).data(),
              static_cast<std::streamsize>(block.size()));
  }
  REQUIRE(out.good());
}

inline void write_block(const std::string& path,
                        std::uint64_t number,
                        std::uint64_t content) {
  std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(number * block_bytes));
  const byte_buffer block = block_of_content(content);
  out.write(as_text(block).data(), static_cast<std::streamsize>(block.size()));
  REQUIRE(out.good());
}

inline std::shared_ptr<store> open_store(const std::string& folder) {
  store_options options;
  options.writable = true;
  result<std::unique_ptr<store>> opened = store::open(folder, options);
  if (!opened) {
    FAIL(opened.error().context);
  }
  return std::move(*opened);
}

inline scan_report scan(store& tables,
                        const std::string& path,
                        scan_options options = {}) {
  if (options.threads == 0) {
    options.threads = 2;
  }
  options.idle_priority = false;
  result<scan_report> report = scan_disk(tables, path, options);
  if (!report) {
    FAIL(report.error().context);
  }
  return *report;
}

/// The runs found; each begins after the last, and all lie inside the wanted.
inline std::vector<donor_run> checked_runs(
    hash_index& lookup, std::span<const block_digest> wanted) {
  auto runs = lookup.find_blocks(wanted);
  std::size_t end = 0;
  for (const donor_run& run : runs) {
    REQUIRE(run.first >= end);
    end = run.first + run.count;
    REQUIRE(end <= wanted.size());
  }
  return runs;
}

/// How many of the wanted blocks are in some run; each run is checked against
/// the bytes that lie there now.
inline std::size_t proven(hash_index& lookup,
                          const std::vector<block_digest>& wanted) {
  std::size_t count = 0;
  for (const donor_run& run : checked_runs(lookup, wanted)) {
    byte_buffer bytes(run.count * block_bytes);
    if (!lookup.read_donor(run.donor, run.offset, bytes)) {
      continue;
    }
    for (std::size_t i = 0; i < run.count; ++i) {
      const byte_span block =
          byte_span(bytes).subspan(i * block_bytes, block_bytes);
      count += digest_block(block) == wanted[run.first + i] ? 1U : 0U;
    }
  }
  return count;
}

}  // namespace teleport::index

#endif  // TEST_UNIT_INDEX_FIXTURE_HPP
