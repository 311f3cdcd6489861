// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/autostart.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/process.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

/// Shell's `*`, by which xendomains finds them, passes over a leading dot.
constexpr std::string_view hidden_prefix = ".teleport-";

/// Paths whose configuration is the guest's; sorted.
std::vector<fs::path> files_of(const guest_name& guest,
                               const std::string& folder,
                               bool hidden) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end;
       it.increment(failed)) {
    const std::string name = it->path().filename();
    const bool matches =
        hidden ? name.starts_with(hidden_prefix) : !name.starts_with('.');
    if (matches && config_at(it->path(), guest)) {
      found.push_back(it->path());
    }
  }
  std::ranges::sort(found);
  return found;
}

fs::path hidden_name_of(const fs::path& file) {
  return file.parent_path() /
         (std::string(hidden_prefix) + file.filename().string());
}

}  // namespace

std::optional<std::string> autostart_of(const guest_name& guest,
                                        const std::string& folder) {
  const auto found = files_of(guest, folder, false);
  return found.empty() ? std::nullopt : std::optional(found.front().string());
}

result<void> check_hidable(const guest_name& guest, const std::string& folder) {
  for (const fs::path& file : files_of(guest, folder, false)) {
    const fs::path to = hidden_name_of(file);
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(to, ignored))) {
      return error(errc::busy,
                   file.string() + " could not be hidden at a boot, as " +
                       to.string() + " exists already: move that elsewhere");
    }
  }
  return {};
}

result<std::optional<std::string>> hide_autostart(const guest_name& guest,
                                                  const std::string& folder) {
  std::optional<std::string> hidden;
  for (const fs::path& file : files_of(guest, folder, false)) {
    const fs::path to = hidden_name_of(file);
    const auto done = rename_durably(file, to);
    if (!done) {
      return done.error();
    }
    hidden = to.string();
  }
  return hidden;
}

result<void> show_autostart(const guest_name& guest,
                            const std::string& folder) {
  for (const fs::path& file : files_of(guest, folder, true)) {
    const auto done = rename_durably(
        file,
        file.parent_path() /
            file.filename().string().substr(hidden_prefix.size()));
    if (!done) {
      return done;
    }
  }
  return {};
}

result<void> start_guest(const std::string& configuration) {
  const auto said = run_program({"xl", "create", configuration});
  return said ? result<void>() : said.error();
}

}  // namespace teleport
