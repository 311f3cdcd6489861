// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/job_test.cpp: what is told of a job, who is meant by an id, and
// what can be cancelled.

#include "xl-teleport/setup/job.hpp"

#include <csignal>
#include <string>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "tools/teleportctl/cancel_job.hpp"
#include "tools/teleportctl/jobs_text.hpp"

namespace teleport {

namespace {

std::string id_of(const std::string& beginning) {
  return beginning + std::string(32 - beginning.size(), '0');
}

job teleport_of(const std::string& guest, job_role role = job_role::source) {
  job one;
  one.id = id_of("5f0c2d11");
  one.kind = job_kind::teleport;
  one.role = role;
  one.guest = guest;
  one.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  one.host = "host2";
  one.process = {812, 4711, "boot"};
  one.begun = 1'790'000'000;
  one.line = "disks  45 %";
  return one;
}

bool refuses_with(const job& one, const std::string& words) {
  const auto signal = cancel_signal(one);
  return !signal && signal.error().code == errc::refused &&
         signal.error().context.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a job is read as it was written", "[jobs]") {
  job one = teleport_of("web1");
  one.attempts = {id_of("aa"), id_of("bb")};
  one.revocable = false;
  one.progress = {{"done", 7}};
  one.ended = one.begun + 9;
  one.outcome = "moved";
  one.sentence = "why";
  one.summary = "one\ntwo\n";
  one.report = {{"guest", "web1"}};
  const auto read = read_job(to_text(one));
  REQUIRE(read);
  CHECK(to_text(*read) == to_text(one));
  CHECK(read->process == one.process);
  CHECK(read->attempts == one.attempts);
  CHECK(read->summary == one.summary);
  CHECK_FALSE(read->revocable);
  CHECK(file_of(*read) == id_of("5f0c2d11") + ".source.json");
}

TEST_CASE("what does something to a terminal is not in a job", "[jobs]") {
  job one = teleport_of("web\x1b[2J1");
  one.host = "ho\xc2\x9bst";
  one.line = "a\nb";
  one.sentence =
      "\u202e"
      "ecnetnes";
  one.summary = "first\x07\nsecond\n";
  const auto read = read_job(to_text(one));
  REQUIRE(read);
  CHECK(read->guest == "web [2J1");
  CHECK(read->line == "a b");
  CHECK(read->summary == "first \nsecond\n");
  for (const std::string& text : {read->host, read->sentence}) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\u202e") == std::string::npos);
    CHECK(text.find("\xc2\x9b") == std::string::npos);
  }
}

TEST_CASE("a damaged file is no job", "[jobs]") {
  const std::string whole = to_text(teleport_of("web1"));
  for (const auto& [what, by] : {std::pair("\"teleport\"", "\"walk\""),
                                 std::pair("\"source\"", "7"),
                                 std::pair("\"pid\"", "\"dip\""),
                                 std::pair("5f0c2d11", "../../11"),
                                 std::pair("\"begun\":1", "\"begun\":-1")}) {
    std::string text = whole;
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::string(what).size(), by);
    const auto read = read_job(text);
    CHECK_FALSE(read);
  }
  CHECK_FALSE(read_job(""));
  CHECK_FALSE(read_job(whole.substr(0, whole.size() / 2)));
}

TEST_CASE("a job whose process is gone without a word was cut short",
          "[jobs]") {
  job one = teleport_of("web1");
  CHECK(state_of(one, true) == job_state::under_way);
  CHECK(state_of(one, false) == job_state::cut_short);
  one.ended = one.begun + 1;
  CHECK(state_of(one, false) == job_state::ended);
  CHECK(state_of(one, true) == job_state::ended);
}

TEST_CASE("an id's beginning names one job, or both ends of it", "[jobs]") {
  job other = teleport_of("db");
  other.id = id_of("5f0c99");
  other.attempts = {id_of("abcd")};
  const std::vector<job> all = {
      teleport_of("web1"), other, teleport_of("web1", job_role::destination)};
  using places = std::vector<std::size_t>;
  CHECK(find_jobs(all, "5f0c2").value() == places{0, 2});
  CHECK(find_jobs(all, "5f0c99").value() == places{1});
  CHECK(find_jobs(all, id_of("abcd")).value() == places{1});
  CHECK(find_jobs(all, "5f0c").error().code == errc::busy);
  CHECK(find_jobs(all, "7777").error().code == errc::not_found);
  for (const char* const none : {"",
                                 "5f0",
                                 "5F0C2D",
                                 "web1",
                                 "../5f0c",
                                 "5f0c2d1100000000000000000000000000"}) {
    CHECK(find_jobs(all, none).error().code == errc::bad_input);
  }
}

TEST_CASE("what Ctrl-C cannot take back is not cancelled from elsewhere",
          "[jobs]") {
  job one = teleport_of("web1");
  CHECK(cancel_signal(one).value() == SIGINT);
  one.revocable = false;
  CHECK(refuses_with(one, "web1 was given to host2"));
  one.role = job_role::destination;
  CHECK(refuses_with(one, "web1 was given to this host"));
  one.revocable = true;
  CHECK(cancel_signal(one).value() == SIGINT);
  one.ended = one.begun + 1;
  one.outcome = "moved";
  CHECK(refuses_with(one, "it is over: moved"));
}

TEST_CASE("a scan that teleportd would begin again is paused, not cancelled",
          "[jobs]") {
  job one;
  one.kind = job_kind::scan;
  one.disk = "/dev/vg0/web1";
  CHECK(cancel_signal(one).value() == SIGINT);
  one.by_teleportd = true;
  CHECK(refuses_with(one, "'teleportctl index pause'"));
}

TEST_CASE("the end of a cancelled job is told as it was", "[jobs]") {
  const job before = teleport_of("web1");
  job after = before;
  after.ended = after.begun + 5;
  after.outcome = "cancelled";
  CHECK(outcome_of_cancel(before, after, true).cancelled);
  CHECK(outcome_of_cancel(before, after, true).sentence ==
        "cancelled; web1 goes on here");
  after.role = job_role::destination;
  CHECK(outcome_of_cancel(before, after, true).sentence ==
        "cancelled; web1 goes on on host2");
  after.outcome = "moved";
  const auto late = outcome_of_cancel(before, after, true);
  CHECK_FALSE(late.cancelled);
  CHECK(late.sentence == "it had come to its end before: moved");
  CHECK_FALSE(outcome_of_cancel(before, before, false).cancelled);
  CHECK(outcome_of_cancel(before, std::nullopt, true).cancelled);
}

TEST_CASE("a job is told in a line", "[jobs]") {
  job one = teleport_of("web1");
  CHECK(line_of_job(one) == "5f0c2d11  teleport of web1 to host2: disks  45 %");
  one.role = job_role::destination;
  one.revocable = false;
  CHECK(line_of_job(one) ==
        "5f0c2d11  teleport of web1 from host2: disks  45 %  (past GO)");
  CHECK(line_of_history(one, job_state::cut_short)
            .ends_with("teleport of web1 from host2: cut short"));
  one.outcome = "failed";
  one.sentence = "the link was lost";
  CHECK(line_of_history(one, job_state::ended)
            .ends_with("from host2: failed, the link was lost"));
  CHECK(is_of_guest(one, ""));
  CHECK(is_of_guest(one, "web1"));
  CHECK(is_of_guest(one, one.uuid));
  CHECK_FALSE(is_of_guest(one, "web"));
}

}  // namespace teleport
