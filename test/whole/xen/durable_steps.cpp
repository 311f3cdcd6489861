// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/durable_steps.cpp: every durable act of the programs is a
// step. The few functions of the C library by which they put a file in its
// place are defined here once more, in front of the library's own: the product
// needs no hook for it.
//
//   journal-STATE   an entry of the journal is put in place
//   book-write, book-remove   of the book of kept disks
//   set-aside, bring-back     a disk's file gets its other name

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/whole/xen/step.hpp"

namespace {

using namespace std::string_view_literals;

constexpr auto aside = ".teleport-shadow"sv;

/// The state that an entry of the journal has, "" for any other file.
std::string state_in(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  constexpr auto key = "\"state\": \""sv;
  const auto at = text.find(key);
  if (at == std::string::npos) {
    return {};
  }
  const auto begin = at + key.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

std::string step_of(std::string_view from, std::string_view to) {
  if (to.find("/journal/") != std::string_view::npos) {
    return "journal-" + state_in(std::string(from));
  }
  if (to.find("/xl-teleport/disks/") != std::string_view::npos) {
    return "book-write";
  }
  if (to.ends_with(aside)) {
    return "set-aside";
  }
  return from.ends_with(aside) ? "bring-back" : "";
}

int put_in_place(const char* from, const char* to, unsigned flags) {
  const std::string step = step_of(from, to);
  if (!step.empty()) {
    if (const int wanted = teleport::whole::before(step); wanted != 0) {
      errno = wanted;
      return -1;
    }
  }
  const long done =
      ::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
  if (done == 0 && !step.empty()) {
    teleport::whole::after(step);
  }
  return static_cast<int>(done);
}

}  // namespace

extern "C" {

int rename(const char* from, const char* to) noexcept {
  return put_in_place(from, to, 0);
}

// The programs name whole paths only.
int renameat2(int /*from_folder*/,
              const char* from,
              int /*to_folder*/,
              const char* to,
              unsigned flags) noexcept {
  return put_in_place(from, to, flags);
}

int unlink(const char* path) noexcept {
  const bool in_book =
      std::string_view(path).find("/xl-teleport/disks/") != std::string::npos;
  if (in_book) {
    if (const int wanted = teleport::whole::before("book-remove");
        wanted != 0) {
      errno = wanted;
      return -1;
    }
  }
  const long done = ::syscall(SYS_unlink, path);
  if (done == 0 && in_book) {
    teleport::whole::after("book-remove");
  }
  return static_cast<int>(done);
}
}
