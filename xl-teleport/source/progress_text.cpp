// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/progress_text.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

constexpr std::string_view between = "  ";

/// Weight of a part of the line: those of more have room first.
enum class weight {
  elapsed,
  sent,
  found,
  disks,
  total,
  rate,
  left,
  waits,
  done
};

/// A connection that is not there yet has no rate.
std::string_view words_for(move_phase phase) {
  switch (phase) {
    case move_phase::connect:
      return "connecting";
    case move_phase::prepare:
      return "preparing";
    default:
      return name_of(phase);
  }
}

/// "xvda 45 %, xvdb 3 %"
std::string text_of(const std::vector<disk_progress>& disks) {
  std::string text;
  for (const disk_progress& disk : disks) {
    // Of a disk without a part in this pass all is done.
    const double percent =
        disk.total == 0 ? 100 : percent_of(disk.done, disk.total);
    text += fmt::format(
        "{}{} {:.0f} %", text.empty() ? "" : ", ", disk.vdev, percent);
  }
  return text;
}

/// The parts as they stand in the line, with their weights.
std::vector<std::pair<weight, std::string>> parts_of(const progress& now,
                                                     double elapsed) {
  std::vector<std::pair<weight, std::string>> parts;
  if (now.total != 0) {
    // Of what grows while it is done, no more than all.
    const double percent = std::min(100.0, percent_of(now.done, now.total));
    parts.emplace_back(weight::done, fmt::format("{:5.1f} %", percent));
    parts.emplace_back(weight::total, "of " + human_bytes(now.total));
  }
  if (now.sent != 0) {
    parts.emplace_back(weight::rate,
                       fmt::format("{:.1f} Mbit/s", now.rate * 8 / 1e6));
  }
  if (now.eta_seconds) {
    parts.emplace_back(weight::left, clock_text(*now.eta_seconds) + " left");
  }
  if (now.waits_for_turn) {
    parts.emplace_back(weight::waits, "waits for another guest's memory");
  }
  if (!now.disks.empty()) {
    parts.emplace_back(weight::disks, text_of(now.disks));
  }
  if (now.found) {
    parts.emplace_back(weight::found,
                       fmt::format("{:.0f} % found there", *now.found * 100));
  }
  if (now.sent != 0) {
    parts.emplace_back(weight::sent, human_bytes(now.sent) + " sent");
  }
  parts.emplace_back(weight::elapsed, clock_text(elapsed) + " so far");
  return parts;
}

}  // namespace

std::string progress_line(const progress& now,
                          double elapsed,
                          std::size_t columns) {
  const auto phase = std::string(words_for(now.phase));
  const auto parts = parts_of(now, elapsed);
  auto heaviest_first = parts;
  std::ranges::sort(heaviest_first, std::greater<>());
  std::size_t room = columns - std::min(columns, phase.size());
  std::set<weight> shown;
  for (const auto& [which, text] : heaviest_first) {
    const std::size_t size = between.size() + text.size();
    if (size <= room) {
      room -= size;
      shown.insert(which);
    } else if (which != weight::disks) {
      // The list of disks alone may be so long that shorter parts stand for it.
      break;
    }
  }
  std::string line = phase.substr(0, columns);
  for (const auto& [which, text] : parts) {
    if (shown.contains(which)) {
      line += between;
      line += text;
    }
  }
  return line;
}

}  // namespace teleport
