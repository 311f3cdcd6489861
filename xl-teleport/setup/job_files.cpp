// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/job_files.hpp"

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <system_error>
#include <tuple>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

constexpr std::size_t max_file_bytes = 1_MiB;
constexpr const char* extension = ".json";

result<job> read_file(const std::string& path) {
  const auto text = read_small_file(path, max_file_bytes);
  if (!text) {
    return text.error();
  }
  auto one = read_job(*text);
  if (!one) {
    return in_context(path, one.error());
  }
  return one;
}

/// A folder that was never made has none. What ends meanwhile takes its file
/// along.
result<std::vector<job>> jobs_in(const std::string& folder) {
  const auto files = files_in(folder, extension);
  if (!files) {
    return files.error().code == errc::not_found
               ? result<std::vector<job>>(std::vector<job>())
               : files.error();
  }
  std::vector<job> found;
  for (const std::string& file : *files) {
    auto one = read_file(file);
    if (one) {
      found.push_back(std::move(*one));
    } else if (one.error().code != errc::not_found) {
      log_warning(one.error().context);
    }
  }
  std::ranges::sort(found, {}, [](const job& one) {
    return std::tuple(one.begun, one.begun_nanoseconds, one.id);
  });
  return found;
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// A file is written after its job's begin: none is too old, and there are not
/// too many.
bool is_small(const std::string& folder, const history_limits& limits) {
  const auto files = files_in(folder, extension);
  const auto oldest =
      std::filesystem::file_time_type::clock::now() - limits.age;
  return files && files->size() <= limits.entries &&
         std::ranges::none_of(*files, [&](const std::string& file) {
           std::error_code gone;
           const auto written = std::filesystem::last_write_time(file, gone);
           return !gone && written < oldest;
         });
}

/// @param write  replace_file or write_durably
result<void> write_into(const std::string& folder,
                        const job& one,
                        decltype(replace_file)& write) {
  const auto made = make_folders(folder);
  return made
             ? write(
                   folder + "/" + file_of(one), to_text(one), S_IRUSR | S_IWUSR)
             : made;
}

}  // namespace

std::string running_jobs_path(const settings& config) {
  return config.run_path + "/jobs";
}

std::string history_path(const settings& config) {
  return config.state_path + "/history";
}

result<void> write_running(const settings& config, const job& one) {
  return write_into(running_jobs_path(config), one, replace_file);
}

void remove_running(const settings& config, const job& one) {
  const std::string path = running_jobs_path(config) + "/" + file_of(one);
  (void)::unlink(path.c_str());
}

result<void> write_history(const settings& config, const job& one) {
  return write_into(history_path(config), one, write_durably);
}

job_state state_now(const job& one) {
  return state_of(one, is_alive(one.process));
}

bool is_known(const settings& config, const job& one) {
  return is_there(running_jobs_path(config) + "/" + file_of(one)) ||
         is_there(history_path(config) + "/" + file_of(one));
}

result<std::vector<job>> running_jobs(const settings& config) {
  auto found = jobs_in(running_jobs_path(config));
  if (found) {
    std::erase_if(*found,
                  [](const job& one) { return !is_alive(one.process); });
  }
  return found;
}

result<std::vector<job>> job_history(const settings& config) {
  auto found = jobs_in(history_path(config));
  if (found) {
    std::ranges::reverse(*found);
  }
  return found;
}

result<std::vector<job>> known_jobs(const settings& config) {
  auto known = running_jobs(config);
  if (!known) {
    return known;
  }
  auto history = job_history(config);
  if (!history) {
    return history;
  }
  const std::size_t running = known->size();
  for (job& one : *history) {
    const auto begin = known->begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(running);
    const auto same = std::find_if(begin, end, [&](const job& other) {
      return file_of(other) == file_of(one);
    });
    if (same == end) {
      known->push_back(std::move(one));
    } else if (one.ended != 0) {
      *same = std::move(one);  // it ended between the two looks
    }
  }
  return known;
}

std::vector<std::size_t> out_of_history(const std::vector<historic>& all,
                                        const history_limits& limits,
                                        std::int64_t now) {
  const std::int64_t oldest = now - std::chrono::seconds(limits.age).count();
  std::vector<std::size_t> gone;
  // By host, the newest last.
  std::map<std::string, std::vector<std::size_t>> kept;
  std::size_t left = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].runs) {
      continue;
    }
    if (all[i].begun < oldest) {
      gone.push_back(i);
      --left;
    } else {
      kept[all[i].host].push_back(i);
    }
  }
  for (auto& [host, places] : kept) {
    std::ranges::sort(places, std::greater(), [&](std::size_t place) {
      return std::pair(all[place].begun, all[place].begun_nanoseconds);
    });
  }
  while (left > limits.entries && !kept.empty()) {
    const auto most = std::ranges::max_element(
        kept, {}, [](const auto& host) { return host.second.size(); });
    gone.push_back(most->second.back());
    most->second.pop_back();
    --left;
    if (most->second.empty()) {
      kept.erase(most);
    }
  }
  return gone;
}

void prune_jobs(const settings& config) {
  const auto alone = take_lock(config.run_path, "history");
  if (!alone) {
    return;  // another process does it
  }
  const auto running = jobs_in(running_jobs_path(config));
  for (const job& one : running ? *running : std::vector<job>()) {
    if (!is_alive(one.process)) {
      remove_running(config, one);
    }
  }
  if (is_small(history_path(config), config.history)) {
    return;
  }
  const auto history = jobs_in(history_path(config));
  if (!history) {
    log_warning(history.error().context);
    return;
  }
  std::vector<historic> all;
  for (const job& one : *history) {
    all.push_back({one.begun,
                   one.host,
                   one.ended == 0 && is_alive(one.process),
                   one.begun_nanoseconds});
  }
  for (const std::size_t place :
       out_of_history(all, config.history, std::time(nullptr))) {
    const std::string path =
        history_path(config) + "/" + file_of((*history)[place]);
    (void)::unlink(path.c_str());
  }
}

}  // namespace teleport
