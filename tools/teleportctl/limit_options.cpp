// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/limit_options.hpp"

#include "xl-teleport/setup/texts.hpp"

namespace teleport {

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
      ->delimiter(',')
      ->check(is_deed)
      ->needs(limited);
  command
      .add_option("--guests",
                  read.guests,
                  "names, patterns of names and uuids; several with commas")
      ->delimiter(',')
      ->needs(limited);
  command
      .add_option("--store-limit",
                  read.store_limit,
                  "disks that it may have brought here: 200GiB")
      ->check([](const std::string& size) {
        return read_bytes(size) ? std::string()
                                : "'" + size + "' is not a size as 200GiB";
      })
      ->needs(limited);
  command
      .add_option("--sessions",
                  read.sessions,
                  "teleports and seeds from it at a time (1)")
      ->check(CLI::Range(1, 1000))
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
