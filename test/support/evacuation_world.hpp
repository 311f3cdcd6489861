// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/evacuation_world.hpp: two hosts that are folders and guests that
// are files, with a program in xl-teleport's place that moves a file from one
// folder to the other: for whole evacuations.

#ifndef TEST_SUPPORT_EVACUATION_WORLD_HPP
#define TEST_SUPPORT_EVACUATION_WORLD_HPP

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "tools/evacuate/evacuation_run.hpp"

namespace teleport::evacuation {

namespace fs = std::filesystem;
using nlohmann::json;

/// Plays xl-teleport. A guest is a file in the folder of its host; `fail/NAME`
/// holds the exit code of its next try, `at_start/NAME` a command for that, and
/// `at_plan/NAME` one for its preflight. While there is a file `blind`, nobody
/// can list the guests.
inline constexpr const char* actor = R"(#!/bin/sh
world=$(dirname "$0")
here=host1 words=$*
case $0 in */there/xl-teleport) here=host2 world=$world/.. ;; esac
dry=
while [ "$1" != -- ]; do [ "$1" = --dry-run ] && dry=1; shift; done
name=$2 host=$3
[ "$dry" ] || echo "$name $host" >> "$world/log"
uuid=$(cat "$world/$here/$name")
report() { echo "{\"uuid\":\"$uuid\",\"sentence\":\"$1\",\"problems\":[$2],\"room\":{\"free_memory_kib\":9000000,\"needed_memory_kib\":1000,\"free_store_bytes\":9000000,\"needed_store_bytes\":1000}}"; }
if [ "$dry" ]; then
  if [ -e "$world/at_plan/$name" ]; then . "$world/at_plan/$name"; fi
  if [ -e "$world/problem/$name" ]; then
    report no "{\"code\":\"pv_live\",\"sentence\":\"it is PV\"}"
    exit 3
  fi
  report '' ''
  exit 0
fi
echo '{"progress":{"phase":"bulk","done":1,"total":2}}'
trap 'report cancelled; exit 1' TERM
if [ -e "$world/at_start/$name" ]; then . "$world/at_start/$name"; fi
if [ -e "$world/fail/$name" ]; then
  code=$(cat "$world/fail/$name")
  rm "$world/fail/$name"
  report 'the link is lost' ''
  exit "$code"
fi
mv "$world/$here/$name" "$world/$host/$name"
report '' ''
)";

class world {
 public:
  world() {
    for (const char* name : {"host1",
                             "host2",
                             "there",
                             "fail",
                             "problem",
                             "at_start",
                             "at_plan"}) {
      fs::create_directory(folder_ / name);
    }
    write("xl-teleport", actor);
    // The other host's: reached by a shell that is none.
    write("shell",
          "#!/bin/sh\nshift\n"
          "PATH=$(dirname \"$0\")/there:$PATH exec sh -c \"$*\"\n");
    fs::create_symlink("../xl-teleport", folder_ / "there/xl-teleport");
    for (const char* program : {"xl-teleport", "shell"}) {
      fs::permissions(folder_ / program, fs::perms::owner_all);
    }
    options_.hosts = {"host2"};
    options_.quiet = true;
    options_.json = false;
    options_.retry_pause = std::chrono::seconds(0);
    options_.home = "host1";
    options_.remote_shell = {folder_ / "shell"};
  }

  void add_guest(const std::string& name, const std::string& host = "host1") {
    write(host + "/" + name,
          "00000000-0000-0000-0000-00000000000" + std::to_string(count_++));
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] bool is_at(const std::string& host, const std::string& name) {
    return fs::exists(folder_ / (host + "/" + name));
  }

  [[nodiscard]] result<std::vector<guest_seen>> guests() {
    if (fs::exists(folder_ / "blind")) {
      return error{errc::system, "list of guests: no answer"};
    }
    std::vector<guest_seen> found;
    for (const auto& file : fs::directory_iterator(folder_ / "host1")) {
      guest_seen one;
      one.domid = 1;
      one.name = file.path().filename();
      one.state = guest_state::running;
      std::ifstream(file.path()) >> one.uuid;
      one.memory_kib = 1000;
      found.push_back(one);
    }
    std::ranges::sort(found, [](const guest_seen& a, const guest_seen& b) {
      return a.name < b.name;
    });
    return found;
  }

  exit_code evacuate(const past_run& past = {}) {
    auto kept = record::open(folder_ / "state");
    REQUIRE(kept);
    REQUIRE(kept->begin(true));
    event_loop loop(1);
    machine here;
    here.xl_teleport = folder_ / "xl-teleport";
    here.guests = [this] { return guests(); };
    here.since_midnight = clock_;
    here.departure_of = [this](const std::string&) {
      return waits_ ? open_departure::waits_for_answer : open_departure::none;
    };
    exit_code code = exit_code::usage;
    evacuation_run run(loop, options_, here, &*kept, [&](exit_code outcome) {
      code = outcome;
      loop.stop();
    });
    if (before_) {
      before_(loop, run);
    }
    loop.post([&] { run.start(past); });
    loop.run();
    loop.join();
    return code;
  }

  /// The record's events of this name.
  [[nodiscard]] std::vector<json> events(const std::string& name) {
    std::ifstream file(folder_ / "state/record.jsonl");
    std::vector<json> found;
    for (std::string line; std::getline(file, line);) {
      auto event = json::parse(line);
      if (event["event"] == name) {
        found.push_back(event);
      }
    }
    return found;
  }
  /// What became of a guest, by the last event.
  [[nodiscard]] std::string fate_of(const std::string& name) {
    const auto over = events("over");
    REQUIRE(over.size() == 1);
    for (const json& guest : over[0]["guests"]) {
      if (guest["guest"] == name) {
        return guest["fate"];
      }
    }
    return "absent";
  }
  /// The teleports that were begun: lines "GUEST HOST".
  [[nodiscard]] std::string log() {
    std::stringstream text;
    text << std::ifstream(folder_ / "log").rdbuf();
    return text.str();
  }

  temp_folder folder_;
  run_options options_;
  std::function<std::chrono::seconds()> clock_ = [] {
    return std::chrono::hours(3);
  };
  bool waits_ = false;
  std::function<void(event_loop&, evacuation_run&)> before_;

 private:
  int count_ = 0;
};

}  // namespace teleport::evacuation

#endif  // TEST_SUPPORT_EVACUATION_WORLD_HPP
