// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/storm.hpp: writers that leave a disk no rest.

#ifndef TELEPORT_TEST_SUPPORT_STORM_HPP
#define TELEPORT_TEST_SUPPORT_STORM_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// Threads that write, discard and zero at random, past the page cache.
class storm {
 public:
  storm(const std::string& path, std::uint64_t size, unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this, path, size, i] { run(path, size, i); });
    }
  }
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;
  storm(storm&&) = delete;
  storm& operator=(storm&&) = delete;
  ~storm() { stop(); }

  void stop() {
    ended_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }
  void pause(bool paused) { paused_ = paused; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  void run(const std::string& path, std::uint64_t size, unsigned seed) {
    const unique_fd fd(::open(path.c_str(), O_RDWR | O_DIRECT));
    std::mt19937_64 random(seed);
    aligned_buffer memory(512 * 1024);
    while (!ended_) {
      if (paused_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const std::size_t longest = random() % 8 == 0 ? 128 : 8;
      const std::size_t length = (1 + random() % longest) * 4096;
      const std::uint64_t offset = random() % ((size - length) / 4096) * 4096;
      std::array<std::uint64_t, 2> range = {offset, length};
      bool done = true;
      switch (random() % 16) {
        case 0:
          // Not every device can.
          static_cast<void>(::ioctl(fd.get(), BLKDISCARD, range.data()));
          break;
        case 1:
          done = ::ioctl(fd.get(), BLKZEROOUT, range.data()) == 0;
          break;
        default: {
          const auto piece = memory.span().first(length);
          for (std::size_t i = 0; i < length; i += 512) {
            store_le(random(), piece.subspan(i));
          }
          done =
              ::pwrite(
                  fd.get(), piece.data(), length, static_cast<off_t>(offset)) ==
              static_cast<ssize_t>(length);
        }
      }
      ++calls_;
      failures_ += done ? 0 : 1;
    }
  }

  std::vector<std::thread> threads_;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> paused_ = false;
  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_STORM_HPP
