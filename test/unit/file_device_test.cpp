// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/file_device.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/model_disk.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

std::string make_file(const temp_folder& folder, std::uint64_t size) {
  std::string path = folder / "disk";
  std::ofstream(path).close();
  std::filesystem::resize_file(path, size);
  return path;
}

bool opens_directly(const std::string& path) {
  const unique_fd opened(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  return static_cast<bool>(opened);
}

/// Descriptors of this process that lead to the file, with O_DIRECT.
int direct_descriptors(const std::string& path) {
  namespace fs = std::filesystem;
  int found = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const int fd = std::stoi(entry.path().filename());
    if (fs::read_symlink(entry.path(), gone) == path) {
      found += (::fcntl(fd, F_GETFL) & O_DIRECT) != 0 ? 1 : 0;
    }
  }
  return found;
}

std::uint64_t allocated_bytes(const std::string& path) {
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  return static_cast<std::uint64_t>(about.st_blocks) * 512;
}

}  // namespace

TEST_CASE("a file behaves as memory does, with direct I/O and without",
          "[disk]") {
  const std::string parent = GENERATE("/var/tmp", "/dev/shm");
  const std::uint64_t size = GENERATE(std::size_t{512}, 2_MiB, 1_MiB + 2560);
  CAPTURE(parent, size);
  const temp_folder folder(parent);
  const std::string path = make_file(folder, size);
  auto device = open_device(path, open_mode::read_write);
  REQUIRE(device);
  CHECK((*device)->size() == size);
  compare_with_model(**device, 11, 120);
  CHECK(std::filesystem::file_size(path) == size);
}

TEST_CASE("what can be read past the page cache is opened so, in each mode",
          "[disk]") {
  const temp_folder folder("/var/tmp");
  const std::string path = make_file(folder, 1_MiB);
  if (!opens_directly(path)) {
    WARN("skipped: the file system of /var/tmp has no O_DIRECT");
    return;
  }
  const auto mode = GENERATE(open_mode::read_only, open_mode::read_write);
  const auto device = open_device(path, mode);
  REQUIRE(device);
  CHECK(direct_descriptors(path) > 0);
}

TEST_CASE("zeroing a file gives its space back", "[disk]") {
  const temp_folder folder;
  const std::string path = make_file(folder, 4_MiB);
  auto device = open_device(path, open_mode::read_write);
  REQUIRE(device);
  const byte_buffer ones(4_MiB, std::byte{1});
  REQUIRE((*device)->write_at(0, ones));
  REQUIRE((*device)->flush());
  CHECK(allocated_bytes(path) >= 4_MiB);
  REQUIRE((*device)->zero_at(0, 4_MiB - 512));
  REQUIRE((*device)->flush());
  CHECK(allocated_bytes(path) <= 64_KiB);
  CHECK(std::filesystem::file_size(path) == 4_MiB);
}

TEST_CASE("a range outside of the device is refused", "[disk]") {
  const temp_folder folder;
  const std::string path = make_file(folder, 1_MiB + 512);
  auto device = open_device(path, open_mode::read_write);
  REQUIRE(device);
  byte_buffer bytes(4096);
  CHECK((*device)->read_at(1_MiB, std::span(bytes).first(512)));
  CHECK((*device)->read_at(1_MiB, bytes).error().code == errc::bad_input);
  CHECK((*device)->write_at(1_MiB, bytes).error().code == errc::bad_input);
  CHECK((*device)->write_at(512, bytes).error().code == errc::bad_input);
  CHECK((*device)->zero_at(2_MiB, 1).error().code == errc::bad_input);
  CHECK((*device)->zero_at(4096, ~std::uint64_t{0}).error().code ==
        errc::bad_input);
  CHECK(std::filesystem::file_size(path) == 1_MiB + 512);
}

TEST_CASE("a device that was opened for reading refuses writes", "[disk]") {
  const temp_folder folder;
  const std::string path = make_file(folder, 8192);
  auto device = open_device(path, open_mode::read_only);
  REQUIRE(device);
  byte_buffer bytes(8192, std::byte{1});
  CHECK_FALSE((*device)->write_at(0, bytes));
  CHECK((*device)->read_at(0, bytes));
  CHECK(bytes[0] == std::byte{0});
}

TEST_CASE("a file that has shrunk is an error and not zeros", "[disk]") {
  const temp_folder folder;
  const std::string path = make_file(folder, 64_KiB);
  auto device = open_device(path, open_mode::read_only);
  REQUIRE(device);
  std::filesystem::resize_file(path, 4096);
  byte_buffer bytes(64_KiB);
  CHECK_THAT((*device)->read_at(0, bytes).error().context,
             test::contains_text("shrunk"));
}

TEST_CASE("what is no disk is not opened", "[disk]") {
  const temp_folder folder;
  const auto code = [](const std::string& path) {
    return open_device(path, open_mode::read_only).error().code;
  };
  CHECK(code(folder / "nothing") == errc::not_found);
  CHECK(code(folder.path()) == errc::bad_input);
  CHECK(code("/dev/null") == errc::bad_input);
  CHECK(code(make_file(folder, 0)) == errc::bad_input);
  CHECK(code(make_file(folder, 1000)) == errc::bad_input);
}

}  // namespace teleport
