// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/toolstack.cpp: libteleport/xen/toolstack.hpp over the false
// world, in the place of domain.cpp, and with its promises.

#include "libteleport/xen/toolstack.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "libteleport/xen/config.hpp"
#include "libteleport/xen/domain_signs.hpp"
#include "test/whole/xen/step.hpp"
#include "test/whole/xen/store.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport {

namespace {

/// More than any guest here needs.
constexpr std::uint64_t free_kib = std::uint64_t{4} << 20U;

guest_state state_of(const whole::domain& one) {
  domain_signs signs;
  signs.dying = one.state == guest_state::dying;
  signs.by_suspend = one.state == guest_state::suspended;
  signs.shut_down = signs.by_suspend || one.state == guest_state::shut_down;
  signs.paused = one.state == guest_state::paused;
  signs.has_memory = true;
  signs.has_name = !one.name.empty();
  signs.devices = devices_of({whole::list_nodes, whole::read_node}, one.domid);
  return state_of(signs);
}

guest_seen seen(const whole::domain& one) {
  return {one.domid, one.name, state_of(one), one.uuid, one.memory_kib};
}

/// A step that does something to a domain.
result<void> act(const std::string& step,
                 std::uint32_t domid,
                 const std::function<bool()>& change) {
  const int failure = whole::before(step);
  if (failure != 0) {
    return system_error(failure, step + " domain " + std::to_string(domid));
  }
  if (!change()) {
    return error{errc::not_found,
                 step + " domain " + std::to_string(domid) + ": not there"};
  }
  whole::after(step);
  return {};
}

result<void> set_state(const std::string& step,
                       std::uint32_t domid,
                       guest_state state) {
  return act(step, domid, [&] {
    return whole::change_domain(domid,
                                [&](whole::domain& one) { one.state = state; });
  });
}

}  // namespace

struct toolstack::state_data {};

toolstack::toolstack(std::unique_ptr<state_data> data)
    : data_(std::move(data)) {}
toolstack::~toolstack() = default;

/// As libxl does, which then installs a handler of its own (libxl_fork.c,
/// sigchld_installhandler_core()).
result<std::unique_ptr<toolstack>> toolstack::open() {
  struct sigaction now {};
  ::sigaction(SIGCHLD, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) != 0 ||
      (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN)) {
    std::fputs("this program catches SIGCHLD, which is libxl's\n", stderr);
    std::abort();
  }
  return std::unique_ptr<toolstack>(
      new toolstack(std::make_unique<state_data>()));
}

result<guest_info> toolstack::describe(const std::string& name_or_id) {
  const auto one = whole::find_domain(name_or_id);
  if (!one) {
    return error{errc::not_found, "no guest named '" + name_or_id + "'"};
  }
  if (one->config_json.empty()) {
    return error{errc::unsupported,
                 "configuration of guest '" + name_or_id + "'"};
  }
  auto config = nlohmann::json::parse(one->config_json);
  config["c_info"]["name"] = one->name;
  auto guest = read_config(config.dump());
  if (!guest) {
    return guest.error();
  }
  guest->domid = one->domid;
  guest->name = one->name;
  guest->uuid = one->uuid;
  guest->max_memory_kib = std::max(guest->max_memory_kib, one->memory_kib);
  for (const whole::world_disk& disk : one->disks) {
    const auto described = std::ranges::find_if(
        guest->disks,
        [&](const guest_disk& other) { return other.vdev == disk.vdev; });
    if (described == guest->disks.end()) {
      return error{
          errc::system,
          "disk '" + disk.vdev + "' is not in the guest's configuration"};
    }
    described->device = disk.device;
    described->size = disk.size;
    described->major = disk.major;
    described->minor = disk.minor;
    described->read_only = disk.read_only;
  }
  return guest;
}

result<host_facts> toolstack::host() {
  host_facts facts;
  facts.xen_version = "4.17";
  facts.xen_extra = ".5";
  facts.free_memory_kib = free_kib;
  facts.cpu_capabilities = {0x178bfbff, 0xf6fa3203};
  facts.hap = true;
  for (const whole::domain& one : whole::all_domains()) {
    facts.guest_names.push_back(one.name);
    facts.guest_uuids.push_back(one.uuid);
  }
  return facts;
}

result<guest_state> toolstack::state(std::uint32_t domid) {
  const auto one = whole::find_domain(domid);
  return one ? state_of(*one) : guest_state::absent;
}

result<std::vector<guest_seen>> toolstack::guests() {
  if (whole::list_is_to_fail()) {
    return error{errc::system, "list the domains: Cannot allocate memory"};
  }
  std::vector<guest_seen> found;
  for (const whole::domain& one : whole::all_domains()) {
    found.push_back(seen(one));
  }
  return found;
}

result<void> toolstack::resume(std::uint32_t domid) {
  const auto now = state(domid);
  if (now && *now != guest_state::suspended && *now != guest_state::absent) {
    return error{errc::busy,
                 "resume domain " + std::to_string(domid) + ": it is " +
                     std::string(name_of(*now))};
  }
  return set_state("resume", domid, guest_state::running);
}

result<void> toolstack::pause(std::uint32_t domid) {
  return set_state("pause", domid, guest_state::paused);
}

result<void> toolstack::unpause(std::uint32_t domid) {
  const auto now = state(domid);
  if (now && *now == guest_state::dying) {
    return error{
        errc::busy,
        "unpause domain " + std::to_string(domid) + ": it is being destroyed"};
  }
  // Pauses are counted: at none Xen says EINVAL.
  if (now && *now != guest_state::paused) {
    return system_error(EINVAL, "unpause domain " + std::to_string(domid));
  }
  return set_state("unpause", domid, guest_state::running);
}

result<void> toolstack::destroy(std::uint32_t domid) {
  return act("destroy", domid, [&] {
    const bool there = whole::find_domain(domid).has_value();
    whole::destroy_domain(domid);
    return there;
  });
}

result<void> toolstack::rename(std::uint32_t domid,
                               const std::string& from,
                               const std::string& to) {
  const auto one = whole::find_domain(domid);
  if (!one || one->name != from || whole::find_domain(to)) {
    return error{errc::busy, "rename '" + from + "' to '" + to + "'"};
  }
  return act("rename", domid, [&] {
    return whole::change_domain(domid,
                                [&](whole::domain& it) { it.name = to; });
  });
}

}  // namespace teleport
