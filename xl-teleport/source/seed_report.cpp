// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/seed_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "xl-teleport/setup/texts.hpp"
#include "xl-teleport/source/report.hpp"

namespace teleport {

nlohmann::json to_json(const seed_report& report) {
  return {
      {"guest", report.guest},
      {"destination", report.destination},
      {"outcome", report.sentence.empty() ? "seeded" : "failed"},
      {"sentence", report.sentence},
      {"disks", disks_json(report.disks)},
      {"disk_bytes", report.disk_bytes},
      {"bulk", to_json(report.bulk)},
      {"rounds", to_json(report.rounds)},
      {"followed", report.followed},
      {"source_known_bytes", report.source.known},
      {"source_read_bytes", report.source.read_in_bulk},
      {"link",
       {{"sent", report.link.sent},
        {"received", report.link.received},
        {"congestion_control", report.congestion_control},
        {"connections", report.connections},
        {"losses", report.link_losses}}},
      {"seconds", report.seconds},
  };
}

std::string to_text(const seed_report& report) {
  std::string text = fmt::format("{}: {} are kept on {} for a teleport.\n",
                                 report.guest,
                                 human_bytes(report.disk_bytes),
                                 report.destination);
  const auto line = [&text](const char* what, std::uint64_t bytes) {
    text += fmt::format("  {:<22}{:>12}\n", what, human_bytes(bytes));
  };
  line("zero", report.bulk.zero);
  line("in place", report.bulk.in_place);
  line("from donors", report.bulk.donors);
  line("gaps", report.bulk.link);
  if (report.followed) {
    line("written meanwhile", report.rounds.link);
  }
  text += fmt::format("  {:<22}{:>12} sent, {} received in {:.1f} s\n",
                      "link",
                      human_bytes(report.link.sent),
                      human_bytes(report.link.received),
                      report.seconds);
  for (const auto& disk : report.disks) {
    text += fmt::format(
        "  {:<22}kept there as shadow of {}\n", disk.vdev, disk.target);
  }
  return text;
}

}  // namespace teleport
