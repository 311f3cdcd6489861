// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/scan_gate.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace teleport::index {

namespace {

/// The list is replaced by renaming, or removed; an administrator's editor
/// may write it in place.
constexpr std::uint32_t interesting =
    IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR;

constexpr std::size_t buffer_bytes = 4096;

}  // namespace

scan_gate::scan_gate(pause_list pauses, std::string path)
    : pauses_(std::move(pauses)),
      path_(std::move(path)),
      events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  // Watched first and read then, or a change in between would be missed.
  if (events_ &&
      ::inotify_add_watch(
          events_.get(), pauses_.folder().c_str(), interesting) < 0) {
    events_.reset();
  }
  if (const auto now = pauses_.read()) {
    closed_ = now->covers(path_);
  }
}

bool scan_gate::changed() {
  if (!events_) {
    return true;
  }
  bool found = false;
  alignas(inotify_event) std::array<char, buffer_bytes> buffer{};
  for (;;) {
    const ssize_t got = ::read(events_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      return found;  // EAGAIN: that was all
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* const name = buffer.data() + at + sizeof(event);
      at += sizeof(event) + event.len;
      // An overflow carries no name.
      found = found || event.len == 0 ||
              std::string_view(name) == pause_list::file_name;
    }
  }
}

bool scan_gate::closed() {
  if (changed()) {
    // What cannot be read now says what it said before.
    if (const auto now = pauses_.read()) {
      closed_ = now->covers(path_);
    }
  }
  return closed_;
}

void scan_gate::wait(std::chrono::milliseconds patience) {
  if (!events_) {
    std::this_thread::sleep_for(patience);
    return;
  }
  pollfd event{events_.get(), POLLIN, 0};
  static_cast<void>(::poll(&event, 1, static_cast<int>(patience.count())));
}

}  // namespace teleport::index
