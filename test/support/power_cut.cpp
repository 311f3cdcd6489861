// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/power_cut.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <utility>

#include <sys/stat.h>

#include "test/support/disk_state.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport::test {

namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void build(const disk_image& image, const fs::path& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  for (const auto& [path, content] : image) {  // a folder before what is in it
    if (content) {
      std::ofstream(folder / path, std::ios::binary) << *content;
    } else {
      fs::create_directory(folder / path);
    }
  }
}

}  // namespace

power_cut::power_cut(std::string folder) : folder_(std::move(folder)) {
  add_what_is_there();
  before_ = events_.size();
}

void power_cut::add_what_is_there() {
  for (const auto& found : fs::recursive_directory_iterator(folder_)) {
    const std::string path = inner(found.path());
    std::size_t file = 0;
    if (found.is_regular_file()) {
      struct stat about {};
      if (::stat(found.path().c_str(), &about) != 0) {
        throw std::runtime_error("stat of " + found.path().string());
      }
      file = files_[about.st_ino] = ++last_file_;
      add({kind::write, file, path, 0, 0, content_of(found.path())});
      add({kind::sync, file, path, 0, 0, {}});
    }
    add({kind::set_entry, file, path, 0, 0, {}});
    entries_[path] = file;
    add({kind::sync_folder, 0, inner(found.path().parent_path()), 0, 0, {}});
  }
}

bool power_cut::is_inside(const std::string& path) const {
  return recording_ && path.starts_with(folder_ + "/");
}

std::string power_cut::inner(const std::string& path) const {
  return path.size() <= folder_.size() ? std::string()
                                       : path.substr(folder_.size() + 1);
}

std::size_t power_cut::file_of(int fd) const {
  struct stat about {};
  if (!is_inside(path_of(fd)) || ::fstat(fd, &about) != 0) {
    return 0;
  }
  const auto found = files_.find(about.st_ino);
  return found == files_.end() ? 0 : found->second;
}

void power_cut::add(event what) {
  events_.push_back(std::move(what));
}

void power_cut::promise() {
  add({kind::promise, 0, {}, 0, 0, {}});
}

int power_cut::writing(int fd, std::uint64_t at, std::string bytes) {
  if (const std::size_t file = file_of(fd)) {
    add({kind::write, file, {}, at, 0, std::move(bytes)});
  }
  return 0;
}

void power_cut::created(int fd) {
  struct stat about {};
  const std::string path = path_of(fd);
  if (is_inside(path) && ::fstat(fd, &about) == 0) {
    const std::size_t file = files_[about.st_ino] = ++last_file_;
    entries_[inner(path)] = file;
    add({kind::set_entry, file, inner(path), 0, 0, {}});
  }
}

void power_cut::resized(int fd, std::uint64_t size) {
  if (const std::size_t file = file_of(fd)) {
    add({kind::resize, file, {}, 0, size, {}});
  }
}

void power_cut::zeroed(int fd, std::uint64_t at, std::uint64_t length) {
  if (const std::size_t file = file_of(fd)) {
    add({kind::write, file, {}, at, 0, std::string(length, '\0')});
  }
}

void power_cut::synced(int fd) {
  const std::string path = path_of(fd);
  if (const std::size_t file = file_of(fd)) {
    add({kind::sync, file, {}, 0, 0, {}});
  } else if (recording_ && (path == folder_ || is_inside(path))) {
    add({kind::sync_folder, 0, inner(path), 0, 0, {}});
  }
}

void power_cut::made_folder(const std::string& path) {
  if (is_inside(path)) {
    entries_[inner(path)] = 0;
    add({kind::set_entry, 0, inner(path), 0, 0, {}});
  }
}

void power_cut::renamed(const std::string& from, const std::string& to) {
  if (!is_inside(from) || !is_inside(to)) {
    return;
  }
  const std::size_t file = entries_[inner(from)];
  entries_.erase(inner(from));
  entries_[inner(to)] = file;
  if (fs::path(from).parent_path() != fs::path(to).parent_path()) {
    throw std::logic_error("power_cut: a rename into another folder");
  }
  add({kind::rename, file, inner(to), 0, 0, inner(from)});
}

void power_cut::removed(const std::string& path) {
  if (is_inside(path)) {
    entries_.erase(inner(path));
    add({kind::remove_entry, 0, inner(path), 0, 0, {}});
  }
}

std::size_t power_cut::replay(const look& show) {
  stop();
  const temp_folder place;
  const std::string folder = place / "image";
  std::set<std::pair<std::size_t, disk_image>> seen;
  disk_state now;
  std::size_t promised = 0;
  const auto show_all = [&] {
    now.for_each_image([&](const disk_image& image) {
      if (seen.emplace(promised, image).second) {
        build(image, folder);
        show(folder, promised);
      }
    });
  };
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const event& what = events_[i];
    switch (what.what) {
      case kind::write:
        now.write(what.file, {what.at, what.bytes, {}});
        break;
      case kind::resize:
        now.write(what.file, {0, {}, what.length});
        break;
      case kind::sync:
        now.sync(what.file);
        break;
      case kind::set_entry:
        now.set_entry(what.path, what.file);
        break;
      case kind::rename:
        now.set_entry(what.path, what.file, what.bytes);
        break;
      case kind::remove_entry:
        now.set_entry(what.path, std::nullopt);
        break;
      case kind::sync_folder:
        now.sync_folder(what.path);
        break;
      case kind::promise:
        ++promised;
        break;
    }
    if (i >= before_) {
      show_all();
    }
  }
  return seen.size();
}

}  // namespace teleport::test
