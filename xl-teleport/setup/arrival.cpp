// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/arrival.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/xen/facts.hpp"
#include "xl-teleport/setup/kept_standing.hpp"
#include "xl-teleport/setup/peer_holdings.hpp"

namespace teleport {

namespace {

/// An entry's guest, its disks and its configuration.
constexpr std::size_t max_text_bytes = 1_MiB;

/// libxl's limit on a guest's name, and on a path.
constexpr std::size_t max_name = 255;
constexpr std::size_t max_path = 4095;

result<void> hand_over(const kept_disk& disk,
                       disk_book& book,
                       const settings& config) {
  if (disk.shadow) {
    const auto home = home_at(*disk.shadow);
    const auto there = home->found();
    if (!there) {
      return there.error();
    }
    // Of one name, or renamed before: there is nothing to do.
    if (there->aside && home->place().aside != home->place().backing) {
      const auto same = check_identity(disk, home->identity());
      const auto named = same ? home->restore_name() : same;
      if (!named) {
        return named;
      }
    }
  }
  const auto noted = note_arrived_disk(disk, config);
  return noted ? book.remove(disk.uuid, disk.vdev) : noted;
}

}  // namespace

std::string arrival_text(const arrival& plan) {
  nlohmann::json disks = nlohmann::json::array();
  for (const kept_disk& disk : plan.disks) {
    disks.push_back(kept_disk_text(disk));
  }
  nlohmann::json json = {{"guest", plan.guest},
                         {"uuid", plan.uuid},
                         {"boot", plan.boot},
                         {"disks", std::move(disks)}};
  if (plan.start) {
    nlohmann::json named = nlohmann::json::array();
    for (const start_disk& disk : plan.start_disks) {
      named.push_back({{"vdev", disk.vdev},
                       {"path", disk.path},
                       {"is_file", disk.is_file},
                       {"read_only", disk.read_only},
                       {"is_cdrom", disk.is_cdrom}});
    }
    json["start"] = {{"text", plan.start->text},
                     {"autostart", plan.start->autostart},
                     {"disks", std::move(named)}};
  }
  return dump(json);
}

namespace {

void read_start(const nlohmann::json& object, arrival& plan, json_fields& in) {
  json_fields fields(object);
  plan.start = start_file{fields.raw_text("text", max_start_file_bytes),
                          fields.flag("autostart")};
  for (const auto& one : fields.list("disks", max_drives)) {
    json_fields disk(one);
    plan.start_disks.push_back({disk.text("vdev", max_name),
                                disk.text("path", max_path),
                                disk.flag("is_file"),
                                disk.flag("read_only"),
                                disk.flag("is_cdrom")});
    if (disk.failed()) {
      fields.fail(*disk.failed());
    }
  }
  if (fields.failed()) {
    in.fail(*fields.failed());
  }
}

}  // namespace

result<arrival> read_arrival(std::string_view text) {
  const error damaged(errc::corrupt, "the journal does not say what arrived");
  const auto json = parse_object(text, max_text_bytes);
  if (!json) {
    return damaged;
  }
  json_fields in(*json);
  arrival plan;
  plan.guest = in.text("guest", max_name);
  plan.uuid = in.text("uuid", max_name);
  plan.boot = in.text("boot", max_name);
  for (const auto& one : in.list("disks", max_disks)) {
    auto disk = one.is_string() ? read_kept_disk(one.get<std::string>())
                                : result<kept_disk>(damaged);
    if (!disk) {
      return damaged;
    }
    plan.disks.push_back(std::move(*disk));
  }
  if (const auto* start = in.find("start")) {
    read_start(*start, plan, in);
  }
  return in.failed() ? result<arrival>(damaged) : plan;
}

result<void> finish_arrival(const arrival& plan,
                            const settings& config,
                            const start_files& files) {
  auto book = disk_book::open(config.kept_disks_path());
  if (!book) {
    return book.error();
  }
  result<void> outcome;
  const auto note = [&](const result<void>& done, const std::string& of) {
    if (!done && outcome) {
      outcome = in_context(of + " of " + plan.guest, done.error());
    }
  };
  for (const kept_disk& disk : plan.disks) {
    note(hand_over(disk, *book, config), disk.vdev);
  }
  note(files.bring_back({plan.guest, plan.uuid}), "configuration");
  if (plan.start) {
    const auto written =
        files.write({plan.guest, plan.uuid}, *plan.start, plan.start_disks);
    note(written ? result<void>() : result<void>(written.error()),
         "configuration");
    if (written) {
      log_info(plan.guest + " is started from " + *written + " here");
    }
  }
  return outcome;
}

result<void> close_departures(journal& entries, const journal_entry& arrived) {
  auto left = entries.all(journal_role::source);
  if (!left) {
    return left.error();
  }
  for (journal_entry& entry : *left) {
    const bool ran_elsewhere = entry.state == journal_state::moved ||
                               (entry.state == journal_state::go &&
                                entry.peer_key == arrived.peer_key);
    if (entry.uuid != arrived.uuid || !ran_elsewhere) {
      continue;
    }
    entry.state = journal_state::cleared;
    if (auto written = entries.write(entry); !written) {
      return written;
    }
    log_info(entry.guest + " is here again: its teleport to " + entry.peer +
             " is over");
  }
  return {};
}

result<void> finish_arrival(journal& entries,
                            journal_entry& entry,
                            const settings& config) {
  if (entry.disks.empty()) {
    return {};
  }
  const auto closed = close_departures(entries, entry);
  const auto plan = read_arrival(entry.disks);
  const auto finished =
      plan ? finish_arrival(*plan, config) : result<void>(plan.error());
  if (!finished || !closed) {
    return finished ? closed : finished;
  }
  entry.disks.clear();
  return entries.write(entry);
}

}  // namespace teleport
