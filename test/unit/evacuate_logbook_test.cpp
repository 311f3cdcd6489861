// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/evacuate_logbook_test.cpp: what an evacuation finds of the last
// one, and the command lines of its teleports.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/stat.h>

#include "libteleport/base/process.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "tools/evacuate/command.hpp"
#include "tools/evacuate/logbook.hpp"

namespace teleport::evacuation {

namespace {

using nlohmann::json;

const std::string uuid_a = "01234567-89ab-cdef-0123-456789abcdef";
const std::string uuid_b = "11234567-89ab-cdef-0123-456789abcdef";

json about(const char* event, const std::string& uuid) {
  return {{"event", event}, {"guest", "web"}, {"uuid", uuid}, {"to", "host2"}};
}

void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

}  // namespace

TEST_CASE("nobody else reads what an evacuation has done", "[evacuate]") {
  const temp_folder folder;
  const mode_t before = ::umask(0022);
  const auto kept = record::open(folder / "state");
  ::umask(before);
  REQUIRE(kept);
  CHECK((std::filesystem::status(folder / "state").permissions() &
         std::filesystem::perms::mask) == std::filesystem::perms::owner_all);
}

TEST_CASE("an event that does not fit leaves no part of itself", "[evacuate]") {
  const temp_folder folder;
  auto kept = record::open(folder / "state");
  REQUIRE(kept);
  REQUIRE(kept->begin(true));
  REQUIRE(kept->write({{"event", "begin"}}));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{30, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto full = kept->write(about("start", uuid_a));
  (void)::setrlimit(RLIMIT_FSIZE, &before);
  (void)::signal(SIGXFSZ, ignored);
  CHECK_FALSE(full);
  REQUIRE(kept->write(about("start", uuid_b)));
  const auto past = kept->last();
  REQUIRE(past);
  REQUIRE(past->under_way.size() == 1);
  CHECK(past->under_way[0].uuid == uuid_b);
}

TEST_CASE("where there is no record there was no evacuation", "[evacuate]") {
  const temp_folder folder;
  const auto kept = record::open(folder / "state");
  REQUIRE(kept);
  const auto past = kept->last();
  REQUIRE(past);
  CHECK_FALSE(past->any);
  CHECK(past->over);
}

TEST_CASE("a record's line that is nested without end is no event",
          "[evacuate][json]") {
  const temp_folder folder;
  auto kept = record::open(folder / "state");
  REQUIRE(kept);
  REQUIRE(kept->begin(true));
  REQUIRE(kept->write(about("moved", uuid_a)));
  append(folder / "state/record.jsonl",
         R"({"event":"moved","uuid":")" + std::string(uuid_b) + R"(","a":)" +
             std::string(100, '[') + std::string(100, ']') + "}\n");
  const auto past = kept->last();
  REQUIRE(past);
  CHECK(past->moved == std::vector<trip>{{"web", uuid_a, "host2"}});
}

TEST_CASE("a run that was cut short tells what moved and what was under way",
          "[evacuate]") {
  const temp_folder folder;
  auto kept = record::open(folder / "state");
  REQUIRE(kept);
  REQUIRE(kept->begin(true));
  REQUIRE(kept->write({{"event", "begin"}, {"back", false}}));
  REQUIRE(kept->write(about("start", uuid_a)));
  auto started = about("start", uuid_b);
  started["time"] = time_text(0);
  REQUIRE(kept->write(started));
  REQUIRE(kept->write(about("moved", uuid_a)));
  append(folder / "state/record.jsonl", R"({"event":"moved","uuid":"1123)");
  auto past = kept->last();
  REQUIRE(past);
  CHECK(past->any);
  CHECK_FALSE(past->over);
  CHECK(past->moved == std::vector<trip>{{"web", uuid_a, "host2"}});
  REQUIRE(past->under_way.size() == 1);
  CHECK(past->under_way[0].uuid == uuid_b);
  CHECK(past->under_way[0].host == "host2");
  CHECK(past->under_way[0].begun == "1970-01-01T00:00:00Z");

  // It goes on behind the torn line.
  REQUIRE(kept->begin(false));
  REQUIRE(kept->write(about("failed", uuid_b)));
  REQUIRE(kept->write({{"event", "over"}}));
  past = kept->last();
  REQUIRE(past);
  CHECK(past->over);
  CHECK(past->moved.size() == 1);
  CHECK(past->under_way.empty());
}

TEST_CASE("a new run sets the old record aside", "[evacuate]") {
  const temp_folder folder;
  auto kept = record::open(folder / "state");
  REQUIRE(kept);
  REQUIRE(kept->begin(true));
  REQUIRE(kept->write({{"event", "begin"}, {"back", true}}));
  auto past = kept->last();
  REQUIRE(past);
  CHECK(past->back);
  REQUIRE(kept->begin(true));
  REQUIRE(kept->write({{"event", "begin"}, {"back", "no truth value"}}));
  past = kept->last();
  REQUIRE(past);
  CHECK_FALSE(past->back);
  unsigned aside = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(folder / "state")) {
    aside += file.path().filename().string().starts_with("record-") ? 1U : 0U;
  }
  CHECK(aside == 1);
}

TEST_CASE("runs that end within a second keep their records", "[evacuate]") {
  const temp_folder folder;
  auto kept = record::open(folder / "state");
  REQUIRE(kept);
  constexpr int runs = 4;
  for (int i = 0; i < runs; ++i) {
    REQUIRE(kept->begin(true));
    REQUIRE(kept->write({{"event", "begin"}, {"back", false}}));
  }
  const std::filesystem::directory_iterator files(folder / "state");
  CHECK(std::count_if(begin(files), end(files), [](const auto& file) {
          return file.path().filename().string().starts_with("record");
        }) == runs);
}

TEST_CASE("only so many old records are kept", "[evacuate]") {
  const temp_folder folder;
  auto kept = record::open(folder / "state");
  REQUIRE(kept);
  for (int i = 100; i < 150; ++i) {
    append(folder / ("state/record-" + std::to_string(i) + ".jsonl"), "{}\n");
  }
  REQUIRE(kept->begin(true));
  REQUIRE(kept->begin(true));
  std::vector<std::string> names;
  for (const auto& file :
       std::filesystem::directory_iterator(folder / "state")) {
    const std::string name = file.path().filename();
    if (name.starts_with("record-")) {
      names.push_back(name);
    }
  }
  std::ranges::sort(names);
  REQUIRE(names.size() == 30);
  CHECK(names.front() == "record-121.jsonl");
}

TEST_CASE("who is away is known until it is home", "[evacuate]") {
  const temp_folder folder;
  auto kept = record::open(folder / "state");
  REQUIRE(kept);
  const trip odd{"w'eb \"1\"\n", uuid_b, "host2"};
  REQUIRE(kept->note_away({"db", uuid_a, "host3"}));
  REQUIRE(kept->note_away(odd));
  REQUIRE(kept->note_away({"db", uuid_a, "host2"}));
  append(folder / ("state/away/" + uuid_a + ".new"), "half of a file");
  auto away = kept->away();
  REQUIRE(away);
  CHECK(*away == std::vector<trip>{{"db", uuid_a, "host2"}, odd});
  REQUIRE(kept->forget_away(uuid_b));
  REQUIRE(kept->forget_away(uuid_b));
  append(folder / ("state/away/" + uuid_b), "[]");
  away = kept->away();
  REQUIRE(away);
  CHECK(away->size() == 1);
  CHECK_FALSE(kept->note_away({"db", "../../etc/passwd", "host2"}));
  CHECK_FALSE(kept->forget_away(""));
}

TEST_CASE("a guest's name is an argument and never an option", "[evacuate]") {
  CHECK(teleport_arguments(purpose::move, "-x", "host2", "") ==
        std::vector<std::string>{"--json", "--", "-x", "host2"});
  CHECK(teleport_arguments(purpose::preflight, "a", "h", "/c") ==
        std::vector<std::string>{
            "--json", "--dry-run", "--config", "/c", "--", "a", "h"});
  CHECK(teleport_arguments(purpose::move, "a", "h", "", 12'500'000) ==
        std::vector<std::string>{
            "--json", "--bwlimit", "12500kB", "--", "a", "h"});
  CHECK(named_for_xl("web1", 7) == "web1");
  CHECK(named_for_xl("1234", 7) == "7");
}

TEST_CASE("teleports at once share the evacuation's rate", "[evacuate]") {
  CHECK(share_of(0, 3) == 0);
  CHECK(share_of(9'000'000, 3) == 3'000'000);
  for (const link_rate all : {link_rate{1024}, link_rate{1'000'000'000'000}}) {
    const auto words =
        teleport_arguments(purpose::move, "a", "h", "", share_of(all, 64));
    CHECK(read_rate(words.at(2)));  // xl-teleport takes it
  }
}

TEST_CASE("the port of a host is teleportd's and not ssh's", "[evacuate]") {
  CHECK(command_at({"ssh"}, "host2:9000", {"--"}).at(1) == "host2");
  CHECK(command_at({"ssh"}, "[fe80::1]:9000", {"--"}).at(1) == "fe80::1");
  CHECK(command_at({"ssh"}, "fe80::1", {"--"}).at(1) == "fe80::1");
}

TEST_CASE("hosts' names are none of a shell's or ssh's words", "[evacuate]") {
  for (const char* good : {"host2", "10.0.0.1", "[fe80::1]:8744", "h2:99"}) {
    CHECK(is_host_name(good));
  }
  for (const char* wrong : {"",
                            "-oProxyCommand=x",
                            "[-oProxyCommand=x]",
                            "[-F]:1",
                            "a b",
                            "a\n",
                            "a,b",
                            "a'b",
                            "/etc"}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_host_name(wrong));
  }
  CHECK(words_of("  ssh -p  22 ") ==
        std::vector<std::string>{"ssh", "-p", "22"});
}

TEST_CASE("what runs at another host gets its arguments as they are",
          "[evacuate]") {
  const temp_folder folder;
  append(folder / "xl-teleport",
         "#!/bin/sh\nfor word in \"$@\"; do printf '<%s>' \"$word\"; done\n"
         "exit 3\n");
  std::filesystem::permissions(folder / "xl-teleport",
                               std::filesystem::perms::owner_all);
  // A remote shell that is none: it drops the host and runs the command, with
  // an input that does not end, as its end cancels.
  append(folder / "shell",
         "#!/bin/sh\nshift\nmkfifo \"$0.input\"\nPATH=" + folder.path() +
             ":$PATH\nsh -c \"$*\" 0<>\"$0.input\"\necho \" code $?\"\n");
  std::filesystem::permissions(folder / "shell",
                               std::filesystem::perms::owner_all);
  const auto argv =
      command_at({folder / "shell"}, "host2", {"--", "it's $HOME\n`x`", "h1"});
  const auto said = run_program(argv);
  REQUIRE(said);
  CHECK(*said == "<--><it's $HOME\n`x`><h1> code 3\n");
}

}  // namespace teleport::evacuation
