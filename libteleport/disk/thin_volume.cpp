// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/thin_volume.hpp"

#include <charconv>
#include <chrono>
#include <sstream>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/process.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/block_sysfs.hpp"
#include "libteleport/disk/device_mapper.hpp"
#include "libteleport/disk/thin_dump_reader.hpp"

namespace teleport {

namespace {

/// A pool's metadata holds 16 GiB at most; this is far beyond what reading
/// them took.
constexpr std::chrono::minutes dump_limit(30);

/// $1 pool, $2 metadata device, $3 number of the volume. A signal ends what
/// runs at the moment and not the shell, so that it always releases; the empty
/// line says that there is something to be released. thin_dump's failure is
/// text that no reader takes for an answer.
constexpr const char* dump_script = R"(
trap : HUP INT TERM PIPE
dmsetup message "$1" 0 reserve_metadata_snap || exit 1
echo
thin_dump --metadata-snap --dev-id "$3" "$2" || echo '<failed/>'
for pause in 0 1 2 5; do
  sleep $pause
  dmsetup message "$1" 0 release_metadata_snap && exit 0
done
exit 1
)";

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(std::move(word));
  }
  return words;
}

/// "253:4", and nothing that would lead a path elsewhere.
bool is_device_number(const std::string& text) {
  const std::size_t colon = text.find(':');
  return colon != std::string::npos && colon != 0 && colon + 1 < text.size() &&
         text.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
         text.find_first_not_of("0123456789") == colon;
}

/// The device mapper's name of a device.
result<std::string> mapper_name(const std::string& number) {
  std::string name = block_attribute(number, "dm/name");
  return name.empty() ? result<std::string>(error(
                            errc::not_found, block_folder(number) + "/dm/name"))
                      : name;
}

result<std::string> table_of(const std::string& name) {
  return run_program({"dmsetup", "table", name});
}

/// Releases the snapshot that a killed shell left reserved.
void release(const std::string& pool) {
  const std::vector<std::string> command = {
      "dmsetup", "message", pool, "0", "release_metadata_snap"};
  if (const auto done = run_program(command); !done) {
    log_error(
        "a thin pool's metadata snapshot stays reserved; dmsetup message " +
        pool + " 0 release_metadata_snap: " + done.error().context);
  }
}

/// None: unprovisioned parts would not be zeros.
result<std::optional<thin_place>> find_pool(const std::string& number) {
  const auto name = mapper_name(number);
  const auto own = name ? table_of(*name) : name;
  if (!own) {
    return own.error();
  }
  const auto volume = parse_thin_table(*own);
  if (!volume) {
    return std::optional<thin_place>();
  }
  auto pool = mapper_name(volume->pool);
  const auto table = pool ? table_of(*pool) : pool;
  if (!table) {
    return table.error();
  }
  const auto metadata = parse_pool_table(*table);
  if (!metadata) {
    return error(errc::unsupported, *pool + " is no thin pool");
  }
  return std::optional(
      thin_place{std::move(*pool), "/dev/block/" + *metadata, volume->id});
}

}  // namespace

std::optional<thin_table> parse_thin_table(std::string_view text) {
  // START LENGTH thin POOL ID [EXTERNAL_ORIGIN]
  const auto words = words_of(text);
  if (words.size() != 5 || words[0] != "0" || words[2] != "thin" ||
      !is_device_number(words[3])) {
    return std::nullopt;
  }
  thin_table table;
  table.pool = words[3];
  const char* const end = words[4].data() + words[4].size();
  const auto parsed = std::from_chars(words[4].data(), end, table.id);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(table)
                                                       : std::nullopt;
}

std::optional<std::string> parse_pool_table(std::string_view text) {
  // START LENGTH thin-pool METADATA DATA CHUNK LOW_WATER [FEATURES]
  const auto words = words_of(text);
  return words.size() >= 7 && words[0] == "0" && words[2] == "thin-pool" &&
                 is_device_number(words[3])
             ? std::optional(words[3])
             : std::nullopt;
}

result<dirty_map> dump_parts(const thin_place& place,
                             std::uint64_t disk_bytes,
                             const std::atomic<bool>* cancel) {
  thin_dump_reader reader(place.id, disk_bytes);
  bool reserved = false;
  program_options how;
  how.timeout = dump_limit;
  how.on_output = [&](std::string_view piece) {
    reserved = true;
    reader.feed(piece);
    return cancel == nullptr || !*cancel;
  };
  const auto ran = run_program({"sh",
                                "-c",
                                dump_script,
                                "sh",
                                place.pool,
                                place.metadata,
                                std::to_string(place.id)},
                               how);
  if (!ran) {
    if (reserved) {
      release(place.pool);
    }
    // Its words would begin with all of the script.
    return ran.error().code == errc::system
               ? error(errc::busy,
                       "the metadata snapshot of " + place.pool +
                           " cannot be had: another may hold it")
               : ran.error();
  }
  return reader.finish();
}

result<std::optional<dirty_map>> provisioned_parts(
    const std::string& path,
    std::uint64_t disk_bytes,
    const std::atomic<bool>* cancel) {
  struct stat about {};
  const unique_fd device(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!device || ::fstat(device.get(), &about) != 0 ||
      !S_ISBLK(about.st_mode) || !is_thin_volume(device.get())) {
    return std::optional<dirty_map>();
  }
  const auto place = find_pool(numbers_of(about.st_rdev));
  if (!place) {
    return place.error();
  }
  if (!*place) {
    return std::optional<dirty_map>();
  }
  auto parts = dump_parts(**place, disk_bytes, cancel);
  return parts ? result<std::optional<dirty_map>>(std::move(*parts))
               : parts.error();
}

}  // namespace teleport
