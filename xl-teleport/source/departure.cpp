// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/departure.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/loop_device.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/destruction.hpp"
#include "libteleport/xen/disk_users.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "libteleport/xen/xl_monitor.hpp"
#include "xl-teleport/setup/kept_standing.hpp"
#include "xl-teleport/setup/start_files.hpp"

namespace teleport {

namespace {

/// The backend lets go of a destroyed guest's disk a moment after libxl says
/// that it is gone; xenstore has no event for "the device is closed".
/// Each look reads all guests' nodes, so the pauses double.
constexpr std::chrono::seconds release_limit{20};
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{1000};

/// An entry's guest and its disks.
constexpr std::size_t max_text_bytes = std::size_t{1} << 20U;

/// Refuses a disk that another guest uses too: it would lose the name from
/// which that guest is started. LVM renames an open volume without a word.
///
/// @param domid  the guest's own domain, which may still be ending; 0: none
result<void> check_only_user(const disk_home& home, std::uint32_t domid) {
  const auto identity = home.identity();
  if (!identity || home.place().backing == home.place().aside) {
    return {};  // nobody is known to have it, or no name is taken from anybody
  }
  const auto users = disk_users::look();
  if (!users) {
    // At boot, before Xen answers: no guest was started yet.
    return domid == 0 ? result<void>() : users.error();
  }
  const auto domains = users->of(*identity);
  for (const std::uint32_t user : domains) {
    if (user != domid) {
      return error(errc::refused,
                   fmt::format("{} is a disk of another guest as well "
                               "(domain {})",
                               home.place().backing,
                               user));
    }
  }
  return domains.empty()
             ? result<void>()
             : error(errc::busy,
                     home.place().backing + " is still the guest's");
}

result<void> set_aside_when_free(disk_home& home, std::uint32_t domid) {
  const auto deadline = std::chrono::steady_clock::now() + release_limit;
  for (auto pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
    auto done = check_only_user(home, domid);
    done = done ? home.set_aside() : done;
    if (done || done.error().code != errc::busy ||
        std::chrono::steady_clock::now() > deadline) {
      return done;
    }
    std::this_thread::sleep_for(pause);
  }
}

bool is_of_this_boot(const departure& plan) {
  return !plan.boot.empty() && plan.boot == this_boot();
}

/// The domain that the journal names, if it is still there: its number was not
/// dealt anew, and is not another guest's.
result<std::optional<guest_seen>> domain_of(toolstack& xen,
                                            const departure& plan) {
  if (!is_of_this_boot(plan)) {
    return std::optional<guest_seen>();
  }
  const auto found = xen.find_by_uuid(plan.uuid);
  if (!found) {
    return found.error();
  }
  for (const guest_seen& one : *found) {
    if (one.domid == plan.domid) {
      return std::optional(one);
    }
  }
  return std::optional<guest_seen>();
}

/// Destroys the copy that is left here of a guest that was given away.
result<void> destroy_copy(const departure& plan) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto domain = domain_of(**xen, plan);
  if (!domain) {
    return domain.error();
  }
  const bool is_left = *domain && ((*domain)->state == guest_state::suspended ||
                                   has_ended((*domain)->state));
  auto done = is_left ? destroy_to_the_end(**xen, plan.domid) : result<void>();
  if (*domain) {
    (void)continue_monitor(plan.domid);  // it sees the end, and ends
  }
  return done;
}

/// That the home holds the very disk that the guest had.
result<void> check_same(const kept_disk& disk,
                        const disk_home& home,
                        bool same_boot) {
  if (disk.identity) {
    return check_noted(home.place().backing, *disk.identity, home.identity());
  }
  return same_boot ? result<void>()
                   : error(errc::unsupported,
                           "it cannot be told whether " + home.place().backing +
                               " is still the guest's disk");
}

result<std::string> set_aside(const kept_disk& disk,
                              disk_book& book,
                              std::uint32_t domid,
                              bool same_boot) {
  const auto home = home_at(*disk.shadow);
  auto done = check_same(disk, *home, same_boot);
  if (done) {
    done = book.write(disk);
  }
  if (!done) {
    return done.error();
  }
  done = set_aside_when_free(*home, domid);
  if (!done) {
    (void)book.remove(disk.uuid, disk.vdev);
    return done.error();
  }
  return disk.vdev + " " + home->place().aside;
}

/// A partition, a whole disk, what another guest has too: where nothing of a
/// guest's disks got another name, `xl create` would start it a second time.
result<void> set_configurations_aside(const departure& plan) {
  std::vector<std::string> paths;
  for (const departing_disk& disk : plan.disks) {
    paths.push_back(disk.entry.shadow->backing);
    if (!disk.configured.empty()) {
      paths.push_back(disk.configured);
    }
  }
  const auto aside = start_files().set_aside({plan.guest, plan.uuid}, paths);
  if (!aside) {
    return aside.error();
  }
  for (const std::string& path : *aside) {
    log_info(
        fmt::format("the disks of {} keep their names: its configuration "
                    "is {} from now on",
                    plan.guest,
                    path));
  }
  return {};
}

result<void> bring_back(const kept_disk& disk,
                        disk_home& home,
                        disk_book& book) {
  const auto there = home.found();
  if (!there) {
    return there.error();
  }
  const disk_place& place = home.place();
  if (there->aside && place.aside != place.backing) {
    const auto same = check_same(disk, home, false);
    const auto device =
        same ? home.bring_back() : result<std::string>(same.error());
    if (!device) {
      return device.error();
    }
    // xl makes a loop device of its own.
    const auto window = window_of_loop(*device);
    if (window && *window) {
      const auto detached = detach_loop(*device);
      if (!detached) {
        return detached;
      }
    }
  }
  return book.remove(disk.uuid, disk.vdev);
}

}  // namespace

departure departure_of(const guest_info& guest) {
  return {guest.name, guest.uuid, guest.domid, this_boot(), {}};
}

result<departure> plan_departure(const guest_info& guest,
                                 const std::string& peer_key) {
  departure plan = departure_of(guest);
  for (const guest_disk& disk : moved_disks(guest)) {
    const auto home = find_home(disk.device);
    if (!home) {
      return in_context(disk.vdev, home.error());
    }
    kept_disk entry;
    entry.guest = guest.name;
    entry.uuid = guest.uuid;
    entry.vdev = disk.vdev;
    entry.size = disk.size;
    entry.shadow = (*home)->place();
    if (const auto identity = (*home)->identity()) {
      entry.identity = *identity;
    } else {
      log_warning(disk.vdev + ": " + identity.error().context);
    }
    entry.peer = peer_key;
    entry.own = true;
    plan.disks.push_back(
        {std::move(entry), disk.read_only, disk.configured_path});
  }
  return plan;
}

std::string departure_text(const departure& plan) {
  nlohmann::json disks = nlohmann::json::array();
  for (const departing_disk& disk : plan.disks) {
    disks.push_back({{"entry", kept_disk_text(disk.entry)},
                     {"read_only", disk.read_only},
                     {"configured", disk.configured}});
  }
  const nlohmann::json json = {{"guest", plan.guest},
                               {"uuid", plan.uuid},
                               {"domid", plan.domid},
                               {"boot", plan.boot},
                               {"disks", std::move(disks)}};
  return dump(json);
}

result<departure> read_departure(std::string_view text) {
  const auto json = parse_object(text, max_text_bytes);
  const error damaged(errc::corrupt, "the journal does not say what left");
  if (!json) {
    return damaged;
  }
  const auto text_at = [&](const char* key) {
    const auto it = json->find(key);
    return it != json->end() && it->is_string() ? it->get<std::string>()
                                                : std::string();
  };
  departure plan;
  plan.guest = text_at("guest");
  plan.uuid = text_at("uuid");
  plan.boot = text_at("boot");
  const auto domid = json->find("domid");
  const auto disks = json->find("disks");
  if (plan.guest.empty() || plan.uuid.empty() || domid == json->end() ||
      !domid->is_number_unsigned() || disks == json->end() ||
      !disks->is_array()) {
    return damaged;
  }
  plan.domid = domid->get<std::uint32_t>();
  for (const auto& one : *disks) {
    const auto entry = one.is_object() ? one.find("entry") : one.end();
    const auto read_only = one.is_object() ? one.find("read_only") : one.end();
    if (!one.is_object() || entry == one.end() || !entry->is_string() ||
        read_only == one.end() || !read_only->is_boolean()) {
      return damaged;
    }
    auto disk = read_kept_disk(entry->get<std::string>());
    if (!disk || !disk->shadow) {
      return damaged;
    }
    const auto configured = one.find("configured");
    plan.disks.push_back({std::move(*disk),
                          read_only->get<bool>(),
                          configured != one.end() && configured->is_string()
                              ? configured->get<std::string>()
                              : std::string()});
  }
  return plan;
}

result<remains> look_for(const departure& plan) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto found = (*xen)->find_by_uuid(plan.uuid);
  if (!found) {
    return found.error();
  }
  const bool same_boot = is_of_this_boot(plan);
  remains here = remains::none;
  for (const guest_seen& one : *found) {
    const bool is_own = same_boot && one.domid == plan.domid;
    if (has_ended(one.state)) {
      here = is_own && one.state == guest_state::dying ? remains::dying : here;
      continue;
    }
    if (!is_own) {
      return remains::another;
    }
    here = one.state == guest_state::suspended ? remains::suspended
                                               : remains::resumed;
  }
  return here;
}

result<void> resume_here(const departure& plan) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto domain = domain_of(**xen, plan);
  if (!domain) {
    return domain.error();
  }
  if (*domain && (*domain)->state == guest_state::suspended) {
    auto done = (*xen)->resume(plan.domid);
    (void)continue_monitor(plan.domid);
    return done;
  }
  const auto state = (*xen)->state_by_uuid(plan.uuid);
  if (!state) {
    return state.error();
  }
  if (*state == guest_state::dying) {
    return error(errc::busy, plan.guest + " is being destroyed");
  }
  return *state == guest_state::running || *state == guest_state::paused
             ? result<void>()
             : error(errc::not_found,
                     plan.guest +
                         " is not here any more: look at its disks "
                         "and start it with 'xl create'");
}

result<std::vector<std::string>> clear_away(const departure& plan,
                                            const settings& options) {
  const auto destroyed = destroy_copy(plan);
  if (!destroyed) {
    return destroyed.error();
  }
  // The host on which the guest runs starts it at boot from now on.
  const auto off = start_files().remove_autostart({plan.guest, plan.uuid});
  if (!off) {
    log_warning(off.error().context);
  }
  auto shadows = set_disks_aside(plan, options);
  const bool renamed =
      std::ranges::any_of(plan.disks, [](const departing_disk& disk) {
        return disk.entry.shadow->aside != disk.entry.shadow->backing;
      });
  // Disks that keep their names start a second copy at the next boot.
  if (shadows && !off && !renamed) {
    return off.error();
  }
  return shadows;
}

result<std::vector<std::string>> set_disks_aside(const departure& plan,
                                                 const settings& options) {
  auto book = disk_book::open(options.kept_disks_path());
  if (!book) {
    return book.error();
  }
  const bool same_boot = is_of_this_boot(plan);
  std::vector<std::string> shadows;
  std::string left;
  bool renamed = false;
  for (const departing_disk& disk : plan.disks) {
    const std::string& vdev = disk.entry.vdev;
    auto shadow =
        set_aside(disk.entry, *book, same_boot ? plan.domid : 0, same_boot);
    if (shadow) {
      const disk_place& place = *disk.entry.shadow;
      renamed = renamed || place.aside != place.backing;
      shadows.push_back(std::move(*shadow));
      continue;
    }
    log_warning(vdev + " stays as it is: " + shadow.error().context);
    if (!disk.read_only) {
      left += (left.empty() ? "" : "; ") + vdev + ": " + shadow.error().context;
    }
  }
  const auto fenced = renamed ? result<void>() : set_configurations_aside(plan);
  if (!fenced) {
    left += (left.empty() ? "" : "; ") + fenced.error().context;
  }
  if (!left.empty()) {
    return error(
        errc::busy,
        "a disk of " + plan.guest + " could not be set aside here: " + left);
  }
  return shadows;
}

result<void> bring_disks_back(const departure& plan, const settings& options) {
  auto xen = toolstack::open();
  const auto ended =
      xen ? finish_destructions(**xen, plan.uuid) : result<void>(xen.error());
  if (!ended) {
    return ended;
  }
  auto book = disk_book::open(options.kept_disks_path());
  if (!book) {
    return book.error();
  }
  for (const departing_disk& disk : plan.disks) {
    const auto home = home_at(*disk.entry.shadow);
    const auto done = bring_back(disk.entry, *home, *book);
    if (!done) {
      return in_context(disk.entry.vdev, done.error());
    }
  }
  return start_files().bring_back({plan.guest, plan.uuid});
}

}  // namespace teleport
