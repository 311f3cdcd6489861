// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/host_metrics.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "tools/teleportctl/metrics_text.hpp"

namespace teleport {

namespace {

/// What a host can have a part in: told also while nothing of it runs, so that
/// no line of a graph ends.
constexpr std::array parts = {
    std::pair(job_kind::teleport, job_role::source),
    std::pair(job_kind::teleport, job_role::destination),
    std::pair(job_kind::seed, job_role::source),
    std::pair(job_kind::seed, job_role::destination),
    std::pair(job_kind::scan, job_role::here),
    std::pair(job_kind::evacuation, job_role::here),
};

metric_labels labels_of(job_kind kind, job_role role) {
  return {{"kind", std::string(name_of(kind))},
          {"role", std::string(name_of(role))}};
}

void add_running(metrics_text& out, const std::vector<job>& running) {
  out.begin("xl_teleport_jobs", "Jobs that run on this host now.");
  for (const auto& part : parts) {
    const auto count = std::ranges::count_if(running, [&part](const job& one) {
      return one.kind == part.first && one.role == part.second;
    });
    out.add(labels_of(part.first, part.second), static_cast<double>(count));
  }
}

struct ends {
  std::size_t count = 0;
  std::int64_t last = 0;  ///< seconds since 1970
};

void add_ended(metrics_text& out, const std::vector<ended_job>& ended) {
  std::map<std::tuple<job_kind, job_role, std::string>, ends> by_outcome;
  for (const ended_job& over : ended) {
    ends& of = by_outcome[{over.one.kind, over.one.role, over.outcome}];
    ++of.count;
    of.last = std::max({of.last, over.one.ended, over.one.begun});
  }
  const auto add = [&](const auto& value_of) {
    for (const auto& [key, of] : by_outcome) {
      metric_labels labels = labels_of(std::get<0>(key), std::get<1>(key));
      labels.emplace_back("outcome", std::get<2>(key));
      out.add(labels, static_cast<double>(value_of(of)));
    }
  };
  out.begin("xl_teleport_ended_jobs",
            "Jobs in this host's history, by their end.");
  add([](const ends& of) { return of.count; });
  out.begin("xl_teleport_last_end_timestamp_seconds",
            "When the last of them ended; of one that was cut short when it "
            "began.");
  add([](const ends& of) { return of.last; });
}

/// Of the newest guest that was moved from here.
void add_last_move(metrics_text& out, const std::vector<ended_job>& ended) {
  const auto last = std::ranges::find_if(ended, [](const ended_job& over) {
    return over.one.kind == job_kind::teleport &&
           over.one.role == job_role::source && over.outcome == "moved";
  });
  if (last == ended.end()) {
    return;
  }
  const nlohmann::json& report = last->one.report;
  const auto add = [&](const char* name,
                       const char* help,
                       const nlohmann::json::json_pointer& place) {
    if (report.contains(place) && report.at(place).is_number()) {
      out.add_alone(name, help, report.at(place).get<double>());
    }
  };
  using at = nlohmann::json::json_pointer;
  add("xl_teleport_last_move_seconds",
      "How long the last teleport from this host took.",
      at("/total_seconds"));
  add("xl_teleport_last_move_downtime_seconds",
      "Its downtime.",
      at("/downtime_seconds"));
  add("xl_teleport_last_move_disk_bytes",
      "What the disks of its guest have.",
      at("/disk_bytes"));
  add("xl_teleport_last_move_sent_bytes",
      "What crossed the link of it.",
      at("/link/sent"));
}

void add_journal(metrics_text& out, const journal_numbers& journal) {
  out.add_alone("xl_teleport_unsettled_teleports",
                "Teleports that have not come to their end: see "
                "'teleportctl teleports'.",
                static_cast<double>(journal.unsettled));
  out.add_alone("xl_teleport_damaged_journal_entries",
                "Entries of the journal that cannot be read.",
                static_cast<double>(journal.damaged));
}

void add_kept(metrics_text& out, const kept_numbers& kept) {
  out.add_alone("xl_teleport_kept_disks",
                "Disks of guests that run elsewhere or are to come: see "
                "'teleportctl shadow list'.",
                static_cast<double>(kept.disks));
  out.add_alone("xl_teleport_kept_bytes",
                "What they hold of their pools.",
                static_cast<double>(kept.bytes));
}

void add_index(metrics_text& out, const nlohmann::json& index) {
  const auto add = [&](const char* name, const char* help, const char* key) {
    out.add_alone(name, help, index.at(key).get<double>());
  };
  out.begin("xl_teleport_index_disks", "Indexed disks, by how fresh they are.");
  for (const auto& [state, count] : index.at("states").items()) {
    out.add({{"state", state}}, count.get<double>());
  }
  add("xl_teleport_index_followed_disks",
      "Disks whose writes are followed.",
      "followed");
  add("xl_teleport_index_behind_bytes",
      "What was written to them since the index read them.",
      "behind_bytes");
  add("xl_teleport_index_oldest_scan_timestamp_seconds",
      "When the disk was scanned that was scanned first; 0: one never was.",
      "oldest_scan");
  add("xl_teleport_index_file_bytes", "Size of the index.", "file_bytes");
  add("xl_teleport_index_damaged_values",
      "Values of the index that are damaged: see 'teleportctl index check'.",
      "damaged_values");
}

}  // namespace

std::string metrics_of(const host_numbers& now) {
  metrics_text out;
  if (now.running) {
    add_running(out, *now.running);
  }
  if (now.ended) {
    add_ended(out, *now.ended);
    add_last_move(out, *now.ended);
  }
  if (now.journal) {
    add_journal(out, *now.journal);
  }
  if (now.kept) {
    add_kept(out, *now.kept);
  }
  if (now.index && !now.index->is_null()) {
    add_index(out, *now.index);
  }
  out.begin("xl_teleport_readable", "Whether each part could be read: 1 or 0.");
  const auto tell = [&](const char* part, bool well) {
    out.add({{"part", part}}, well ? 1 : 0);
  };
  tell("jobs", now.running.has_value());
  tell("history", now.ended.has_value());
  tell("journal", now.journal.has_value());
  tell("shadows", now.kept.has_value());
  tell("index", now.index.has_value());
  return out.text();
}

}  // namespace teleport
