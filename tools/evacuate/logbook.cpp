// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/logbook.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/xen/names.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport::evacuation {

namespace {

using nlohmann::json;

/// Records of earlier runs that are kept: a month of nights.
constexpr std::size_t kept_records = 30;

constexpr std::size_t max_away_bytes = 4_KiB;
/// Of one line of the record: a program's report and what is said of it.
constexpr std::size_t max_event_bytes = 2_MiB;

std::string text_at(const json& event, const char* key) {
  const auto at = event.find(key);
  return at != event.end() && at->is_string() ? at->get<std::string>()
                                              : std::string();
}

/// Applies one event of an earlier run to `past`.
void replay(const json& event, past_run& run) {
  const std::string what = text_at(event, "event");
  const trip one{
      text_at(event, "guest"), text_at(event, "uuid"), text_at(event, "to")};
  const auto forget = [&] {
    std::erase_if(run.under_way,
                  [&](const trip& other) { return other.uuid == one.uuid; });
  };
  if (what == "begin") {
    run.over = false;
    const auto back = event.find("back");
    run.back = back != event.end() && *back == true;
  } else if (what == "start") {
    forget();
    run.under_way.push_back(one);
    run.under_way.back().begun = text_at(event, "time");
  } else if (what == "moved") {
    forget();
    run.moved.push_back(one);
  } else if (what == "failed" || what == "gone" || what == "uncertain") {
    forget();
  } else if (what == "over") {
    run.over = true;
  }
}

}  // namespace

std::string time_text(std::time_t when) {
  return utc_text(when);
}

result<record> record::open(const std::string& folder) {
  auto made = make_folders(folder);
  if (made) {
    made = make_folders(folder + "/away");
  }
  if (!made) {
    return in_context("the evacuation's record", made.error());
  }
  return record(folder);
}

result<past_run> record::last() const {
  past_run run;
  std::ifstream file(path());
  if (!file) {
    return run;
  }
  run.any = true;
  for (std::string line; std::getline(file, line);) {
    if (const auto event = parse_object(line, max_event_bytes)) {
      replay(*event, run);
    }
  }
  if (file.bad()) {
    return error(errc::system, "read " + path());
  }
  return run;
}

void record::drop_old() const {
  std::vector<std::string> old;
  std::error_code failure;
  for (const auto& file :
       std::filesystem::directory_iterator(folder_, failure)) {
    const std::string name = file.path().filename();
    if (name.starts_with("record-") && name.ends_with(".jsonl")) {
      old.push_back(file.path());
    }
  }
  std::ranges::sort(old);  // by time, as it is in their names
  for (std::size_t i = 0; i + kept_records < old.size(); ++i) {
    std::filesystem::remove(old[i], failure);
  }
}

result<void> record::begin(bool new_run) {
  if (new_run && ::access(path().c_str(), F_OK) == 0) {
    // Several may end within a second.
    const std::string aside = folder_ + "/record-" + time_text();
    result<void> renamed = error(errc::busy, "");
    for (int n = 1; !renamed && renamed.error().code == errc::busy; ++n) {
      const std::string which = n == 1 ? "" : "-" + std::to_string(n);
      renamed = rename_durably(path(), aside + which + ".jsonl");
    }
    if (!renamed) {
      return renamed;
    }
    drop_old();
  }
  file_.reset(::open(path().c_str(),
                     O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC,
                     S_IRUSR | S_IWUSR));
  if (!file_) {
    return system_error(errno, "open " + path());
  }
  // A line that a crash has torn must not swallow the next one.
  const off_t size = ::lseek(file_.get(), 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(file_.get(), &last, 1, size - 1) == 1 &&
      last != '\n' && ::write(file_.get(), "\n", 1) != 1) {
    return system_error(errno, "write to " + path());
  }
  return sync_folder(folder_);
}

result<void> record::write(const json& event) {
  const std::string line = dump(event) + "\n";
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::write(file_.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      const int cause = errno;
      // The first part of a line would swallow the next event.
      const bool cut = ::ftruncate(file_.get(), end) == 0;
      return system_error(cause,
                          "write to " + path() +
                              (cut ? "" : ", which now ends in half a line"));
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fdatasync(file_.get()) != 0) {
    return system_error(errno, "fdatasync of " + path());
  }
  return {};
}

result<std::string> record::away_path(const std::string& uuid) const {
  if (!is_uuid(uuid)) {
    return error(errc::bad_input, "'" + uuid + "' is not a guest's uuid");
  }
  return folder_ + "/away/" + uuid;
}

result<void> record::note_away(const trip& gone) {
  const auto file = away_path(gone.uuid);
  if (!file) {
    return file.error();
  }
  const json entry = {{"guest", gone.guest},
                      {"uuid", gone.uuid},
                      {"host", gone.host},
                      {"since", time_text()}};
  return write_durably(*file, dump(entry) + "\n", S_IRUSR | S_IWUSR);
}

result<void> record::forget_away(const std::string& uuid) {
  const auto file = away_path(uuid);
  return file ? remove_durably(*file) : result<void>(file.error());
}

result<std::vector<trip>> record::away() const {
  std::vector<trip> found;
  std::error_code failure;
  std::filesystem::directory_iterator it(folder_ + "/away", failure);
  if (failure) {
    return system_error(failure.value(), "read folder " + folder_ + "/away");
  }
  for (const auto& file : it) {
    if (!is_uuid(file.path().filename().string())) {
      continue;  // the beginning of one that a crash has cut short
    }
    const auto text = read_small_file(file.path(), max_away_bytes);
    if (!text) {
      return text.error();
    }
    const auto entry = parse_object(*text, max_away_bytes);
    const trip one = entry ? trip{text_at(*entry, "guest"),
                                  text_at(*entry, "uuid"),
                                  text_at(*entry, "host")}
                           : trip();
    if (one.uuid != file.path().filename() || one.guest.empty() ||
        one.host.empty()) {
      log_warning(file.path().string() + " is damaged and left out");
      continue;
    }
    found.push_back(one);
  }
  std::ranges::sort(
      found, [](const trip& a, const trip& b) { return a.guest < b.guest; });
  return found;
}

}  // namespace teleport::evacuation
