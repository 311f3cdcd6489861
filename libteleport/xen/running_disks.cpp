// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/running_disks.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "libteleport/xen/xenstore.hpp"

namespace teleport {

namespace {

/// DOMID_FIRST_RESERVED of Xen: no guest has this number or a higher one.
constexpr std::uint32_t first_reserved_domid = 0x7ff0;
/// MINORBITS of Linux is 20, which leaves 12 for the major number.
constexpr unsigned max_major = 0xfff;
constexpr unsigned max_minor = 0xfffff;
/// PATH_MAX.
constexpr std::size_t max_path = 4096;

std::optional<std::uint32_t> read_number(std::string_view text, int base) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [after, failed] = std::from_chars(text.data(), end, number, base);
  return failed == std::errc() && after == end && !text.empty()
             ? std::optional(number)
             : std::nullopt;
}

/// XenbusState: Initialising, InitWait, Initialised or Connected. Closing and
/// Closed are on their way out, and without a state the node is half made.
constexpr char last_up = '4';
constexpr char last_held = '6';

bool is_state(const std::optional<std::string>& state, char last) {
  return state && state->size() == 1 && state->front() >= '1' &&
         state->front() <= last;
}

std::string harmless_path(std::string text) {
  const bool odd = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  return text.starts_with('/') && text.size() < max_path && !odd
             ? std::move(text)
             : std::string();
}

std::optional<running_disk> read_disk(const node_reader& nodes,
                                      const std::string& node,
                                      char last_state) {
  const auto numbers =
      read_physical_device(nodes.read(node + "/physical-device").value_or(""));
  if (!numbers || !is_state(nodes.read(node + "/state"), last_state)) {
    return std::nullopt;
  }
  running_disk disk;
  disk.major = numbers->major;
  disk.minor = numbers->minor;
  disk.path = harmless_path(nodes.read(node + "/params").value_or(""));
  disk.writable = nodes.read(node + "/mode").value_or("").starts_with('w');
  return disk;
}

std::vector<running_disk> find_disks(const node_reader& nodes,
                                     char last_state) {
  std::vector<running_disk> disks;
  for (const std::string& guest : nodes.list(disk_backends)) {
    const auto domid = read_number(guest, 10);
    if (!domid || *domid == 0 || *domid >= first_reserved_domid) {
      continue;  // 0: what dom0 has attached for itself
    }
    const std::string folder = fmt::format("{}/{}", disk_backends, guest);
    for (const std::string& device : nodes.list(folder)) {
      auto disk =
          read_disk(nodes, fmt::format("{}/{}", folder, device), last_state);
      if (disk) {
        disk->domid = *domid;
        disks.push_back(std::move(*disk));
      }
    }
  }
  return disks;
}

/// Where Xen cannot be asked, every node counts.
result<guest_disks> look(char last_state) {
  auto store = xenstore::open_socket();
  if (!store) {
    return store.error();
  }
  guest_disks seen;
  seen.disks =
      find_disks({[&](const std::string& path) { return store->list(path); },
                  [&](const std::string& path) { return store->read(path); }},
                 last_state);
  if (seen.disks.empty()) {
    return seen;
  }
  const auto xen = toolstack::open();
  auto guests =
      xen ? (*xen)->guests() : result<std::vector<guest_seen>>(xen.error());
  if (!guests) {
    log_warning("disks of guests that are gone cannot be told from others: " +
                guests.error().context);
    return seen;
  }
  seen.disks = without_departed(std::move(seen.disks), *guests);
  seen.guests = std::move(*guests);
  return seen;
}

}  // namespace

bool is_dom0_backend(std::string_view directory) {
  return directory.starts_with("/local/domain/0/backend/");
}

std::optional<device_pair> read_physical_device(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  constexpr int hexadecimal = 16;
  const auto major = read_number(text.substr(0, colon), hexadecimal);
  const auto minor = read_number(text.substr(colon + 1), hexadecimal);
  if (!major || !minor || *major > max_major || *minor > max_minor) {
    return std::nullopt;
  }
  return device_pair{*major, *minor};
}

std::vector<running_disk> find_running_disks(const node_reader& nodes) {
  return find_disks(nodes, last_up);
}

std::vector<running_disk> find_held_disks(const node_reader& nodes) {
  return find_disks(nodes, last_held);
}

std::uint32_t only_guest_of(const std::vector<running_disk>& disks,
                            unsigned major,
                            unsigned minor) {
  std::uint32_t only = 0;
  for (const running_disk& disk : disks) {
    if (disk.major != major || disk.minor != minor || disk.domid == only) {
      continue;
    }
    if (only != 0) {
      return 0;
    }
    only = disk.domid;
  }
  return only;
}

std::vector<running_disk> without_departed(
    std::vector<running_disk> disks, const std::vector<guest_seen>& guests) {
  std::erase_if(disks, [&guests](const running_disk& one) {
    return std::ranges::find(guests, one.domid, &guest_seen::domid) ==
           guests.end();
  });
  return disks;
}

result<std::vector<running_disk>> running_guest_disks() {
  auto seen = look(last_up);
  return seen ? result<std::vector<running_disk>>(std::move(seen->disks))
              : result<std::vector<running_disk>>(seen.error());
}

result<guest_disks> held_guest_disks() {
  return look(last_held);
}

}  // namespace teleport
