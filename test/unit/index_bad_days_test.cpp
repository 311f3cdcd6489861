// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_bad_days_test.cpp: full disks, kills, power losses, files cut
// short, other versions: the worst is a rebuild that announces itself.

#include <csignal>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

#include "index/lmdb.hpp"
#include "test/support/write_trace.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

namespace {

/// 3 groups' worth; in small batches some tens of commits.
constexpr std::size_t content_blocks = 80 * extent_blocks;

scan_options small_batches() {
  scan_options options;
  options.threads = 1;
  options.idle_priority = false;
  options.batch_bytes = 60'000;
  return options;
}

std::size_t set_aside_folders(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    count +=
        entry.path().filename().string().starts_with("unusable-") ? 1U : 0U;
  }
  return count;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Blocks found; every run's bounds are checked.
std::size_t found_in(hash_index& lookup, std::span<const block_digest> wanted) {
  std::size_t count = 0;
  for (const donor_run& run : checked_runs(lookup, wanted)) {
    count += run.count;
  }
  return count;
}

/// Runs `work` in another process. @return its wait status
template <class Work>
int in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(work() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

/// An index that came through something still serves, and a scan of the disk
/// makes it whole.
void check_usable(const std::string& folder,
                  const std::string& image,
                  const std::vector<block_digest>& wanted) {
  const auto tables = open_store(folder);
  CHECK(set_aside_folders(folder) == 0);
  CHECK(tables->count()->damaged_values == 0);
  hash_index lookup(tables);
  CHECK(found_in(lookup, wanted) <= wanted.size());
  scan(*tables, image);
  CHECK(found_in(lookup, wanted) == wanted.size());
}

}  // namespace

TEST_CASE("a full file system ends a scan, not the index", "[index]") {
  const temp_folder folder("/dev/shm");
  const auto contents = ascending(1, content_blocks);
  write_image(folder / "a.img", ascending(5000, 300));
  write_image(folder / "b.img", contents);
  const auto wanted = digests_of(contents);
  std::size_t all = 0;
  {
    const auto tables = open_store(folder / "all");
    scan(*tables, folder / "a.img");
    const write_trace trace(folder / "all/data.mdb");
    REQUIRE(scan_disk(*tables, folder / "b.img", small_batches()));
    all = trace.events().size();
  }
  REQUIRE(all > 50);
  for (std::size_t at = 0; at < all; at += 5) {
    const std::string index = folder / ("i" + std::to_string(at));
    const auto tables = open_store(index);
    scan(*tables, folder / "a.img");
    hash_index lookup(tables);
    {
      write_trace trace(index + "/data.mdb");
      trace.refuse_from = at;
      const auto report = scan_disk(*tables, folder / "b.img", small_batches());
      REQUIRE_FALSE(report);
      CHECK(report.error().code == errc::no_space);
      CHECK(found_in(lookup, digests_of(ascending(5000, 300))) == 300);
    }
    scan(*tables, folder / "b.img");
    CHECK(found_in(lookup, wanted) == wanted.size());
    std::filesystem::remove_all(index);
  }
}

TEST_CASE("a scan says that the map has reached its bound", "[index]") {
  const temp_folder folder("/dev/shm");
  write_image(folder / "a.img", ascending(1, 300));
  write_image(folder / "b.img", ascending(1000, 300 * extent_blocks));
  store_options options;
  options.writable = true;
  options.map.map_bytes = 256_KiB;
  options.map.max_map_bytes = 1_MiB;
  auto opened = store::open(folder / "index", options);
  REQUIRE(opened);
  const std::shared_ptr<store> tables = std::move(*opened);
  scan(*tables, folder / "a.img");
  const auto refused = scan_disk(*tables, folder / "b.img", small_batches());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::no_space);
  CHECK(refused.error().context.find("bound of 1 MiB") != std::string::npos);
  CHECK(tables->count()->map_bytes == 1_MiB);
  hash_index lookup(tables);
  CHECK(proven(lookup, digests_of(ascending(1, 300))) == 300);
}

TEST_CASE("killed at any write of a scan, the index is whole", "[index]") {
  const temp_folder folder("/dev/shm");
  const auto contents = ascending(1, content_blocks);
  const auto wanted = digests_of(contents);
  const std::string image = folder / "a.img";
  write_image(image, contents);
  int status = 0;
  std::size_t kills = 0;
  for (std::size_t at = 20; status == 0 || kills == 0; at += 5) {
    const std::string index = folder / ("i" + std::to_string(at));
    open_store(index);
    status = in_child([&] {
      write_trace trace(index + "/data.mdb");
      trace.kill_at = at;
      store_options options;
      options.writable = true;
      auto tables = store::open(index, options);
      return tables && scan_disk(**tables, image, small_batches());
    });
    if (status == 0) {
      break;  // the scan was over before
    }
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGKILL);
    ++kills;
    check_usable(index, image, wanted);
    std::filesystem::remove_all(index);
    status = 0;
  }
  CHECK(kills > 4);
}

TEST_CASE("a power loss undoes the last commits, no more", "[index]") {
  const temp_folder folder("/dev/shm");
  const auto contents = ascending(1, content_blocks);
  const auto wanted = digests_of(contents);
  const std::string image = folder / "a.img";
  write_image(image, ascending(7000, 300));
  open_store(folder / "index");
  const std::string before = read_file(folder / "index/data.mdb");
  std::vector<write_trace::event> events;
  {
    const write_trace trace(folder / "index/data.mdb");
    const auto tables = open_store(folder / "index");
    scan(*tables, image);
    write_image(image, contents);  // another size: goes out, comes in anew
    REQUIRE(scan_disk(*tables, image, small_batches()));
    events = trace.events();
  }
  const auto put =
      [](std::string& file, std::uint64_t at, std::string_view part) {
        file.resize(std::max<std::size_t>(file.size(), at + part.size()));
        file.replace(at, part.size(), part);
      };
  std::mt19937 random(20240608);
  std::string synced = before;
  std::vector<const write_trace::event*> pending;
  std::size_t losses = 0;
  for (const write_trace::event& event : events) {
    if (!event.sync) {
      pending.push_back(&event);
      continue;
    }
    // The power fails just before this sync returns: of what was written since
    // the last one, any pages may have reached the disk, in any order.
    std::string left = synced;
    for (const write_trace::event* write : pending) {
      for (std::size_t at = 0; at < write->bytes.size(); at += 4096) {
        const std::string_view page =
            std::string_view(write->bytes).substr(at, 4096);
        if (random() % 2 == 0) {
          put(left, write->at + at, page);
        }
        put(synced, write->at + at, page);
      }
    }
    pending.clear();
    const std::string lost = folder / "lost";
    std::filesystem::create_directory(lost);
    write_file(lost + "/data.mdb", left);
    check_usable(lost, image, wanted);
    std::filesystem::remove_all(lost);
    ++losses;
  }
  CHECK(losses > 20);
}

TEST_CASE("a file cut short under a running process is an error", "[index]") {
  expect_warnings();
  const temp_folder folder("/dev/shm");
  const auto contents = ascending(1, content_blocks);
  const auto wanted = digests_of(contents);
  write_image(folder / "a.img", contents);
  {
    const auto tables = open_store(folder / "index");
    scan(*tables, folder / "a.img");
  }
  const std::string data = folder / "index/data.mdb";
  const std::string good = read_file(data);
  const bool before_transaction = GENERATE(true, false);
  for (const std::size_t size : {std::size_t{0},
                                 4096_KiB / 1024,
                                 3 * 4096_KiB / 1024,
                                 good.size() / 2}) {
    write_file(data, good);
    // In a process of its own: before, it would have been its end.
    const int status = in_child([&] {
      const auto tables = open_store(folder / "index");
      hash_index lookup(tables);
      if (lookup.find_blocks(wanted).empty()) {
        return false;
      }
      if (!before_transaction) {
        const auto txn = tables->begin_read();
        if (::truncate(data.c_str(), static_cast<off_t>(size)) != 0) {
          return false;
        }
        // Whatever comes out, it comes back.
        (void)tables->disks(*txn);
        auto cursor = txn->cursor(tables->groups());
        for (auto more = cursor->seek({}); more && *more;
             more = cursor->next()) {
          (void)group_view::parse(cursor->value());
        }
      } else if (::truncate(data.c_str(), static_cast<off_t>(size)) != 0) {
        return false;
      }
      return lookup.find_blocks(wanted).empty() &&
             !scan_disk(*tables, folder / "a.img", small_batches());
    });
    CHECK(status == 0);
    // The next to write begins anew and says so.
    const auto tables = open_store(folder / "index");
    CHECK((size == 0 || set_aside_folders(folder / "index") == 1));
  }
}

TEST_CASE("another version's index is set aside and scanned anew", "[index]") {
  expect_warnings();
  const temp_folder folder("/dev/shm");
  const std::string index = folder / "index";
  write_image(folder / "a.img", {1, 2});
  write_image(folder / "b.img", {3, 4});
  scan(*open_store(index), folder / "a.img");
  for (const std::uint32_t version : {format_version - 1, format_version + 1}) {
    {
      const auto env = lmdb_env::open(index, {true});
      REQUIRE(env);
      const auto table = (*env)->table("state");
      state_record state;
      state.version = version;
      REQUIRE((*env)->write([&](write_txn& txn) {
        return txn.put(*table, as_bytes("state"), encode(state));
      }));
    }
    CHECK_FALSE(hash_index(index).usable());
    CHECK(store::open(index, {}).error().code == errc::unsupported);
    CHECK(set_aside_folders(index) == (version < format_version ? 0 : 1));
    const auto tables = open_store(index);
    CHECK(set_aside_folders(index) == 1);
    const auto lost = tables->lost_paths();
    REQUIRE(lost);
    CHECK(*lost == std::vector<std::string>{folder / "a.img"});
    scan(*tables, lost->front());
    CHECK(tables->lost_paths()->empty());
    hash_index lookup(tables);
    CHECK(proven(lookup, digests_of({1, 2})) == 2);
  }
}

TEST_CASE("a removed disk is not among the lost ones", "[index]") {
  const temp_folder folder("/dev/shm");
  write_image(folder / "a.img", {1, 2});
  const auto tables = open_store(folder / "index");
  const auto report = scan(*tables, folder / "a.img");
  REQUIRE(tables->remove_disk(report.disk.id));
  CHECK(tables->lost_paths()->empty());
}

TEST_CASE("two processes scan and set aside at once", "[index]") {
  expect_warnings();
  const temp_folder folder("/dev/shm");
  const std::string index = folder / "index";
  const auto contents = ascending(1, 2 * content_blocks);
  const std::vector<std::uint64_t> half(contents.begin(),
                                        contents.begin() + content_blocks);
  write_image(folder / "0.img", half);
  write_image(folder / "1.img",
              {contents.begin() + content_blocks, contents.end()});
  std::filesystem::create_directory(index);
  write_file(index + "/data.mdb", std::string(100'000, 'x'));
  std::array<pid_t, 2> children{};
  for (std::size_t i = 0; i < children.size(); ++i) {
    children[i] = ::fork();
    if (children[i] == 0) {
      store_options options;
      options.writable = true;
      auto tables = store::open(index, options);
      const std::string image = folder / (std::to_string(i) + ".img");
      ::_exit(tables && scan_disk(**tables, image, small_batches()) ? 0 : 1);
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(set_aside_folders(index) == 1);
  const auto tables = open_store(index);
  CHECK(tables->count()->disks == 2);
  CHECK(tables->count()->damaged_values == 0);
  hash_index lookup(tables);
  CHECK(proven(lookup, digests_of(contents)) == contents.size());
}

TEST_CASE("a disk replaced, cut or grown under a scan does no harm",
          "[index]") {
  expect_warnings();
  const temp_folder folder;
  const std::string image = folder / "a.img";
  const auto contents = ascending(1, content_blocks);
  write_image(image, contents);
  const auto tables = open_store(folder / "index");
  const scan_report first = scan(*tables, image);
  hash_index lookup(tables);
  SECTION("another disk of the same size and path") {
    const auto other = ascending(100'000, content_blocks);
    write_image(folder / "new", other);
    std::filesystem::rename(folder / "new", image);
    CHECK(proven(lookup, digests_of(contents)) == 0);
    const scan_report second = scan(*tables, image);
    CHECK(second.disk.id == first.disk.id);
    CHECK(second.disk.identity != first.disk.identity);
    CHECK(proven(lookup, digests_of(other)) == other.size());
    CHECK(tables->count()->pairs == other.size());
  }
  SECTION("changes while it is read") {
    const std::uintmax_t size =
        GENERATE(std::uintmax_t{33} << 20U, std::uintmax_t{500} << 20U);
    scan_options options = small_batches();
    options.progress = [&](const scan_progress&) {
      std::filesystem::resize_file(image, size);
    };
    write_block(image, 5, 123'456);
    (void)scan_disk(*tables, image, options);
    CHECK(proven(lookup, digests_of(contents)) <= contents.size());
    CHECK(scan(*tables, image).disk.size == size);
    const std::size_t left =
        std::min<std::size_t>(size / block_bytes, content_blocks);
    CHECK(proven(lookup, digests_of(contents)) == left - 1);
  }
}

TEST_CASE("pages of a removed disk are used again", "[index]") {
  const temp_folder folder("/dev/shm");
  const auto tables = open_store(folder / "index");
  std::uint64_t after_first = 0;
  for (std::uint64_t round = 0; round < 8; ++round) {
    const std::string image = folder / (std::to_string(round) + ".img");
    write_image(image, ascending(1 + round * 100'000, content_blocks));
    const scan_report report = scan(*tables, image);
    if (round == 1) {
      after_first = tables->count()->file_bytes;
    }
    const std::uint64_t used = tables->count()->free_bytes;
    REQUIRE(tables->remove_disk(report.disk.id));
    CHECK(tables->count()->free_bytes > used + content_blocks * 8);
    std::filesystem::remove(image);
  }
  CHECK(tables->count()->file_bytes <= after_first * 5 / 4);
}

}  // namespace teleport::index
