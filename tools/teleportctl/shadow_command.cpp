// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/shadow_command.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "tools/teleportctl/kept_items.hpp"
#include "tools/teleportctl/kept_removal.hpp"
#include "xl-teleport/setup/command_line.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

int failed(const error& cause) {
  std::cerr << "teleportctl: " << cause.context << '\n';
  return exit_failed;
}

error nothing_kept(const std::string& guest) {
  return {errc::not_found,
          "nothing is kept for a guest '" + guest +
              "'; see 'teleportctl shadow list'"};
}

int list_kept(const shadow_command& read, const settings& options) {
  const auto items = look_at_kept(options);
  if (!items) {
    return failed(items.error());
  }
  nlohmann::json list = nlohmann::json::array();
  std::string lines = items->empty() ? "" : heading_of_items();
  for (const kept_item& item : *items) {
    list.push_back(to_json(item));
    lines += line_of(item);
  }
  std::cout << (read.json ? dump(list, 2) + '\n' : lines);
  return exit_ok;
}

/// Removes a guest's disks from the book of kept disks; deletes none of them.
int forget_kept(const shadow_command& read, const settings& options) {
  auto book = disk_book::open(options.kept_disks_path());
  const auto disks =
      book ? book->all() : result<std::vector<kept_disk>>(book.error());
  if (!disks) {
    return failed(disks.error());
  }
  std::size_t forgotten = 0;
  for (const kept_disk& disk : *disks) {
    if (disk.guest != read.guest && disk.uuid != read.guest) {
      continue;
    }
    const auto removed = book->remove(disk.uuid, disk.vdev);
    if (!removed) {
      return failed(removed.error());
    }
    ++forgotten;
    std::cout << fmt::format("forgotten: {} {}; its contents are still at {}\n",
                             disk.guest,
                             disk.vdev,
                             place_of(disk));
  }
  return forgotten != 0 ? exit_ok : failed(nothing_kept(read.guest));
}

/// What became of one disk, in words and as JSON.
class removal_report {
 public:
  removal_report(const shadow_command& read, const settings& options)
      : read_(read), options_(options) {}

  /// Deletes it, or says that it would be.
  void remove(const kept_item& item) {
    auto done = check_removable(item, options_);
    if (done && !read_.dry_run) {
      done = remove_kept(item, options_);
    }
    if (!done) {
      keep(item, done.error());
      return;
    }
    freed_ += item.held.value_or(0);
    tell(item, read_.dry_run ? "would_remove" : "removed", "");
    if (!read_.json) {
      std::cout << fmt::format("{}: {} {}, {} at {}\n",
                               read_.dry_run ? "would be removed" : "removed",
                               item.disk.guest,
                               item.disk.vdev,
                               item.held ? human_bytes(*item.held) : "?",
                               place_of(item.disk));
    }
  }
  /// It was to be deleted, and is not.
  void keep(const kept_item& item, const error& why) {
    failed_ = true;
    tell(item, "kept", why.context);
    std::cerr << fmt::format("teleportctl: {} {} stays: {}\n",
                             item.disk.guest,
                             item.disk.vdev,
                             why.context);
  }
  void tell(const kept_item& item, const char* what, const std::string& why) {
    nlohmann::json object = to_json(item);
    object["action"] = what;
    if (!why.empty()) {
      object["why"] = why;
    }
    list_.push_back(std::move(object));
  }

  [[nodiscard]] std::uint64_t freed() const { return freed_; }

  [[nodiscard]] int end() const {
    if (read_.json) {
      std::cout << dump(list_, 2) << '\n';
    }
    return failed_ ? exit_failed : exit_ok;
  }

 private:
  const shadow_command& read_;
  const settings& options_;
  nlohmann::json list_ = nlohmann::json::array();
  std::uint64_t freed_ = 0;
  bool failed_ = false;
};

int remove_of_guest(const shadow_command& read, const settings& options) {
  auto items = look_at_kept(options);
  if (!items) {
    return failed(items.error());
  }
  std::erase_if(*items, [&](const kept_item& item) {
    return item.disk.guest != read.guest && item.disk.uuid != read.guest;
  });
  if (items->empty()) {
    return failed(nothing_kept(read.guest));
  }
  const std::string& uuid = items->front().disk.uuid;
  if (std::ranges::any_of(*items, [&](const kept_item& item) {
        return item.disk.uuid != uuid;
      })) {
    return failed({errc::bad_input,
                   "several guests are called " + read.guest +
                       ": say which by its uuid, as 'teleportctl shadow list "
                       "--json' has it"});
  }
  removal_report report(read, options);
  for (const kept_item& item : *items) {
    report.remove(item);
  }
  return report.end();
}

int prune(const shadow_command& read, const settings& options) {
  if (!read.limits.age && !read.limits.bytes) {
    std::cerr << "teleportctl shadow prune: --keep-days or --max-space is "
                 "needed\n";
    return exit_usage;
  }
  const auto items = look_at_kept(options);
  if (!items) {
    return failed(items.error());
  }
  std::vector<prunable> disks;
  std::vector<result<void>> may;
  std::uint64_t held = 0;
  for (const kept_item& item : *items) {
    may.push_back(check_removable(item, options));
    disks.push_back({item.age, item.held.value_or(0), may.back().has_value()});
    held += disks.back().bytes;
  }
  const auto chosen = to_be_pruned(disks, read.limits);
  removal_report report(read, options);
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (std::ranges::find(chosen, i) == chosen.end()) {
      report.tell((*items)[i], "kept", may[i] ? "" : may[i].error().context);
    }
  }
  for (const std::size_t i : chosen) {
    report.remove((*items)[i]);
  }
  if (!read.json) {
    std::cout << fmt::format(
        "{} of {} {}\n",
        human_bytes(report.freed()),
        human_bytes(held),
        read.dry_run ? "would be freed; nothing was touched" : "freed");
  }
  return report.end();
}

void add_prune_options(CLI::App& command, shadow_command& read) {
  add_number_option(
      command,
      "--keep-days",
      {"N", 0, 36500},
      [&read](std::uint64_t days) {
        read.limits.age =
            std::chrono::hours(24) * static_cast<std::int64_t>(days);
      },
      "remove those that are older");
  command
      .add_option_function<std::string>(
          "--max-space",
          [&read](const std::string& size) {
            read.limits.bytes = read_bytes(size);
          },
          "while all together hold more, remove the oldest: 500GiB")
      ->type_name("SIZE")
      ->check([](const std::string& size) {
        return read_bytes(size) ? std::string()
                                : "'" + size + "' is not a size as 500GiB";
      });
}

}  // namespace

void add_shadow_commands(CLI::App& app, shadow_command& read) {
  auto* shadow = app.add_subcommand(
      "shadow", "disks kept here for guests that are elsewhere");
  shadow->require_subcommand(1);
  read.list = shadow->add_subcommand(
      "list", "show them: sizes, age, the host that they came from");
  read.forget = shadow->add_subcommand(
      "forget", "no longer adopt them; their contents stay on the disk");
  read.remove = shadow->add_subcommand(
      "remove", "delete them, if nobody has or needs them");
  read.prune = shadow->add_subcommand(
      "prune", "delete what is old or too much, and needed by nobody");
  for (CLI::App* one : {read.forget, read.remove}) {
    one->add_option("GUEST", read.guest, "name or uuid")->required();
  }
  add_prune_options(*read.prune, read);
  for (CLI::App* one : {read.remove, read.prune}) {
    one->add_flag("-n,--dry-run", read.dry_run, "say what, and delete nothing");
  }
  for (CLI::App* one : {read.list, read.remove, read.prune}) {
    one->add_flag("--json", read.json, "for programs");
  }
}

std::optional<int> run_shadow_command(const shadow_command& read,
                                      const settings& options) {
  if (read.list->parsed()) {
    return list_kept(read, options);
  }
  if (read.forget->parsed()) {
    return forget_kept(read, options);
  }
  if (read.remove->parsed()) {
    return remove_of_guest(read, options);
  }
  if (read.prune->parsed()) {
    return prune(read, options);
  }
  return std::nullopt;
}

}  // namespace teleport
