// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/durable_file.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace fs = std::filesystem;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a durable file is read as it was written", "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  for (const std::string& content :
       {std::string(), std::string("x"), std::string(100'000, '\0')}) {
    REQUIRE(write_durably(path, content, 0600));
    const auto back = read_small_file(path, 100'000);
    REQUIRE(back);
    CHECK(*back == content);
    CHECK_FALSE(fs::exists(path + ".new"));
  }
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0600);
}

TEST_CASE("what a crash left beside a durable file does no harm", "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  REQUIRE(write_durably(path, "old", 0600));
  std::ofstream(path + ".new") << "half of something that is much longer";
  CHECK(*read_small_file(path, 100) == "old");
  REQUIRE(write_durably(path, "new", 0600));
  CHECK(*read_small_file(path, 100) == "new");
  CHECK_FALSE(fs::exists(path + ".new"));
}

TEST_CASE("a private file is so from its first byte, whatever was there",
          "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  std::ofstream(path) << "old";
  std::ofstream(path + ".new") << "of a crash, and open to a reader";
  fs::permissions(path, fs::perms{0666});
  fs::permissions(path + ".new", fs::perms{0666});
  const unique_fd open_before(
      ::open((path + ".new").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(write_durably(path, "secret", 0600));
  CHECK(mode_of(path) == 0600);
  std::array<char, 6> seen{};
  REQUIRE(::pread(open_before.get(), seen.data(), seen.size(), 0) == 6);
  CHECK(std::string(seen.data(), seen.size()) == "of a c");
}

TEST_CASE("a file that is an administrator's, too, keeps its mode and owner",
          "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  REQUIRE(rewrite_durably(path, "1", 0600));
  CHECK(mode_of(path) == 0600);
  fs::permissions(path, fs::perms{0644});
  const bool may_give = ::chown(path.c_str(), 7, 8) == 0;
  REQUIRE(rewrite_durably(path, "2", 0600));
  CHECK(*read_small_file(path, 9) == "2");
  CHECK(mode_of(path) == 0644);
  struct stat now {};
  REQUIRE(::stat(path.c_str(), &now) == 0);
  if (may_give) {
    CHECK(now.st_uid == 7);
    CHECK(now.st_gid == 8);
  }
}

TEST_CASE("a file that is an administrator's, too, stays behind its link",
          "[base]") {
  const temp_folder folder;
  namespace fs = std::filesystem;
  fs::create_directory(folder / "kept");
  REQUIRE(write_durably(folder / "kept/web1.cfg", "old", 0640));
  fs::create_symlink("kept/web1.cfg", folder / "web1.cfg");
  REQUIRE(rewrite_durably(folder / "web1.cfg", "new", 0600));
  CHECK(fs::read_symlink(folder / "web1.cfg") == "kept/web1.cfg");
  CHECK(read_small_file(folder / "kept/web1.cfg", 10).value() == "new");
  CHECK(fs::status(folder / "kept/web1.cfg").permissions() == fs::perms{0640});
  // One that leads nowhere is nobody's to replace.
  fs::create_symlink("nowhere", folder / "lost");
  CHECK_FALSE(rewrite_durably(folder / "lost", "new", 0600));
  CHECK(fs::is_symlink(fs::symlink_status(folder / "lost")));
}

TEST_CASE("what a link leads to is not written through a file beside",
          "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  std::ofstream(folder / "other") << "another's";
  fs::create_symlink(folder / "other", path + ".new");
  REQUIRE(write_durably(path, "1", 0600));
  CHECK(*read_small_file(folder / "other", 20) == "another's");
}

TEST_CASE("a write that fails leaves the old file", "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  REQUIRE(write_durably(path, "old", 0600));
  fs::create_directory(path + ".new");
  CHECK_FALSE(write_durably(path, "new", 0600));
  CHECK(*read_small_file(path, 100) == "old");
  CHECK_FALSE(write_durably(folder / "missing/a", "new", 0600));
}

TEST_CASE("a small file has at most as many bytes as are wanted", "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  REQUIRE(write_durably(path, "12345", 0600));
  CHECK(*read_small_file(path, 5) == "12345");
  const auto longer = read_small_file(path, 4);
  REQUIRE_FALSE(longer);
  CHECK(longer.error().code == errc::corrupt);
  const auto missing = read_small_file(folder / "b", 5);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == errc::not_found);
}

TEST_CASE("removing a file that is not there is no error", "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a";
  REQUIRE(write_durably(path, "1", 0600));
  CHECK(remove_durably(path));
  CHECK_FALSE(fs::exists(path));
  CHECK(remove_durably(path));
}

TEST_CASE("folders are made with their parents and for us alone", "[base]") {
  const temp_folder folder;
  REQUIRE(make_folders(folder / "a/b/c"));
  REQUIRE(make_folders(folder / "a/b/c"));
  struct stat facts {};
  REQUIRE(::stat((folder / "a/b/c").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0700);
  std::ofstream(folder / "file") << "x";
  CHECK_FALSE(make_folders(folder / "file/d"));
}

}  // namespace teleport
