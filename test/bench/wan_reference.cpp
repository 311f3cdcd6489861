// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/bench/wan_reference.cpp: writes the blocks of a disk that no donor holds
// to standard output, one after the other, zeros left out; one that the disk
// has twice is written twice. `wan-reference DISK [DONOR...] | zstd -3` is the
// reference that RESULTS.md speaks of; a higher level needs fewer bytes.
//
// Found by comparing bytes; nothing of the index is used. The digest only says
// where to compare.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <unordered_map>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

namespace {

constexpr std::size_t block = 4096;

[[noreturn]] void die(const std::string& what) {
  std::cerr << "wan-reference: " << what << ": " << std::strerror(errno)
            << '\n';
  std::exit(1);
}

/// A whole file in memory's address space; the rest of a last block is ignored.
class mapped_file {
 public:
  explicit mapped_file(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (fd < 0 || ::fstat(fd, &about) != 0) {
      die(path);
    }
    size_ = static_cast<std::size_t>(about.st_size);
    bytes_ = static_cast<const char*>(
        ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0));
    if (bytes_ == MAP_FAILED) {
      die(path);
    }
    ::close(fd);
  }
  [[nodiscard]] std::size_t blocks() const { return size_ / block; }
  [[nodiscard]] const char* at(std::size_t i) const {
    return bytes_ + i * block;
  }

 private:
  const char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: wan-reference DISK [DONOR...]\n";
    return 2;
  }
  static const std::vector<char> zeros(block);
  std::unordered_multimap<std::uint64_t, const char*> held;
  std::vector<mapped_file> donors;
  const auto is_held = [&held](std::uint64_t digest, const char* bytes) {
    const auto [first, last] = held.equal_range(digest);
    for (auto it = first; it != last; ++it) {
      if (std::memcmp(it->second, bytes, block) == 0) {
        return true;
      }
    }
    return false;
  };
  for (int i = 2; i < argc; ++i) {
    donors.emplace_back(argv[i]);
    for (std::size_t b = 0; b < donors.back().blocks(); ++b) {
      const char* bytes = donors.back().at(b);
      const auto digest = XXH3_64bits(bytes, block);
      if (std::memcmp(bytes, zeros.data(), block) != 0 &&
          !is_held(digest, bytes)) {
        held.emplace(digest, bytes);
      }
    }
  }
  const mapped_file disk(argv[1]);
  for (std::size_t b = 0; b < disk.blocks(); ++b) {
    const char* bytes = disk.at(b);
    if (std::memcmp(bytes, zeros.data(), block) == 0 ||
        is_held(XXH3_64bits(bytes, block), bytes)) {
      continue;
    }
    if (std::fwrite(bytes, 1, block, stdout) != block) {
      die("standard output");
    }
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
