// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/report_test.cpp: what a report says of the source's own disks.

#include "xl-teleport/source/report.hpp"

#include <nlohmann/json.hpp>

#include "libteleport/base/units.hpp"
#include "test/support/approx.hpp"
#include "test/support/catch.hpp"

using namespace teleport;

TEST_CASE("the report says what was read at the source and what was known",
          "[report]") {
  move_report report;
  report.outcome = "moved";
  report.disk_bytes = 8_MiB;
  report.source = {6_MiB, 2_MiB, 1_MiB};
  const auto json = to_json(report);
  CHECK(json["source_known_bytes"] == 6_MiB);
  CHECK(json["source_read_bytes"] == 2_MiB);
  CHECK(json["source_read_in_rounds_bytes"] == 1_MiB);
  const auto text = to_text(report);
  const auto has = [&](const char* line) {
    return text.find(line) != std::string::npos;
  };
  CHECK(has("  known without reading      6.0 MiB (75.0 %)\n"));
  CHECK(has("  read here                  2.0 MiB (25.0 %)\n"));
}

TEST_CASE("the report says what the downtime was made of", "[report]") {
  using std::chrono::milliseconds;
  const downtime_log::time_point began{};
  move_report report;
  report.outcome = "moved";
  CHECK(to_json(report)["downtime_seconds"].is_null());
  CHECK(to_json(report)["downtime_steps"].empty());
  CHECK(to_text(report).find("downtime") == std::string::npos);

  report.downtime.note(downtime_step::suspended, began);
  report.downtime.note(downtime_step::marks_taken, began + milliseconds(3));
  report.downtime.note(downtime_step::running, began + milliseconds(250));
  const auto json = to_json(report);
  CHECK(json["downtime_seconds"] == Approx(0.25));
  REQUIRE(json["downtime_steps"].size() == 3);
  CHECK(json["downtime_steps"][1]["step"] == "marks_taken");
  CHECK(json["downtime_steps"][1]["seconds"] == Approx(0.003));
  const auto text = to_text(report);
  CHECK(text.find("  downtime                    0.25 s, by steps:\n"
                  "    suspended                0.000 s\n"
                  "    marks taken              0.003 s\n"
                  "    running                  0.250 s\n") !=
        std::string::npos);
}
