// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/migrate_receive.cpp: the destination's half of a migration.
//
// Steps: banner, restored (all memory is there), ready (told), unpause,
// report, destroy.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include "test/whole/xen/records.hpp"
#include "test/whole/xen/step.hpp"
#include "test/whole/xen/stream_reader.hpp"
#include "test/whole/xen/xl.hpp"

namespace teleport::whole {

namespace {

using namespace std::string_view_literals;

constexpr auto banner =
    "xl migration receiver ready, send binary domain data.\n"sv;
constexpr auto ready = "domain received, ready to unpause\0"sv;
constexpr auto go = "domain is yours, you are cleared to unpause\0"sv;
constexpr auto report = "my copy unpause results are as follows\0"sv;
/// ERROR_FAIL of libxl, as the byte that xl sends.
constexpr auto failed = "\3"sv;

void say(std::string_view text) {
  if (::write(STDOUT_FILENO, text.data(), text.size()) !=
      static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("nobody reads what xl says");
  }
}

void step(const std::string& what) {
  if (before(what) != 0) {
    throw std::runtime_error(what + " has failed");
  }
}

/// xl's own header with the configuration.
domain read_header() {
  std::array<char, 48> header{};
  read_exactly(STDIN_FILENO, header.data(), header.size());
  if (std::string_view(header.data()).substr(0, 16) != "Xen saved domain") {
    throw std::runtime_error("this is no save of xl's");
  }
  std::uint32_t length = 0;
  std::copy_n(header.data() + 44, 4, reinterpret_cast<char*>(&length));
  std::string optional(length, '\0');
  read_exactly(STDIN_FILENO, optional.data(), optional.size());
  // A length of its own, the configuration and its NUL.
  return read_libxl_json(optional.substr(4).c_str());
}

/// The whole disks against those that the guest left at its suspension.
void compare_disks(const domain& one) {
  std::map<std::string, std::string> left;
  std::ifstream in(std::string(witness_folder) + "/" + one.uuid + ".cut");
  for (std::string vdev, digest; in >> vdev >> digest;) {
    left[vdev] = digest;
  }
  for (const world_disk& disk : one.disks) {
    if (digest_of_device(disk.device) != left[disk.vdev]) {
      tell_witness(one.uuid + ".violations",
                   "wrong disk: " + disk.vdev + " at " + disk.device +
                       " is not what the guest left");
    }
  }
}

void destroy(std::uint32_t domid) {
  step("destroy");
  destroy_domain(domid);
  after("destroy");
}

}  // namespace

int migrate_receive() {
  // xl ignores it, and sees that a write fails.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  std::uint32_t domid = 0;
  try {
    step("banner");
    say(banner);
    std::string name;
    {
      const unique_fd alone = lock_xl();
      domain one = read_header();
      name = one.name;
      one.name += "--incoming";
      one.state = guest_state::paused;
      domid = create_domain(std::move(one));
      const std::uint64_t memory = read_stream(STDIN_FILENO);
      change_domain(domid, [&](domain& it) { it.memory = memory; });
      step("restored");
    }
    std::cerr << "migration target: Transfer complete, requesting permission "
                 "to start domain.\n";
    say(ready);
    after("ready");
    std::array<char, go.size()> permission{};
    read_exactly(STDIN_FILENO, permission.data(), permission.size());
    if (std::string_view(permission.data(), permission.size()) != go) {
      throw std::runtime_error("that is no permission");
    }
    std::cerr << "migration target: Got permission, starting domain.\n";
    compare_disks(*find_domain(domid));
    step("unpause");
    change_domain(domid, [&](domain& it) {
      it.name = name;
      it.state = guest_state::running;
    });
    after("unpause");
    say(report);
    say("\0"sv);
    after("report");
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << "migration target: " << failure.what() << '\n';
    if (domid == 0) {
      return 1;
    }
  }
  try {
    std::cerr << "migration target: Domain startup failed (code -3).\n";
    say(report);
    say(failed);
    destroy(domid);
    say(go);
  } catch (const std::exception& failure) {
    std::cerr << "migration target: " << failure.what() << '\n';
  }
  return 1;
}

}  // namespace teleport::whole
