// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/whole/xen/world.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "test/whole/xen/records.hpp"

namespace teleport::whole {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::array states = {guest_state::running,
                               guest_state::paused,
                               guest_state::suspended,
                               guest_state::shut_down,
                               guest_state::dying};

constexpr std::array device_states = {"up", "closing", "gone"};

device_state devices_named(const std::string& name) {
  const auto found = std::ranges::find(device_states, name);
  return static_cast<device_state>(found - device_states.begin());
}

guest_state state_named(const std::string& name) {
  const auto found = std::ranges::find_if(
      states, [&](guest_state one) { return name_of(one) == name; });
  return found == states.end() ? guest_state::absent : *found;
}

json to_json(const world_disk& disk) {
  return {{"vdev", disk.vdev},
          {"path", disk.path},
          {"device", disk.device},
          {"major", disk.major},
          {"minor", disk.minor},
          {"size", disk.size},
          {"read_only", disk.read_only},
          {"loop_is_ours", disk.loop_is_ours}};
}

world_disk disk_from(const json& in) {
  return {in.at("vdev"),
          in.at("path"),
          in.at("device"),
          in.at("major"),
          in.at("minor"),
          in.at("size"),
          in.at("read_only"),
          in.at("loop_is_ours")};
}

std::string domain_path(std::uint32_t domid) {
  return std::string(domain_folder) + "/" + std::to_string(domid) + ".json";
}

void write_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) {
    throw std::runtime_error("cannot write " + beside);
  }
  fs::rename(beside, path);
}

std::optional<domain> read_domain(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in && text.empty()) {
    return std::nullopt;  // destroyed meanwhile
  }
  const json all = json::parse(text);
  domain one;
  one.domid = all.at("domid");
  one.name = all.at("name");
  one.uuid = all.at("uuid");
  one.state = state_named(all.at("state"));
  one.memory_kib = all.at("memory_kib");
  one.config_json = all.at("config");
  for (const json& disk : all.at("disks")) {
    one.disks.push_back(disk_from(disk));
  }
  one.devices = devices_named(all.at("devices"));
  if (!all.at("memory").is_null()) {
    one.memory = all.at("memory").get<std::uint64_t>();
  }
  return one;
}

}  // namespace

unique_fd lock_file_at(const std::string& path, int how) {
  unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  while (::flock(fd.get(), how) != 0) {
    if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), path);
    }
  }
  return fd;
}

unique_fd lock_world() {
  fs::create_directories(domain_folder);
  return lock_file_at(std::string(world_folder) + "/lock", LOCK_EX);
}

std::string run_lock_path(std::uint32_t domid) {
  return std::string(domain_folder) + "/" + std::to_string(domid) + ".run";
}

std::string life_lock_path(std::uint32_t domid) {
  return std::string(domain_folder) + "/" + std::to_string(domid) + ".life";
}

bool list_is_to_fail() {
  std::error_code none;
  for (const auto& file : fs::directory_iterator(failing_lists, none)) {
    if (fs::remove(file.path(), none)) {
      return true;
    }
  }
  return false;
}

std::vector<domain> all_domains() {
  std::vector<domain> all;
  std::error_code nothing_there;
  for (const auto& file :
       fs::directory_iterator(domain_folder, nothing_there)) {
    if (file.path().extension() != ".json") {
      continue;
    }
    if (auto one = read_domain(file.path())) {
      all.push_back(std::move(*one));
    }
  }
  std::ranges::sort(all, {}, &domain::domid);
  return all;
}

std::optional<domain> find_domain(std::uint32_t domid) {
  return read_domain(domain_path(domid));
}

std::optional<domain> find_domain(const std::string& name_or_id) {
  std::uint32_t number = 0;
  const char* const end = name_or_id.data() + name_or_id.size();
  const auto parsed = std::from_chars(name_or_id.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end) {
    return find_domain(number);
  }
  for (domain& one : all_domains()) {
    if (one.name == name_or_id) {
      return std::move(one);
    }
  }
  return std::nullopt;
}

std::uint32_t next_domid() {
  // The harness writes the first one when the host starts.
  const std::string path = std::string(world_folder) + "/next-domid";
  std::uint32_t next = 1;
  std::ifstream(path) >> next;
  write_file(path, std::to_string(next + 1) + "\n");
  return next;
}

void put_domain(const domain& one) {
  json disks = json::array();
  for (const world_disk& disk : one.disks) {
    disks.push_back(to_json(disk));
  }
  json all = {
      {"domid", one.domid},
      {"name", one.name},
      {"uuid", one.uuid},
      {"state", std::string(name_of(one.state))},
      {"memory_kib", one.memory_kib},
      {"config", one.config_json},
      {"disks", std::move(disks)},
      {"devices", device_states.at(static_cast<std::size_t>(one.devices))},
      {"memory", nullptr}};
  if (one.memory) {
    all["memory"] = *one.memory;
  }
  write_file(domain_path(one.domid), all.dump(1) + "\n");
}

bool change_domain(std::uint32_t domid,
                   const std::function<void(domain&)>& change) {
  const unique_fd world = lock_world();
  auto one = find_domain(domid);
  if (!one) {
    return false;
  }
  const unique_fd alone = lock_file_at(run_lock_path(domid), LOCK_EX);
  change(*one);
  if (one->state == guest_state::running && one->devices != device_state::up) {
    tell_witness(
        one->uuid + ".violations",
        "half destroyed: domain " + std::to_string(domid) + " was let run");
  }
  put_domain(*one);
  return true;
}

domain_watch::domain_watch() : inotify_(::inotify_init1(IN_CLOEXEC)) {
  add_folder(domain_folder);
}

void domain_watch::add_folder(const std::string& folder) const {
  fs::create_directories(folder);
  constexpr std::uint32_t changes = IN_MOVED_TO | IN_DELETE;
  if (::inotify_add_watch(inotify_.get(), folder.c_str(), changes) < 0) {
    throw std::system_error(errno, std::generic_category(), folder);
  }
}

void domain_watch::drain() const {
  std::array<char, 4096> events{};
  while (::read(inotify_.get(), events.data(), events.size()) < 0 &&
         errno == EINTR) {
  }
}

}  // namespace teleport::whole
