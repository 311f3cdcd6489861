// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/config_command.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/net/key_pair.hpp"
#include "libteleport/net/peer_files.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/hook_check.hpp"
#include "xl-teleport/setup/setting_values.hpp"

namespace teleport {

namespace {

int check(const config_command& read,
          const settings& options,
          const std::string& file) {
  const auto faults = faults_here(options);
  if (read.json) {
    std::cout << dump({{"file", file}, {"faults", faults}}, 2) << '\n';
  } else {
    for (const std::string& fault : faults) {
      std::cerr << fmt::format("teleportctl: {}: {}\n", file, fault);
    }
    if (faults.empty()) {
      std::cout << file << ": good\n";
    }
  }
  return faults.empty() ? exit_ok : exit_failed;
}

int get(const config_command& read, const std::vector<setting_value>& values) {
  const auto found = std::ranges::find(values, read.key, &setting_value::key);
  if (found == values.end()) {
    std::cerr << fmt::format(
        "teleportctl config get: no key '{}'; 'teleportctl config show' has "
        "all\n",
        read.key);
    return exit_usage;
  }
  std::cout << (read.json ? dump(found->value) + '\n'
                          : plain_text(found->value));
  return exit_ok;
}

}  // namespace

std::vector<std::string> faults_here(const settings& options) {
  std::vector<std::string> faults;
  const auto note = [&faults](const char* key, const auto& outcome) {
    if (!outcome) {
      faults.push_back(fmt::format("{}: {}", key, outcome.error().context));
    }
  };
  note("store", open_store(options.store));
  note("hooks.at_gate", check_hook(options.at_gate_hook));
  note("peers.dir", read_peer_files(options.keys.peers));
  // Where there is no key yet, pairing makes one.
  if (std::error_code missing;
      std::filesystem::exists(options.keys.key, missing) ||
      std::filesystem::exists(options.keys.certificate, missing)) {
    note("keys", read_key_pair(options.keys.key, options.keys.certificate));
  }
  return faults;
}

void add_config_commands(CLI::App& app, config_command& read) {
  auto* config = app.add_subcommand("config", "what the configuration says");
  config->require_subcommand(1);
  read.check = config->add_subcommand(
      "check", "whether it is right, and can work on this host");
  read.get = config->add_subcommand(
      "get", "the value of one key as it holds, for scripts");
  read.get->add_option("KEY", read.key, "section and name: state.path")
      ->required();
  read.show = config->add_subcommand(
      "show", "all keys as they hold, with the defaults of those not given");
  for (CLI::App* one : {read.check, read.get, read.show}) {
    one->add_flag("--json", read.json, "for programs");
  }
}

std::optional<int> run_config_command(const config_command& read,
                                      const settings& options,
                                      const std::string& file,
                                      bool named) {
  if (read.check->parsed()) {
    return check(read, options, file);
  }
  if (!read.get->parsed() && !read.show->parsed()) {
    return std::nullopt;
  }
  const auto values = read_setting_values(file, named);
  if (!values) {
    std::cerr << "teleportctl: " << values.error().context << '\n';
    return exit_usage;
  }
  if (read.get->parsed()) {
    return get(read, *values);
  }
  std::cout << (read.json ? dump(as_json(*values), 2) + '\n'
                          : as_toml(*values));
  return exit_ok;
}

}  // namespace teleport
