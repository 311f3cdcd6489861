// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_lmdb_test.cpp: LMDB's traps stay closed: growth, other
// processes, damage.

#include <csignal>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

#include "index/lmdb.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

namespace {

lmdb_options small_map() {
  lmdb_options options;
  options.writable = true;
  options.map_bytes = 1_MiB;
  options.max_map_bytes = 8_MiB;
  return options;
}

result<void> put_large(lmdb_env& env, lmdb_table table, std::uint32_t number) {
  return env.write([&](write_txn& txn) {
    return txn.put(table, big_endian_key(number), byte_buffer(100'000));
  });
}

/// Runs `work` in another process. @return its exit status, or -1
template <class Work>
int in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(work());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("the map grows by itself up to its bound, and says so", "[index]") {
  const temp_folder folder("/dev/shm");
  auto env = lmdb_env::open(folder.path(), small_map());
  REQUIRE(env);
  const auto table = (*env)->table("t");
  REQUIRE(table);
  result<void> stored;
  std::uint32_t count = 0;
  while (stored && count < 1000) {
    stored = put_large(**env, *table, count);
    count += stored ? 1U : 0U;
  }
  REQUIRE_FALSE(stored);
  CHECK(stored.error().code == errc::no_space);
  CHECK(stored.error().context.find("8 MiB") != std::string::npos);
  CHECK(count > 60);
  CHECK((*env)->map_bytes() == 8_MiB);
  const auto txn = (*env)->begin_read();
  REQUIRE(txn);
  CHECK(*txn->entries(*table) == count);
}

TEST_CASE("a reader follows when another process grows the map", "[index]") {
  const temp_folder folder("/dev/shm");
  const std::string path = folder / "e";
  std::filesystem::create_directory(path);
  std::array<int, 2> go{};
  REQUIRE(::pipe(go.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    auto env = lmdb_env::open(path, small_map());
    bool good = env && ::read(go[0], &byte, 1) == 1;
    const auto table = good ? (*env)->table("t") : error();
    good = good && table;
    for (std::uint32_t i = 0; good && i < 30; ++i) {
      good = static_cast<bool>(put_large(**env, *table, i));
    }
    ::_exit(good ? 0 : 1);
  }
  {
    auto made = lmdb_env::open(path, small_map());
    REQUIRE(made);
    const auto table = (*made)->table("t");
    REQUIRE(table);
    CHECK(::write(go[1], "x", 1) == 1);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    const auto txn = (*made)->begin_read();
    REQUIRE(txn);
    CHECK(*txn->entries(*table) == 30);
    CHECK((*made)->map_bytes() > 2_MiB);
  }
  ::close(go[0]);
  ::close(go[1]);
}

TEST_CASE("a failed change leaves nothing, and the next one works", "[index]") {
  const temp_folder folder("/dev/shm");
  auto env = lmdb_env::open(folder.path(), small_map());
  REQUIRE(env);
  const auto table = (*env)->table("t");
  REQUIRE(table);
  const auto refused = (*env)->write([&](write_txn& txn) -> result<void> {
    result<void> put = txn.put(*table, as_bytes("k"), as_bytes("v"));
    return put ? error(errc::mismatch, "on purpose") : put;
  });
  CHECK(refused.error().code == errc::mismatch);
  CHECK((*env)->write([&](write_txn& txn) {
    return txn.put(*table, as_bytes("k2"), as_bytes("v2"));
  }));
  const auto txn = (*env)->begin_read();
  REQUIRE(txn);
  CHECK_FALSE(*txn->get(*table, as_bytes("k")));
  CHECK(as_text(**txn->get(*table, as_bytes("k2"))) == "v2");
}

TEST_CASE("one environment a folder in a process", "[index]") {
  const temp_folder folder("/dev/shm");
  {
    const auto first = lmdb_env::open(folder.path(), small_map());
    REQUIRE(first);
    const auto second = lmdb_env::open(folder.path(), small_map());
    REQUIRE_FALSE(second);
    CHECK(second.error().code == errc::busy);
  }
  CHECK(lmdb_env::open(folder.path(), small_map()));
}

TEST_CASE("a reader killed in its transaction does not keep pages", "[index]") {
  const temp_folder folder("/dev/shm");
  const std::string path = folder / "e";
  std::filesystem::create_directory(path);
  {
    const auto env = lmdb_env::open(path, small_map());
    REQUIRE(env);
    const auto table = (*env)->table("t");
    REQUIRE(table);
    REQUIRE(put_large(**env, *table, 0));
  }
  CHECK(in_child([&] {
          auto env = lmdb_env::open(path, {});
          const auto txn = env ? (*env)->begin_read() : error();
          return txn ? ::raise(SIGKILL) : 1;
        }) == -1);
  const auto env = lmdb_env::open(path, small_map());
  REQUIRE(env);
  const auto table = (*env)->table("t");
  REQUIRE(table);
  // 200 rewrites of 100 kB fit 8 MiB only when freed pages are used again.
  for (int i = 0; i < 200; ++i) {
    REQUIRE(put_large(**env, *table, 0));
  }
}

TEST_CASE("an index that is absent or garbage answers nothing", "[index]") {
  expect_warnings();
  const temp_folder folder("/dev/shm");
  const auto asks = [&] {
    hash_index lookup(folder / "index");
    CHECK_FALSE(lookup.usable());
    CHECK(lookup.find_blocks(digests_of({1, 2})).empty());
    CHECK_FALSE(lookup.find_extent({}));
    byte_buffer bytes(block_bytes);
    CHECK(lookup.read_donor(1, 0, bytes).error().code == errc::not_found);
  };
  asks();
  std::filesystem::create_directory(folder / "index");
  asks();
  for (const std::size_t size : {0U, 1U, 4096U, 100'000U}) {
    std::ofstream(folder / "index/data.mdb", std::ios::trunc)
        << std::string(size, 'x');
    asks();
  }
  SECTION("and a writer sets it aside and begins anew") {
    write_image(folder / "a.img", {1, 2});
    const auto tables = open_store(folder / "index");
    scan(*tables, folder / "a.img");
    hash_index lookup(tables);
    CHECK(proven(lookup, digests_of({1, 2})) == 2);
    bool kept = false;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder / "index")) {
      kept = kept || entry.path().filename().string().starts_with("unusable-");
    }
    CHECK(kept);
  }
}

TEST_CASE("no damage to the data file ends the process", "[index]") {
  expect_warnings();
  const temp_folder folder("/dev/shm");
  const std::string data = folder / "index/data.mdb";
  const auto contents = ascending(1, 40 * extent_blocks);
  write_image(folder / "a.img", contents);
  {
    const auto tables = open_store(folder / "index");
    scan_options options;
    options.batch_bytes = 150'000;
    scan(*tables, folder / "a.img", options);
    write_block(folder / "a.img", 77, 1'000'000);
    scan(*tables, folder / "a.img", options);
  }
  std::ifstream in(data, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  const auto wanted = digests_of(ascending(1000, 600));
  const auto use = [&](const std::string& bytes) {
    std::ofstream(data, std::ios::binary | std::ios::trunc) << bytes;
    hash_index lookup(folder / "index");
    std::size_t end = 0;
    for (const donor_run& run : lookup.find_blocks(wanted)) {
      REQUIRE(run.first >= end);
      end = run.first + run.count;
      REQUIRE(end <= wanted.size());
    }
    return lookup.usable();
  };
  REQUIRE(use(good));
  std::mt19937 random(20240607);
  SECTION("cut short") {
    int refused = 0;
    for (int i = 0; i < 40; ++i) {
      refused += use(good.substr(0, random() % good.size())) ? 0 : 1;
    }
    CHECK(refused > 35);
  }
  SECTION("bits") {
    for (int i = 0; i < 300; ++i) {
      std::string bytes = good;
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
      use(bytes);
    }
  }
  SECTION("bits in the heads of pages") {
    for (std::size_t page = 0; page < good.size(); page += 4096) {
      for (int i = 0; i < 3; ++i) {
        std::string bytes = good;
        bytes[page + random() % 160] ^= static_cast<char>(1U << random() % 8);
        use(bytes);
      }
    }
  }
  SECTION("pages zeroed or exchanged, then written to") {
    for (std::size_t page = 0; page < good.size(); page += 4096) {
      std::string bytes = good;
      if (random() % 2 == 0) {
        bytes.replace(page, 4096, std::string(4096, '\0'));
      } else {
        const std::size_t other = random() % (good.size() / 4096) * 4096;
        bytes.replace(page, 4096, good.substr(other, 4096));
      }
      use(bytes);
      const auto tables = open_store(folder / "index");
      scan(*tables, folder / "a.img");
      CHECK(tables->count()->groups == 2);
    }
  }
}

TEST_CASE("one process looks up while another scans", "[index]") {
  const temp_folder folder("/dev/shm");
  const auto contents = ascending(1, 64 * extent_blocks);
  write_image(folder / "a.img", ascending(1, 300));
  write_image(folder / "b.img", contents);
  std::array<int, 2> go{};
  REQUIRE(::pipe(go.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(go[1]);
    char byte = 0;
    bool good = ::read(go[0], &byte, 1) == 1;
    hash_index lookup(folder / "index");
    const auto wanted = digests_of(contents);
    std::size_t found = 0;
    // Until the pipe closes, and once more.
    for (bool more = good; more;) {
      more = ::read(go[0], &byte, 1) == 1;
      found = 0;
      for (const donor_run& run : lookup.find_blocks(wanted)) {
        found += run.count;
      }
      good = good && found >= 300;
    }
    ::_exit(good && found == contents.size() ? 0 : 1);
  }
  ::close(go[0]);
  {
    const auto tables = open_store(folder / "index");
    scan(*tables, folder / "a.img");
    CHECK(::write(go[1], "x", 1) == 1);
    scan_options options;
    options.batch_bytes = 300'000;
    options.progress = [&](const scan_progress&) {
      CHECK(::write(go[1], "x", 1) == 1);
    };
    scan(*tables, folder / "b.img", options);
  }
  ::close(go[1]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace teleport::index
