// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/path_list.hpp"

#include <algorithm>
#include <sstream>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/units.hpp"

namespace teleport::index {

namespace {

/// Some thousands of disks with long paths.
constexpr std::size_t max_file_bytes = 16_MiB;

}  // namespace

result<std::vector<std::string>> path_list::read() const {
  std::vector<std::string> paths;
  const result<std::string> text = read_small_file(file_, max_file_bytes);
  if (!text) {
    if (text.error().code == errc::not_found) {
      return paths;
    }
    return text.error();
  }
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('/')) {
      paths.push_back(line);
    }
  }
  return paths;
}

result<void> path_list::write(const std::vector<std::string>& paths) const {
  std::string text;
  for (const std::string& path : paths) {
    text += path + '\n';
  }
  return write_durably(file_, text, 0600);
}

result<void> path_list::add(const std::vector<std::string>& paths) const {
  result<std::vector<std::string>> all = read();
  if (!all) {
    return all.error();
  }
  const std::size_t before = all->size();
  for (const std::string& path : paths) {
    if (std::find(all->begin(), all->end(), path) == all->end()) {
      all->push_back(path);
    }
  }
  return all->size() == before ? result<void>() : write(*all);
}

result<void> path_list::rename(const std::string& from,
                               const std::string& to) const {
  result<std::vector<std::string>> all = read();
  if (!all) {
    return all.error();
  }
  const auto at = std::ranges::find(*all, from);
  if (at == all->end()) {
    return {};
  }
  *at = to;
  return write(*all);
}

result<void> path_list::remove(const std::string& path) const {
  result<std::vector<std::string>> all = read();
  if (!all) {
    return all.error();
  }
  return std::erase(*all, path) == 0 ? result<void>() : write(*all);
}

}  // namespace teleport::index
