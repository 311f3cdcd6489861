// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/host_metrics_test.cpp: what Prometheus is told of a host.

#include "tools/teleportctl/host_metrics.hpp"

#include <string>

#include "test/support/catch.hpp"
#include "tools/teleportctl/metrics_text.hpp"

namespace teleport {

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

ended_job moved(std::int64_t ended, double downtime) {
  ended_job over;
  over.one.role = job_role::source;
  over.one.begun = ended - 60;
  over.one.ended = ended;
  over.outcome = "moved";
  over.one.report = {{"total_seconds", 60},
                     {"downtime_seconds", downtime},
                     {"disk_bytes", 10'000'000'000},
                     {"link", {{"sent", 123'456'789}}}};
  return over;
}

}  // namespace

TEST_CASE("a metric has its help, its type, and labels of any text",
          "[metrics]") {
  metrics_text out;
  out.begin("xl_teleport_things", "Things.");
  out.add({{"a", "x\"y\\z\nw"}, {"b", ""}}, 1764331200);
  out.add({}, 0.25);
  CHECK(out.text() ==
        "# HELP xl_teleport_things Things.\n"
        "# TYPE xl_teleport_things gauge\n"
        "xl_teleport_things{a=\"x\\\"y\\\\z\\nw\",b=\"\"} 1764331200\n"
        "xl_teleport_things 0.25\n");
}

TEST_CASE("of a host that does nothing every part is told as 0", "[metrics]") {
  const std::string text = metrics_of({});
  CHECK(has_line(text, R"(xl_teleport_jobs{kind="teleport",role="source"} 0)"));
  CHECK(has_line(text, R"(xl_teleport_jobs{kind="scan",role="here"} 0)"));
  CHECK(has_line(text, "xl_teleport_unsettled_teleports 0"));
  CHECK(has_line(text, "xl_teleport_kept_bytes 0"));
  CHECK(text.find("last_move") == std::string::npos);
}

TEST_CASE("the newest teleport from here is told with its downtime",
          "[metrics]") {
  host_numbers now;
  ended_job cut;
  cut.one.role = job_role::source;
  cut.one.begun = 2000;
  cut.outcome = "cut_short";
  now.ended = std::vector{cut, moved(1900, 0.75), moved(1500, 9)};
  const std::string text = metrics_of(now);
  const std::string of_source = R"({kind="teleport",role="source",outcome=)";
  CHECK(has_line(text, "xl_teleport_ended_jobs" + of_source + "\"moved\"} 2"));
  CHECK(has_line(text,
                 "xl_teleport_last_end_timestamp_seconds" + of_source +
                     "\"moved\"} 1900"));
  CHECK(has_line(text,
                 "xl_teleport_last_end_timestamp_seconds" + of_source +
                     "\"cut_short\"} 2000"));
  CHECK(has_line(text, "xl_teleport_last_move_downtime_seconds 0.75"));
  CHECK(has_line(text, "xl_teleport_last_move_sent_bytes 123456789"));
}

TEST_CASE("a part that cannot be read hides no other", "[metrics]") {
  host_numbers now;
  now.journal = error(errc::corrupt, "damaged");
  now.index = nlohmann::json{{"states", {{"fresh", 3}}},
                             {"followed", 2},
                             {"behind_bytes", 4096},
                             {"oldest_scan", 1764331200},
                             {"file_bytes", 1048576},
                             {"damaged_values", 0}};
  const std::string text = metrics_of(now);
  CHECK(text.find("unsettled") == std::string::npos);
  CHECK(has_line(text, R"(xl_teleport_readable{part="journal"} 0)"));
  CHECK(has_line(text, R"(xl_teleport_readable{part="index"} 1)"));
  CHECK(has_line(text, R"(xl_teleport_index_disks{state="fresh"} 3)"));
  CHECK(has_line(text, "xl_teleport_index_behind_bytes 4096"));
}

}  // namespace teleport
