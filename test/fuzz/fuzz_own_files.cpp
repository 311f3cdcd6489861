// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_own_files.cpp: damaged files of our own: the journal's, the
// book's of disks, and the configuration. The first byte chooses which. What a
// journal's entry is read as must survive being written and read again.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/migrate/journal.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace {

using namespace teleport;
namespace fs = std::filesystem;

constexpr const char* some_id = "0123456789abcdef0123456789abcdef";

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_journal(const std::string& file) {
  const auto entry = journal::read_file(file);
  auto entries = journal::open(fs::path(file).parent_path() / "journal");
  require(entries.has_value());
  if (!entry) {
    return;
  }
  require(entries->write(*entry).has_value());
  const auto again = entries->read(entry->id, entry->role);
  require(again.has_value() && again->has_value());
  require((*again)->state == entry->state && (*again)->guest == entry->guest &&
          (*again)->peer == entry->peer && (*again)->disks == entry->disks);
  require(entries->remove(entry->id, entry->role).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const temp_folder folder("/dev/shm");
  if (size == 0) {
    return 0;
  }
  // An entry of the journal must lie under its own name.
  const unsigned which = data[0] % 3U;
  const std::string file =
      folder / (which == 0 ? std::string(some_id) + ".destination" : "in.json");
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data) + 1,
             static_cast<std::streamsize>(size - 1));
  switch (which) {
    case 0:
      check_journal(file);
      break;
    case 1: {
      const auto book = disk_book::open(folder.path());
      require(book.has_value() && book->all().has_value());
      break;
    }
    default:
      (void)load_settings(file, true);
      break;
  }
  return 0;
}
