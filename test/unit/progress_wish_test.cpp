// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/progress_wish_test.cpp: SIGUSR1 brings a line of progress from
// whatever works for long, and ends nothing.

#include "libteleport/base/progress_wish.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/evacuation_world.hpp"
#include "tools/teleportctl/scan_view.hpp"
#include "xl-teleport/source/progress_view.hpp"

namespace teleport {

namespace {

using namespace std::chrono_literals;

/// As a program's main() does, for one test.
class held_wishes {
 public:
  held_wishes() {
    (void)::pthread_sigmask(SIG_SETMASK, nullptr, &before_);
    hold_progress_wishes();
  }
  held_wishes(const held_wishes&) = delete;
  held_wishes& operator=(const held_wishes&) = delete;
  held_wishes(held_wishes&&) = delete;
  held_wishes& operator=(held_wishes&&) = delete;
  ~held_wishes() {
    (void)progress_wished();
    (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t before_{};
};

void wish() {
  REQUIRE(::raise(SIGUSR1) == 0);
}

/// A file, and what was written to it.
class sheet {
 public:
  [[nodiscard]] int fd() const { return file_.get(); }
  [[nodiscard]] std::string text() const {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::pread(fd(), bytes.data(), bytes.size(), 0);
    REQUIRE(got >= 0);
    return {bytes.data(), static_cast<std::size_t>(got)};
  }

 private:
  unique_fd file_{::memfd_create("sheet", MFD_CLOEXEC)};
};

/// Standard error into a file.
class errors_in {
 public:
  explicit errors_in(const std::string& path)
      : before_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    const unique_fd file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    REQUIRE(::dup2(file.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  errors_in(const errors_in&) = delete;
  errors_in& operator=(const errors_in&) = delete;
  errors_in(errors_in&&) = delete;
  errors_in& operator=(errors_in&&) = delete;
  ~errors_in() { (void)::dup2(before_.get(), STDERR_FILENO); }

 private:
  unique_fd before_;
};

progress at(std::uint64_t done) {
  progress now;
  now.phase = move_phase::bulk;
  now.done = done;
  now.total = 100;
  return now;
}

}  // namespace

TEST_CASE("a wish is granted once", "[cli]") {
  const held_wishes held;
  CHECK_FALSE(progress_wished());
  wish();
  wish();
  CHECK(progress_wished());
  CHECK_FALSE(progress_wished());
}

TEST_CASE("a move that is asked says how far it is, in each style", "[cli]") {
  using style = progress_view::style;
  const held_wishes held;
  const progress_view::clock::time_point start{1h};
  for (const style how : {style::none, style::lines, style::json}) {
    const sheet out;
    const sheet err;
    progress_view view(how, out.fd(), err.fd());
    view.show({}, start);
    CHECK(err.text().empty());
    wish();
    view.show({}, start + 1s);
    CHECK(err.text() == "connecting  0:00:01 so far\n");
    CHECK(out.text().empty() == (how != style::json));
  }
  const sheet err;
  progress_view view(style::terminal, err.fd(), err.fd());
  wish();
  view.show(at(7), start);
  CHECK(err.text() ==
        "\r\x1b[Kbulk    7.0 %  of 100 B  0:00:00 so far\n"
        "\rbulk    7.0 %  of 100 B  0:00:00 so far\x1b[K");
}

TEST_CASE("a log has a line for each phase and each ten seconds", "[cli]") {
  const progress_view::clock::time_point start{1h};
  const sheet err;
  progress_view view(progress_view::style::lines, err.fd(), err.fd());
  view.show({}, start);
  CHECK(err.text().empty());
  view.show(at(0), start + 1s);
  view.show(at(1), start + 2s);
  view.show(at(2), start + 10s);
  view.show(at(3), start + 11s);
  CHECK(err.text() ==
        "bulk    0.0 %  of 100 B  0:00:01 so far\n"
        "bulk    3.0 %  of 100 B  0:05:23 left  0:00:11 so far\n");
  // Who waits for a connection is told so.
  const sheet late;
  progress_view waits(progress_view::style::lines, late.fd(), late.fd());
  waits.show({}, start);
  waits.show({}, start + 10s);
  CHECK(late.text() == "connecting  0:00:10 so far\n");
}

TEST_CASE("a scan tells in a log how far it is", "[cli]") {
  const held_wishes held;
  index::scan_progress now;
  now.disk_bytes = 100_GiB;
  const auto read = [&now](std::uint64_t bytes, double after) {
    now.done_bytes = bytes;
    now.read_bytes = bytes;
    now.seconds = after;
    return now;
  };
  const sheet err;
  scan_view view(scan_view::style::lines, "/srv/web1.img", err.fd());
  view.show(read(1_GiB, 9));
  CHECK(err.text().empty());
  view.show(read(10_GiB, 10));
  view.show(read(11_GiB, 19));
  std::string said = "/srv/web1.img   10.0 % of 100.0 GiB  90 s left\n";
  CHECK(err.text() == said);
  wish();
  view.show(read(20_GiB, 19.5));
  said += "/srv/web1.img   20.0 % of 100.0 GiB  78 s left\n";
  CHECK(err.text() == said);
  now.paused = true;
  view.show(now);
  said += "/srv/web1.img: paused; 'teleportctl index resume' lets it go on\n";
  CHECK(err.text() == said);

  const sheet quiet;
  now.paused = false;
  scan_view programs(scan_view::style::none, "/srv/web1.img", quiet.fd());
  programs.show(read(50_GiB, 50));
  CHECK(quiet.text().empty());
  wish();
  programs.show(read(50_GiB, 50));
  CHECK(quiet.text() == "/srv/web1.img   50.0 % of 100.0 GiB  50 s left\n");

  const sheet screen;
  scan_view seen(scan_view::style::terminal, "/srv/web1.img", screen.fd());
  wish();
  seen.show(read(50_GiB, 50));
  seen.end();
  CHECK(screen.text() ==
        "\r\x1b[K/srv/web1.img   50.0 % of 100.0 GiB  50 s left\n"
        "\r/srv/web1.img   50.0 % of 100.0 GiB  50 s left\x1b[K"
        "\r\x1b[K");
}

TEST_CASE("an evacuation that is asked says what moves, also when quiet",
          "[evacuate]") {
  const held_wishes held;
  evacuation::world all;
  all.add_guest("a");
  // The line before the wish is seen by the loop when it has time.
  all.write("at_start/a",
            "n=0\n"
            "until grep -q '^a bulk 50.0 %$' \"$world/said\"; do\n"
            "  kill -USR1 $PPID\n"
            "  n=$((n + 1))\n"
            "  [ $n -lt 20000 ] || exit 1\n"
            "done\n");
  const errors_in file(all.folder_ / "said");
  CHECK(all.evacuate() == evacuation::exit_code::all_moved);
}

}  // namespace teleport
