// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/host_events.hpp"

#include <fmt/format.h>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/recovery.hpp"
#include "libteleport/xen/destruction.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/source/autostart.hpp"
#include "xl-teleport/source/departure.hpp"

namespace teleport {

namespace {

/// Entries of a state that rule out a start here, each with its plan.
struct departed {
  journal_entry entry;
  departure plan;
};

result<std::vector<departed>> departed_guests(const settings& config,
                                              host_event_report& report) {
  const auto entries = journal::open(config.journal_path());
  const auto all = entries
                       ? entries->all(journal_role::source)
                       : result<std::vector<journal_entry>>(entries.error());
  if (!all) {
    return all.error();
  }
  std::vector<departed> found;
  for (const journal_entry& entry : *all) {
    if (!must_be_set_aside(entry.state)) {
      continue;
    }
    const auto plan = read_departure(entry.disks);
    if (plan) {
      found.push_back({entry, *plan});
    } else if (entry.state == journal_state::go) {
      report.failed.push_back(fmt::format(
          "{} may run at {}: {}. Do not start it here before 'xl teleport "
          "--recover {}' has an answer",
          entry.guest,
          entry.peer,
          plan.error().context,
          entry.guest));
    }
  }
  return found;
}

void set_aside(const departed& one,
               const settings& config,
               host_event_report& report) {
  // First: its link may lead to a configuration that is set aside, too.
  const auto hidden = hide_autostart({one.entry.guest, one.entry.uuid});
  const auto done = set_disks_aside(one.plan, config);
  if (done && hidden) {
    report.done.push_back(fmt::format("{} left for {}: its disks are aside",
                                      one.entry.guest,
                                      one.entry.peer));
    return;
  }
  report.failed.push_back(fmt::format(
      "{} may run at {}, and {}. {}: do not start it here before 'xl teleport "
      "--recover {}' has an answer",
      one.entry.guest,
      one.entry.peer,
      done ? "its disks are aside" : done.error().context,
      !hidden   ? "Its autostart could not be hidden, " + hidden.error().context
      : *hidden ? "Its autostart is hidden, as " + **hidden
                : "It has no autostart",
      one.entry.guest));
}

}  // namespace

result<host_event_report> after_boot(const settings& config) {
  host_event_report report;
  const auto guests = departed_guests(config, report);
  if (!guests) {
    return guests.error();
  }
  for (const departed& one : *guests) {
    if (one.plan.boot == this_boot()) {
      continue;
    }
    // Where Xen does not answer no guest can have been started yet.
    const auto here = look_for(one.plan);
    if (here && *here != remains::none) {
      report.failed.push_back(
          fmt::format("{0} runs here, and may run at {1}: run 'xl teleport "
                      "--recover {0}' at once",
                      one.entry.guest,
                      one.entry.peer));
      continue;
    }
    set_aside(one, config, report);
  }
  return report;
}

result<host_event_report> before_shutdown(const settings& config) {
  host_event_report report;
  const auto guests = departed_guests(config, report);
  if (!guests) {
    return guests.error();
  }
  for (const departed& one : *guests) {
    const auto here = look_for(one.plan);
    if (!here) {
      return here.error();
    }
    if (*here != remains::suspended && *here != remains::dying) {
      continue;
    }
    auto xen = toolstack::open();
    const auto destroyed = xen ? destroy_to_the_end(**xen, one.plan.domid)
                               : result<void>(xen.error());
    if (destroyed) {
      report.done.push_back(fmt::format(
          "{} (domain {}) was given to {} and is {}: destroyed, as this host "
          "shuts down",
          one.entry.guest,
          one.plan.domid,
          one.entry.peer,
          *here == remains::suspended ? "suspended" : "half destroyed"));
    } else {
      report.failed.push_back(destroyed.error().context);
    }
  }
  return report;
}

}  // namespace teleport
