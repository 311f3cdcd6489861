// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/limit_options.hpp"

#include "xl-teleport/setup/command_line.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

/// A host that may have more at a time is not limited.
constexpr std::uint64_t most_sessions = 1000;

}  // namespace

void add_limit_options(CLI::App& command, limit_options& read) {
  auto* const limited = command.add_flag(
      "--limited",
      read.limited,
      "HOST may do here only what the next options, and then its file, name");
  const auto is_deed = [](const std::string& word) {
    return deed_called(word) ? std::string()
                             : "'" + word +
                                   "' is not teleport-here, seed-here, "
                                   "teleport-there or seed-there";
  };
  command
      .add_option("--may",
                  read.may,
                  "teleport-here, seed-here, teleport-there, seed-there; "
                  "several with commas")
      ->type_name("DEED")
      ->delimiter(',')
      ->check(is_deed)
      ->needs(limited);
  command
      .add_option("--guests",
                  read.guests,
                  "names, patterns of names and uuids; several with commas")
      ->type_name("GUEST")
      ->delimiter(',')
      ->needs(limited);
  command
      .add_option("--store-limit",
                  read.store_limit,
                  "disks that it may have brought here: 200GiB")
      ->type_name("SIZE")
      ->check([](const std::string& size) {
        return read_bytes(size) ? std::string()
                                : "'" + size + "' is not a size as 200GiB";
      })
      ->needs(limited);
  add_number_option(
      command,
      "--sessions",
      {"N", 1, most_sessions},
      [&read](std::uint64_t value) {
        read.sessions = static_cast<unsigned>(value);
      },
      "teleports and seeds from it at a time")
      .default_str(std::to_string(read.sessions))
      ->needs(limited);
}

std::optional<peer_limits> limits_of(const limit_options& read) {
  if (!read.limited) {
    return std::nullopt;
  }
  peer_limits limits;
  for (const std::string& word : read.may) {
    limits.may.insert(*deed_called(word));
  }
  limits.guests = read.guests;
  limits.store_limit = *read_bytes(read.store_limit);
  limits.sessions = read.sessions;
  return limits;
}

}  // namespace teleport
