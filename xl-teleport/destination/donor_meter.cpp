// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/donor_meter.hpp"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/migrate/digest_window.hpp"

namespace teleport {

namespace {

constexpr std::size_t file_bytes = digest_window::hours * sizeof(std::uint64_t);

/// Added to the host's counts at once: the writes of 16 MiB.
constexpr std::uint64_t portion = 4096;

result<shared_map> open_counts(const std::string& folder,
                               const std::string& key) {
  const auto made = make_folders(folder);
  if (!made) {
    return made.error();
  }
  const std::string path = folder + "/untrue-" + key;
  unique_fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file || ::ftruncate(file.get(), file_bytes) != 0) {
    return system_error(errno, path);
  }
  return shared_map::open(std::move(file), file_bytes);
}

/// Since the boot.
std::uint64_t hour_now() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::hours>(
          std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

}  // namespace

donor_meter::donor_meter(std::unique_ptr<content_lookup> donors,
                         std::string name,
                         const std::string& run_path,
                         const std::string& key)
    : donors_(std::move(donors)), name_(std::move(name)) {
  auto counts = open_counts(run_path, key);
  if (!counts) {
    log_warning(in_context("no donor is looked for", counts.error()).context);
    open_ = false;
    return;
  }
  counts_ = std::move(*counts);
  add(0);
}

void donor_meter::count(const digest_account& now) {
  if (now.untrue() - counted_ >= portion) {
    add(now.untrue() - std::exchange(counted_, now.untrue()));
  }
}

void donor_meter::settle(const digest_account& now) {
  add(now.not_brought() - std::exchange(counted_, now.not_brought()));
}

void donor_meter::add(std::uint64_t blocks) {
  if (counts_.memory() == nullptr) {
    return;
  }
  digest_window window(counts_.words().first<digest_window::hours>());
  const std::uint64_t hour = hour_now();
  window.add(blocks, hour);
  const std::uint64_t total = window.total(hour);
  if (total > digest_window::most && open_.exchange(false)) {
    log_warning(
        fmt::format("{} has named {} blocks by their digests in {} hours that "
                    "it did not bring: its guests' disks are rebuilt from no "
                    "disk of this host",
                    name_,
                    total,
                    digest_window::hours));
  }
}

std::vector<donor_run> donor_meter::find_blocks(
    std::span<const block_digest> wanted) {
  return open_ ? donors_->find_blocks(wanted) : std::vector<donor_run>();
}

std::optional<donor_extent> donor_meter::find_extent(
    const extent_digest& wanted) {
  return open_ ? donors_->find_extent(wanted) : std::nullopt;
}

result<void> donor_meter::read_donor(donor_id donor,
                                     std::uint64_t offset,
                                     std::span<std::byte> out) {
  return donors_->read_donor(donor, offset, out);
}

}  // namespace teleport
