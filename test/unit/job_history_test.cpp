// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/job_history_test.cpp: what of jobs that are over is kept, and what
// is seen of those that run; no file of them holds up a job.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/job_files.hpp"
#include "xl-teleport/setup/running_job.hpp"
#include "xl-teleport/setup/scan_job.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;
using places = std::vector<std::size_t>;

constexpr std::int64_t day = 86400;
constexpr std::int64_t now = 1'790'000'000;

struct host {
  temp_folder folder;
  settings options;

  host() {
    options.state_path = folder / "state";
    options.run_path = folder / "run";
  }
};

job seed_of(const std::string& guest) {
  job about;
  about.kind = job_kind::seed;
  about.role = job_role::source;
  about.guest = guest;
  about.host = "host2";
  return about;
}

std::size_t files_below(const std::string& path) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

places sorted(places of) {
  std::ranges::sort(of);
  return of;
}

}  // namespace

TEST_CASE("jobs that are older than the limit go", "[jobs]") {
  const std::vector<historic> all = {{now - 91 * day, "host2"},
                                     {now - 89 * day, "host2"},
                                     {now - 91 * day, "host2", true},
                                     {now + day, "host2"}};
  CHECK(out_of_history(all, {std::chrono::days(90), 100}, now) == places{0});
  CHECK(out_of_history({}, {std::chrono::days(90), 0}, now).empty());
}

TEST_CASE("where there are too many, the oldest of the busiest host go",
          "[jobs]") {
  const std::vector<historic> all = {{now - 9 * day, "quiet"},
                                     {now - 1, "loud"},
                                     {now - 4, "loud"},
                                     {now - 3, "loud"},
                                     {now - 2, "loud"}};
  CHECK(out_of_history(all, {std::chrono::days(90), 5}, now).empty());
  CHECK(sorted(out_of_history(all, {std::chrono::days(90), 3}, now)) ==
        places{2, 3});
  CHECK(out_of_history(all, {std::chrono::days(90), 0}, now).size() == 5);
}

TEST_CASE("a job is seen while it runs, and in the history afterwards",
          "[jobs]") {
  const host here;
  running_job told(here.options);
  told.note({"before its begin"});
  told.end({"nothing"});
  CHECK(running_jobs(here.options).value().empty());
  told.begin(seed_of("web1"));
  told.note({"disks  10 %", true, {{"done", 1}}});
  const auto running = running_jobs(here.options);
  REQUIRE(running);
  REQUIRE(running->size() == 1);
  CHECK(running->front().line == "disks  10 %");
  CHECK(running->front().progress == nlohmann::json{{"done", 1}});
  CHECK(running->front().process == own_life());
  REQUIRE(job_history(here.options).value().size() == 1);
  CHECK(job_history(here.options).value().front().ended == 0);
  CHECK(known_jobs(here.options).value().size() == 1);

  told.end({"seeded", "", "lines\n", {{"seconds", 7}}});
  CHECK(running_jobs(here.options).value().empty());
  const auto history = job_history(here.options);
  REQUIRE(history);
  REQUIRE(history->size() == 1);
  CHECK(history->front().outcome == "seeded");
  CHECK(history->front().ended >= history->front().begun);
  CHECK(history->front().report == nlohmann::json{{"seconds", 7}});
}

TEST_CASE("root alone may read what is told of jobs", "[jobs]") {
  const host here;
  running_job told(here.options);
  told.begin(seed_of("web1"));
  for (const std::string& folder :
       {running_jobs_path(here.options), history_path(here.options)}) {
    struct stat about {};
    REQUIRE(::stat(folder.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777U) == 0700);
    for (const auto& file : fs::directory_iterator(folder)) {
      REQUIRE(::stat(file.path().c_str(), &about) == 0);
      CHECK((about.st_mode & 0777U) == 0600);
    }
    CHECK(files_below(folder) == 1);
  }
  told.end({"seeded"});
}

TEST_CASE("an id that a peer has chosen before is not used twice", "[jobs]") {
  const host here;
  job about = seed_of("web1");
  about.role = job_role::destination;
  about.id = std::string(32, 'a');
  for (int i = 0; i < 3; ++i) {
    running_job told(here.options);
    told.begin(about);
    told.end({"failed"});
  }
  const auto history = job_history(here.options);
  REQUIRE(history);
  REQUIRE(history->size() == 3);
  CHECK(std::ranges::count(*history, about.id, &job::id) == 1);
}

TEST_CASE("a file that outlives its process is no job that runs", "[jobs]") {
  const host here;
  job dead = seed_of("web1");
  dead.id = std::string(32, 'd');
  dead.begun = std::time(nullptr);
  dead.process = own_life();
  ++dead.process.start;
  REQUIRE(write_running(here.options, dead));
  REQUIRE(write_history(here.options, dead));
  CHECK(running_jobs(here.options).value().empty());
  const auto known = known_jobs(here.options);
  REQUIRE(known);
  REQUIRE(known->size() == 1);
  CHECK(state_of(known->front(), is_alive(known->front().process)) ==
        job_state::cut_short);
  prune_jobs(here.options);
  CHECK(files_below(running_jobs_path(here.options)) == 0);
  CHECK(job_history(here.options).value().size() == 1);
}

TEST_CASE("the history is pruned when a job ends", "[jobs]") {
  host here;
  here.options.history.entries = 2;
  for (const char* const guest : {"a", "b", "c", "d"}) {
    running_job told(here.options);
    job about = seed_of(guest);
    told.begin(about);
    told.end({"seeded"});
  }
  CHECK(job_history(here.options).value().size() == 2);
  here.options.history.entries = 0;
  prune_jobs(here.options);
  CHECK(job_history(here.options).value().empty());
}

TEST_CASE("a job goes on where nothing can be told of it", "[jobs]") {
  host here;
  std::ofstream(here.folder / "file") << "no folder";
  here.options.state_path = here.folder / "file";
  here.options.run_path = here.folder / "file";
  running_job told(here.options);
  told.begin(seed_of("web1"));
  told.note({"disks"});
  told.end({"seeded"});
  CHECK_FALSE(told.has_begun());
}

TEST_CASE("a damaged file hides no other job", "[jobs]") {
  const host here;
  running_job told(here.options);
  told.begin(seed_of("web1"));
  std::ofstream(running_jobs_path(here.options) + "/damaged.json") << "{";
  std::ofstream(history_path(here.options) + "/damaged.json") << "{";
  CHECK(running_jobs(here.options).value().size() == 1);
  CHECK(job_history(here.options).value().size() == 1);
  told.end({"seeded"});
}

TEST_CASE("of jobs of one second the one that began first goes first",
          "[jobs]") {
  const std::vector<historic> all = {{1000, "host2", false, 7},
                                     {1000, "host2", false, 5},
                                     {1000, "host2", false, 9}};
  CHECK(out_of_history(all, {std::chrono::days(1), 2}, 1000) ==
        std::vector<std::size_t>{1});
}

TEST_CASE("a scan is told as a job", "[jobs]") {
  const host here;
  scan_job told(here.options, "/dev/vg0/web1", /*by_teleportd=*/true);
  told.note({25, 100, 7, false, "3 min"});
  const auto running = running_jobs(here.options);
  REQUIRE(running);
  REQUIRE(running->size() == 1);
  CHECK(running->front().line == "25.0 % of 100 B  3 min left");
  CHECK(running->front().by_teleportd);
  // Within a second nothing is written; a pause is, at once.
  told.note({26, 100, 7.5, false, "3 min"});
  CHECK(running_jobs(here.options).value().front().line ==
        "25.0 % of 100 B  3 min left");
  told.note({26, 100, 7.5, true, "3 min"});
  CHECK(running_jobs(here.options).value().front().line ==
        "26.0 % of 100 B  paused");
  told.end(error(errc::cancelled, "cancelled"), 0, 8);
  CHECK(job_history(here.options).value().front().outcome == "cancelled");
}

}  // namespace teleport
