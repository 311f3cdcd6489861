// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/told_job.hpp"

#include <nlohmann/json.hpp>

namespace teleport {

job told_job(job_kind kind,
             const guest_info& guest,
             const std::string& host,
             const std::string& id) {
  job about;
  about.id = id;
  about.kind = kind;
  about.role = job_role::source;
  about.guest = guest.name;
  about.uuid = guest.uuid;
  about.host = host;
  about.line = "begins";
  return about;
}

progress_view::observer told_to(job_ticker& ticker) {
  return [&ticker](const progress& now, const std::string& line) {
    ticker.note({line, now.revocable, to_json(now)});
  };
}

job_end told_end(const move_report& report, bool cancelled) {
  job_end over;
  over.outcome =
      cancelled && report.outcome == "failed" ? "cancelled" : report.outcome;
  over.sentence = report.sentence;
  over.summary = report.outcome == "moved" ? to_text(report) : "";
  over.report = to_json(report);
  return over;
}

job_end told_end(const seed_report& report, bool cancelled) {
  const bool well = report.sentence.empty();
  job_end over;
  over.outcome = well ? "seeded" : cancelled ? "cancelled" : "failed";
  over.sentence = report.sentence;
  over.summary = well ? to_text(report) : "";
  over.report = to_json(report);
  return over;
}

}  // namespace teleport
