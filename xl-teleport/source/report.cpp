// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/report.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> phase_names = {
    "connect", "prepare", "bulk", "rounds", "memory", "stopped", "over"};

json problems_json(const std::vector<problem>& problems) {
  json list = json::array();
  for (const problem& found : problems) {
    list.push_back({{"code", found.code}, {"sentence", found.sentence}});
  }
  return list;
}

json room_json(const std::optional<host_room>& room) {
  if (!room) {
    return {};
  }
  return {{"free_memory_kib", room->free_memory_kib},
          {"needed_memory_kib", room->needed_memory_kib},
          {"free_store_bytes", room->free_store_bytes},
          {"needed_store_bytes", room->needed_store_bytes}};
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? std::string()
                    : fmt::format(" ({:.1f} %)",
                                  100.0 * static_cast<double>(part) /
                                      static_cast<double>(whole));
}

/// "marks_taken" for people: "marks taken".
std::string words(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

json steps_json(const downtime_log& downtime) {
  json steps = json::array();
  for (const downtime_entry& entry : downtime.steps()) {
    steps.push_back(
        {{"step", name_of(entry.step)}, {"seconds", entry.at.count()}});
  }
  return steps;
}

}  // namespace

std::string_view name_of(move_phase phase) noexcept {
  return phase_names[static_cast<std::size_t>(phase)];
}

json disks_json(const std::vector<offered_target>& disks) {
  json list = json::array();
  for (const offered_target& disk : disks) {
    list.push_back(
        {{"vdev", disk.vdev}, {"kind", disk.kind}, {"target", disk.target}});
  }
  return list;
}

json to_json(const rebuild_counts& counts) {
  return {{"zero", counts.zero},
          {"in_place", counts.in_place},
          {"donors", counts.donors},
          {"link", counts.link},
          {"mismatched_extents", counts.mismatches}};
}

json to_json(const move_report& report) {
  json phases = json::object();
  for (std::size_t i = 0; i < report.phase_seconds.size(); ++i) {
    phases[std::string(phase_names[i])] = report.phase_seconds[i];
  }
  return {
      {"id", report.id},
      {"guest", report.guest},
      {"destination", report.destination},
      {"outcome", report.outcome},
      {"here", report.here ? json(std::string(name_of(*report.here))) : json()},
      {"sentence", report.sentence},
      {"uuid", report.uuid},
      {"problems", problems_json(report.problems)},
      {"room", room_json(report.room)},
      {"disks", disks_json(report.disks)},
      {"disk_bytes", report.disk_bytes},
      {"bulk", to_json(report.bulk)},
      {"rounds", to_json(report.rounds)},
      {"round_count", report.round_count},
      {"source_known_bytes", report.source.known},
      {"source_read_bytes", report.source.read_in_bulk},
      {"source_read_in_rounds_bytes", report.source.read_in_rounds},
      {"memory",
       {{"stream_bytes", report.memory.bytes_in},
        {"coded_bytes", report.memory.bytes_out},
        {"pages", report.memory.pages},
        {"zero_pages", report.memory.zero_pages}}},
      {"link",
       {{"sent", report.link.sent},
        {"received", report.link.received},
        {"congestion_control", report.congestion_control},
        {"connections", report.connections},
        {"losses", report.link_losses}}},
      {"seconds", phases},
      {"total_seconds", report.total_seconds},
      {"downtime_seconds",
       report.downtime.total() ? json(report.downtime.total()->count())
                               : json()},
      {"downtime_steps", steps_json(report.downtime)},
      {"kept_here", report.kept_here},
  };
}

std::string to_text(const move_report& report) {
  if (report.outcome != "moved") {
    return fmt::format("{}: {}\n", report.guest, report.sentence);
  }
  std::string text =
      fmt::format("{} runs on {}.\n", report.guest, report.destination);
  const auto line = [&](std::string_view what, std::uint64_t bytes) {
    text += fmt::format("  {:<22}{:>12}{}\n",
                        what,
                        human_bytes(bytes),
                        share(bytes, report.disk_bytes));
  };
  line("disks", report.disk_bytes);
  line("  zero", report.bulk.zero);
  line("  in place", report.bulk.in_place);
  line("  from donors", report.bulk.donors);
  line("  gaps", report.bulk.link);
  line("known without reading", report.source.known);
  line("read here", report.source.read_in_bulk);
  text += fmt::format("  {:<22}{:>12} in {} rounds\n",
                      "written meanwhile",
                      human_bytes(report.rounds.link),
                      report.round_count);
  text += fmt::format("  {:<22}{:>12} coded to {}\n",
                      "memory",
                      human_bytes(report.memory.bytes_in),
                      human_bytes(report.memory.bytes_out));
  text += fmt::format("  {:<22}{:>12} sent, {} received{}\n",
                      "link",
                      human_bytes(report.link.sent),
                      human_bytes(report.link.received),
                      report.link_losses == 0
                          ? std::string()
                          : fmt::format(", lost {} times", report.link_losses));
  text +=
      fmt::format("  {:<22}{:>12}:", "time", clock_text(report.total_seconds));
  for (std::size_t i = 0; i < report.phase_seconds.size(); ++i) {
    text += fmt::format(" {} {:.1f}", phase_names[i], report.phase_seconds[i]);
  }
  text += '\n';
  if (const auto downtime = report.downtime.total()) {
    text += fmt::format(
        "  {:<22}{:>10.2f} s, by steps:\n", "downtime", downtime->count());
    for (const downtime_entry& entry : report.downtime.steps()) {
      text += fmt::format("    {:<20}{:>10.3f} s\n",
                          words(name_of(entry.step)),
                          entry.at.count());
    }
  }
  for (const std::string& kept : report.kept_here) {
    text += "  kept here as shadow     " + kept + '\n';
  }
  return text;
}

json to_json(const progress& now) {
  json out = {{"phase", name_of(now.phase)},
              {"done", now.done},
              {"total", now.total},
              {"sent", now.sent},
              {"rate", now.rate}};
  if (now.found) {
    out["found_share"] = *now.found;
  }
  if (now.eta_seconds) {
    out["eta_seconds"] = *now.eta_seconds;
  }
  if (now.waits_for_turn) {
    out["waits_for_turn"] = true;
  }
  for (const disk_progress& disk : now.disks) {
    out["disks"].push_back(
        {{"vdev", disk.vdev}, {"done", disk.done}, {"total", disk.total}});
  }
  return out;
}

}  // namespace teleport
