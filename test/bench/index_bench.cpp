// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/bench/index_bench.cpp: one measurement of the content index a call, as
// one line of JSON; test/bench/run repeats them and takes medians.
//
//   index-bench fill FOLDER FROM TO          synthetic blocks into an index
//   index-bench lookup FOLDER BLOCKS KIND N  KIND: miss, hit, run or mixed;
//                                            as many are asked before, untimed
//   index-bench sha FILE                     SHA-256 alone over a file's bytes
//   index-bench scan FOLDER FILE THREADS     everything a scan does
//
// Rates are given by the clock on the wall and by the CPU time used: on a
// machine that others use as well, the second tells more.
//
// Exit status: 0 done, 1 failed, 2 wrong usage.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <string>

#include <sys/resource.h>

#include <fmt/format.h>

#include "index/hash_index.hpp"
#include "index/scanner.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/disk/file_device.hpp"
#include "test/bench/synthetic.hpp"

namespace teleport::bench {
namespace {

int failed(const error& cause) {
  std::cerr << "index-bench: " << cause.context << '\n';
  return 1;
}

double cpu_seconds() {
  rusage used{};
  (void)::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// A line of /proc/self/status in MiB: what is ours, without the map's pages.
double status_mib(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    if (word == name + ":") {
      double kib = 0;
      in >> kib;
      return kib / 1024;
    }
  }
  return 0;
}

/// Adds up the time between resume() and pause().
class watch {
 public:
  watch() { resume(); }
  void resume() {
    began_ = std::chrono::steady_clock::now();
    cpu_began_ = cpu_seconds();
  }
  void pause() {
    wall_ +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began_)
            .count();
    cpu_ += cpu_seconds() - cpu_began_;
  }
  /// @param work  done in all this time, in `unit`s
  [[nodiscard]] std::string text(double work, std::string_view unit) const {
    return fmt::format(
        "\"seconds\": {:.3f}, \"cpu_seconds\": {:.3f}, \"{}_per_s\": {:.0f}, "
        "\"{}_per_cpu_s\": {:.0f}, \"rss_anon_mib\": {:.1f}",
        wall_,
        cpu_,
        unit,
        work / wall_,
        unit,
        work / cpu_,
        status_mib("RssAnon"));
  }

 private:
  std::chrono::steady_clock::time_point began_;
  double cpu_began_ = 0;
  double wall_ = 0;
  double cpu_ = 0;
};

result<std::shared_ptr<index::store>> open(const std::string& folder,
                                           bool writable) {
  index::store_options how;
  how.writable = writable;
  result<std::unique_ptr<index::store>> opened =
      index::store::open(folder, how);
  if (!opened) {
    return opened.error();
  }
  return std::shared_ptr<index::store>(std::move(*opened));
}

int run_fill(const std::string& folder, std::uint64_t from, std::uint64_t to) {
  const auto tables = open(folder, true);
  if (!tables) {
    return failed(tables.error());
  }
  watch time;
  const result<void> done =
      fill(**tables, from, to, index::scan_options().batch_bytes);
  if (!done) {
    return failed(done.error());
  }
  time.pause();
  const std::string took = time.text(static_cast<double>(to - from), "blocks");
  const auto counts = (*tables)->count();
  if (!counts) {
    return failed(counts.error());
  }
  std::cout << fmt::format(
      "{{\"blocks\": {}, \"file_bytes\": {}, \"percent\": {:.3f}, {}}}\n",
      to,
      counts->file_bytes,
      100.0 * static_cast<double>(counts->file_bytes) /
          static_cast<double>(to * block_bytes),
      took);
  return 0;
}

/// The wanted digests of one extent.
using question = std::function<void(std::span<block_digest>)>;

question question_of(const std::string& kind, std::uint64_t blocks) {
  // One seed: every run asks the same.
  auto random = std::make_shared<std::mt19937_64>(20240607);
  const auto any = [random](std::uint64_t below) {
    return (*random)() % below;
  };
  if (kind == "miss") {
    return [any](std::span<block_digest> out) {
      for (block_digest& digest : out) {
        digest = digest_of_block(absent + any(absent));
      }
    };
  }
  if (kind == "hit") {
    return [any, blocks](std::span<block_digest> out) {
      for (block_digest& digest : out) {
        digest = digest_of_block(any(blocks));
      }
    };
  }
  if (kind == "run") {
    return [any, blocks](std::span<block_digest> out) {
      const std::uint64_t first = any(blocks - out.size());
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = digest_of_block(first + i);
      }
    };
  }
  // Pieces of 1 to 64 blocks, half of them held, as on a disk that shares the
  // distribution's files with ours.
  return [any, blocks](std::span<block_digest> out) {
    for (std::size_t i = 0; i < out.size();) {
      const std::size_t end =
          std::min<std::size_t>(out.size(), i + 1 + any(64));
      const std::uint64_t first =
          any(2) == 0 ? any(blocks - 64) : absent + any(absent);
      for (std::uint64_t n = 0; i < end; ++i, ++n) {
        out[i] = digest_of_block(first + n);
      }
    }
  };
}

int run_lookup(const std::string& folder,
               std::uint64_t blocks,
               const std::string& kind,
               std::uint64_t count) {
  const auto tables = open(folder, false);
  if (!tables) {
    return failed(tables.error());
  }
  index::hash_index lookup(*tables);
  const question ask = question_of(kind, blocks);
  std::vector<block_digest> wanted(256 * extent_blocks);
  const std::uint64_t pieces =
      std::max<std::uint64_t>(1, count / wanted.size());
  std::uint64_t found = 0;
  watch time;
  time.pause();
  // Asked in pieces, which are made while the watch stands: all of them would
  // take memory from what is measured.
  const auto look_up = [&](std::uint64_t rounds) {
    found = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
      for (std::size_t at = 0; at < wanted.size(); at += extent_blocks) {
        ask(std::span(wanted).subspan(at, extent_blocks));
      }
      time.resume();
      for (std::size_t at = 0; at < wanted.size(); at += extent_blocks) {
        for (const donor_run& run :
             lookup.find_blocks(std::span(wanted).subspan(at, extent_blocks))) {
          found += run.count;
        }
      }
      time.pause();
    }
  };
  look_up(pieces);  // what fits into memory comes in
  time = watch();
  time.pause();
  look_up(pieces);
  const std::uint64_t asked = pieces * wanted.size();
  std::cout << fmt::format(
      "{{\"kind\": \"{}\", \"blocks\": {}, \"asked\": {}, \"found\": {}, "
      "{}}}\n",
      kind,
      blocks,
      asked,
      found,
      time.text(static_cast<double>(asked), "digests"));
  return 0;
}

int run_sha(const std::string& path) {
  const auto device = open_device(path, open_mode::read_only);
  if (!device) {
    return failed(device.error());
  }
  const std::uint64_t size = (*device)->size();
  std::ifstream in(path, std::ios::binary);
  std::vector<std::byte> piece(extent_bytes);
  sha256_stream sha;
  watch time;
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    const auto n = std::min<std::uint64_t>(piece.size(), size - at);
    // Through the page cache, which is what "warm" means.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): iostream's
    in.read(reinterpret_cast<char*>(piece.data()),
            static_cast<std::streamsize>(n));
    sha.update(std::span(piece).first(n));
  }
  (void)sha.finish();
  time.pause();
  std::cout << fmt::format("{{\"bytes\": {}, {}}}\n",
                           size,
                           time.text(static_cast<double>(size), "bytes"));
  return in ? 0 : 1;
}

int run_scan(const std::string& folder,
             const std::string& path,
             unsigned threads) {
  const auto tables = open(folder, true);
  if (!tables) {
    return failed(tables.error());
  }
  index::scan_options how;
  how.threads = threads;
  how.idle_priority = false;
  watch time;
  const auto report = index::scan_disk(**tables, path, how);
  if (!report) {
    return failed(report.error());
  }
  time.pause();
  const std::string took =
      time.text(static_cast<double>(report->disk.size), "bytes");
  const auto counts = (*tables)->count();
  if (!counts) {
    return failed(counts.error());
  }
  std::cout << fmt::format(
      "{{\"bytes\": {}, \"data_blocks\": {}, \"file_bytes\": {}, {}}}\n",
      report->disk.size,
      report->disk.data_blocks,
      counts->file_bytes,
      took);
  return 0;
}

int main_of_bench(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  if (what == "fill" && words.size() == 4) {
    return run_fill(words[1], std::stoull(words[2]), std::stoull(words[3]));
  }
  if (what == "lookup" && words.size() == 5) {
    return run_lookup(
        words[1], std::stoull(words[2]), words[3], std::stoull(words[4]));
  }
  if (what == "sha" && words.size() == 2) {
    return run_sha(words[1]);
  }
  if (what == "scan" && words.size() == 4) {
    return run_scan(
        words[1], words[2], static_cast<unsigned>(std::stoul(words[3])));
  }
  std::cerr << "usage: see the head of test/bench/index_bench.cpp\n";
  return 2;
}

}  // namespace
}  // namespace teleport::bench

int main(int argc, char** argv) {
  teleport::log_setup("index-bench", teleport::log_level::warning);
  return teleport::bench::main_of_bench({argv + 1, argv + argc});
}
