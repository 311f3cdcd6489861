// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/xl.cpp: the program `xl` of the false Xen, as far as the
// product, an administrator in a test and xendomains call it.

#include "test/whole/xen/xl.hpp"

#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "test/whole/xen/step.hpp"
#include "test/whole/xen/store.hpp"

namespace teleport::whole {
namespace {

using words = std::vector<std::string>;

domain named(const std::string& name) {
  auto one = find_domain(name);
  if (!one) {
    throw std::runtime_error(name + " is an invalid domain identifier");
  }
  return std::move(*one);
}

int create(const words& arguments) {
  domain one = read_xl_config(arguments.at(0));
  const std::string name = one.name;
  unique_fd alone = lock_xl();
  for (const domain& other : all_domains()) {
    if (other.name == one.name || other.uuid == one.uuid) {
      throw std::runtime_error("Domain with name \"" + one.name +
                               "\" or its uuid already exists.");
    }
  }
  one.state = guest_state::running;
  const std::uint32_t domid = create_domain(std::move(one));
  alone.reset();
  leave_monitor(name, domid);
  return 0;
}

int list(const words& /*arguments*/) {
  std::cout << "Name                                        ID   Mem VCPUs\t"
               "State\tTime(s)\n";
  for (const domain& one : all_domains()) {
    std::printf("%-40s %5u %5llu     1     %s\n",
                one.name.c_str(),
                one.domid,
                static_cast<unsigned long long>(one.memory_kib / 1024),
                std::string(name_of(one.state)).c_str());
  }
  return 0;
}

int destroy(const words& arguments) {
  destroy_domain(named(arguments.at(0)).domid);
  return 0;
}

int set_state(const words& arguments, guest_state from, guest_state to) {
  const domain one = named(arguments.at(0));
  // As Xen has it: a suspended domain is no paused one.
  change_domain(one.domid, [&](domain& it) {
    it.state = it.state == from ? to : it.state;
  });
  return 0;
}

int rename_guest(const words& arguments) {
  change_domain(named(arguments.at(0)).domid,
                [&](domain& it) { it.name = arguments.at(1); });
  return 0;
}

/// Asks a guest to suspend, and waits until it has.
void suspend(const domain& one) {
  const domain_watch changes;
  {
    const unique_fd world = lock_world();
    write_node(shutdown_node(one.domid), "suspend");
  }
  for (;;) {
    const auto now = find_domain(one.domid);
    if (!now || now->state == guest_state::suspended) {
      return;
    }
    changes.drain();
  }
}

/// `xl save GUEST FILE`, without what is in the file.
int save(const words& arguments) {
  const domain one = named(arguments.at(0));
  suspend(one);
  static_cast<void>(before("saved"));
  destroy_domain(one.domid);
  return 0;
}

/// `xl reboot GUEST`: the guest ends; the rest is its monitor's.
int reboot(const words& arguments) {
  const std::uint32_t domid = named(arguments.at(0)).domid;
  {
    const unique_fd world = lock_world();
    write_node(shutdown_node(domid), "reboot");
  }
  change_domain(domid, [](domain& it) { it.state = guest_state::shut_down; });
  return 0;
}

/// What changes a guest's equipment: a command and its words.
bool equip(const std::string& command, const words& arguments) {
  const auto domid = [&] { return named(arguments.at(0)).domid; };
  if (command == "block-attach") {
    attach_disk(domid(), arguments.at(1));
  } else if (command == "block-detach") {
    detach_disk(domid(), arguments.at(1));
  } else if (command == "network-attach") {
    attach_nic(domid(), arguments.at(1));
  } else if (command == "mem-set") {
    set_in_build_info(domid(), "target_memkb", std::stoull(arguments.at(1)));
  } else {
    return false;
  }
  return true;
}

int run(const std::string& command, const words& arguments) {
  if (equip(command, arguments)) {
    return 0;
  }
  if (command == "migrate-receive") {
    return migrate_receive();
  }
  if (command == "create") {
    return create(arguments);
  }
  if (command == "list") {
    return list(arguments);
  }
  if (command == "destroy") {
    return destroy(arguments);
  }
  if (command == "pause") {
    return set_state(arguments, guest_state::running, guest_state::paused);
  }
  if (command == "unpause") {
    return set_state(arguments, guest_state::paused, guest_state::running);
  }
  if (command == "save") {
    return save(arguments);
  }
  if (command == "reboot") {
    return reboot(arguments);
  }
  if (command == "rename") {
    return rename_guest(arguments);
  }
  throw std::runtime_error("the false xl has no command " + command);
}

}  // namespace
}  // namespace teleport::whole

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> all(argv + 1, argv + argc);
    if (all.empty()) {
      return 2;
    }
    return teleport::whole::run(all.front(), {all.begin() + 1, all.end()});
  } catch (const std::exception& failure) {
    std::cerr << "xl: " << failure.what() << '\n';
    return 1;
  }
}
