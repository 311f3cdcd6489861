// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/disk_state.hpp"

#include <algorithm>
#include <utility>

namespace teleport::test {

namespace {

/// Of so many changes of entries each choice is tried; of more, each beginning
/// and each but one.
constexpr std::size_t most_chosen = 8;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

void put(const disk_state::change& what, std::string& content) {
  if (what.size) {
    content.resize(*what.size, '\0');
    return;
  }
  content.resize(
      std::max<std::size_t>(content.size(), what.at + what.bytes.size()), '\0');
  content.replace(what.at, what.bytes.size(), what.bytes);
}

std::vector<std::vector<bool>> choices(std::size_t count) {
  std::vector<std::vector<bool>> all;
  if (count <= most_chosen) {
    for (std::size_t bits = 0; bits < std::size_t{1} << count; ++bits) {
      std::vector<bool> chosen(count);
      for (std::size_t i = 0; i < count; ++i) {
        chosen[i] = (bits >> i & 1U) != 0;
      }
      all.push_back(std::move(chosen));
    }
    return all;
  }
  for (std::size_t i = 0; i <= count; ++i) {
    std::vector<bool> beginning(count);
    std::fill_n(beginning.begin(), i, true);
    all.push_back(std::move(beginning));
    if (i < count) {
      std::vector<bool> but_one(count, true);
      but_one[i] = false;
      all.push_back(std::move(but_one));
    }
  }
  return all;
}

}  // namespace

void disk_state::write(std::size_t file, change what) {
  files_[file].since.push_back(std::move(what));
}

void disk_state::sync(std::size_t file) {
  contents& known = files_[file];
  for (const change& what : known.since) {
    put(what, known.safe);
  }
  known.since.clear();
}

void disk_state::set_entry(const std::string& path,
                           std::optional<std::size_t> file,
                           const std::string& from) {
  since_.push_back({path, file, from});
}

void disk_state::apply(const entry& change, entries& to) {
  if (change.file) {
    to[change.path] = *change.file;
  } else {
    to.erase(change.path);
  }
  to.erase(change.from);
}

void disk_state::sync_folder(const std::string& path) {
  std::vector<entry> left;
  for (entry& one : since_) {
    if (parent_of(one.path) == path) {
      apply(one, safe_);
    } else {
      left.push_back(std::move(one));
    }
  }
  since_ = std::move(left);
}

std::vector<std::string> disk_state::variants(std::size_t file) const {
  const auto found = files_.find(file);
  if (found == files_.end()) {
    return {std::string()};
  }
  const contents& known = found->second;
  std::vector<std::string> all = {known.safe};
  if (known.since.empty()) {
    return all;
  }
  std::string content = known.safe;
  for (const change& what : known.since) {
    change half = what;
    half.bytes.resize(what.bytes.size() / 2);
    std::string torn = content;
    put(half, torn);
    all.push_back(std::move(torn));
    put(what, content);
  }
  all.push_back(std::string(content.size(), '\0'));  // its length alone
  all.push_back(std::move(content));
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void disk_state::for_each_folder(
    const std::function<void(const entries&)>& show) const {
  for (const std::vector<bool>& chosen : choices(since_.size())) {
    entries now = safe_;
    for (std::size_t i = 0; i < since_.size(); ++i) {
      if (chosen[i]) {
        apply(since_[i], now);
      }
    }
    // What lies in a folder that is not there is not there either.
    std::erase_if(now, [&](const auto& one) {
      const std::string parent = parent_of(one.first);
      return !parent.empty() && !now.contains(parent);
    });
    show(now);
  }
}

void disk_state::for_each_image(
    const std::function<void(const disk_image&)>& show) const {
  for_each_folder([&](const entries& now) {
    std::vector<std::pair<std::string, std::vector<std::string>>> parts;
    disk_image image;
    for (const auto& [path, file] : now) {
      if (file == 0) {
        image[path] = std::nullopt;
      } else {
        parts.emplace_back(path, variants(file));
        image[path] = parts.back().second.front();
      }
    }
    show(image);
    // One file at a time: no reader of ours looks at two at once.
    for (const auto& [path, choice] : parts) {
      const auto before = image[path];
      for (std::size_t i = 1; i < choice.size(); ++i) {
        image[path] = choice[i];
        show(image);
      }
      image[path] = before;
    }
  });
}

}  // namespace teleport::test
