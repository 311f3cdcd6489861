// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/bench/wan_link.cpp: a wide-area link between two network namespaces, in
// user space: a TUN device in each, and between them for each direction a
// queue of limited length, a rate, a delay, and packets lost by chance.
//
//   wan-link HERE THERE [MBIT [DELAY_MS [LOSS [QUEUE_BYTES]]]]
//
// HERE and THERE are names of `ip netns`; each gets a device wan0, which the
// caller configures once "ready" was printed. Lines on standard input:
//   counters        prints what has crossed so far, as one line of JSON
//   reset           begins to count anew, once the link is empty
//   set MBIT DELAY_MS LOSS QUEUE_BYTES
// Ends at SIGTERM or at the end of its input, printing the counters.
//
// Model: a packet that finds QUEUE_BYTES waiting is dropped; else it waits
// until those before it have left at MBIT, and arrives DELAY_MS later. LOSS, a
// probability, is decided for each packet before it queues. Bytes are those of
// IP packets; the same seed loses the same packets of a sequence.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::size_t longest_packet = 65536;

struct shape {
  double mbit = 100;
  double delay_ms = 50;
  double loss = 0;
  std::size_t queue_bytes = 1'250'000;  // 100 ms at 100 Mbit/s

  [[nodiscard]] nanoseconds time_for(std::size_t bytes) const {
    return nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(bytes) * 8e3 / mbit));
  }
  [[nodiscard]] nanoseconds delay() const {
    return nanoseconds(static_cast<std::int64_t>(delay_ms * 1e6));
  }
};

struct counts {
  std::uint64_t bytes = 0;  ///< delivered
  std::uint64_t packets = 0;
  std::uint64_t lost = 0;     ///< by chance, packets
  std::uint64_t dropped = 0;  ///< at a full queue, packets
};

[[noreturn]] void die(const std::string& what) {
  std::cerr << "wan-link: " << what << ": " << std::strerror(errno) << '\n';
  std::exit(1);
}

int open_tun(const std::string& name_space) {
  const std::string path = "/run/netns/" + name_space;
  const int space = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0 || ::setns(space, CLONE_NEWNET) != 0) {
    die(path);
  }
  ::close(space);
  const int tun = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, "wan0", IFNAMSIZ - 1);
  if (tun < 0 || ::ioctl(tun, TUNSETIFF, &request) != 0) {
    die("TUN device in " + name_space);
  }
  return tun;
}

/// One direction of the link.
class direction {
 public:
  direction(int from, int to, unsigned seed)
      : from_(from), to_(to), random_(seed) {}

  /// Takes what has come.
  void take(const shape& how, clock_type::time_point now) {
    for (;;) {
      const ssize_t got = ::read(from_, buffer_.data(), buffer_.size());
      if (got <= 0) {
        return;  // EAGAIN; a device that is down has nothing either
      }
      const auto size = static_cast<std::size_t>(got);
      leave(now);
      if (std::bernoulli_distribution(how.loss)(random_)) {
        ++counts_.lost;
        continue;
      }
      if (waiting_ + size > how.queue_bytes) {
        ++counts_.dropped;
        continue;
      }
      packet next;
      next.leaves = std::max(now, last_) + how.time_for(size);
      next.arrives = next.leaves + how.delay();
      if (!packets_.empty()) {  // no overtaking, also after a change of delay
        next.arrives = std::max(next.arrives, packets_.back().arrives);
      }
      last_ = next.leaves;
      next.bytes.assign(buffer_.begin(), buffer_.begin() + got);
      waiting_ += size;
      packets_.push_back(std::move(next));
    }
  }

  /// Gives on what has arrived by now.
  void deliver(clock_type::time_point now) {
    leave(now);
    while (!packets_.empty() && packets_.front().arrives <= now) {
      const auto& bytes = packets_.front().bytes;
      if (::write(to_, bytes.data(), bytes.size()) > 0) {
        counts_.bytes += bytes.size();
        ++counts_.packets;
      }
      packets_.pop_front();
      --left_;
    }
  }

  [[nodiscard]] bool empty() const { return packets_.empty(); }
  [[nodiscard]] clock_type::time_point next() const {
    return packets_.empty() ? clock_type::time_point::max()
                            : packets_.front().arrives;
  }
  counts counts_;

 private:
  struct packet {
    clock_type::time_point leaves;
    clock_type::time_point arrives;
    std::vector<char> bytes;
  };

  /// Those that have left the queue wait no more: they are under way.
  void leave(clock_type::time_point now) {
    while (left_ < packets_.size() && packets_[left_].leaves <= now) {
      waiting_ -= packets_[left_].bytes.size();
      ++left_;
    }
  }

  int from_;
  int to_;
  std::mt19937 random_;
  std::array<char, longest_packet> buffer_{};
  std::deque<packet> packets_;
  std::size_t left_ = 0;     ///< of `packets_`, those that left the queue
  std::size_t waiting_ = 0;  ///< bytes in the queue
  clock_type::time_point last_;
};

void print(const char* name, const counts& sums, const char* end) {
  std::cout << '"' << name << "\": {\"bytes\": " << sums.bytes
            << ", \"packets\": " << sums.packets << ", \"lost\": " << sums.lost
            << ", \"dropped\": " << sums.dropped << '}' << end;
}

class wan_link {
 public:
  wan_link(int here, int there, shape how)
      : here_(here),
        there_(there),
        how_(how),
        out_(here, there, 1),
        back_(there, here, 2) {}

  void run(int signals) {
    std::array<pollfd, 4> fds = {pollfd{here_, POLLIN, 0},
                                 pollfd{there_, POLLIN, 0},
                                 pollfd{signals, POLLIN, 0},
                                 pollfd{STDIN_FILENO, POLLIN, 0}};
    for (;;) {
      const auto next = resetting_ && out_.empty() && back_.empty()
                            ? clock_type::time_point()
                            : std::min(out_.next(), back_.next());
      timespec wait{};
      const bool idle = next == clock_type::time_point::max();
      if (!idle) {
        const auto left = std::max<nanoseconds>(next - clock_type::now(),
                                                nanoseconds::zero());
        wait.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000);
        wait.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
      }
      if (::ppoll(fds.data(), fds.size(), idle ? nullptr : &wait, nullptr) <
              0 &&
          errno != EINTR) {
        die("poll");
      }
      const auto now = clock_type::now();
      out_.take(how_, now);
      back_.take(how_, now);
      out_.deliver(now);
      back_.deliver(now);
      if (resetting_ && out_.empty() && back_.empty()) {
        resetting_ = false;
        out_.counts_ = counts();
        back_.counts_ = counts();
        std::cout << "reset" << std::endl;
      }
      if (fds[2].revents != 0 || (fds[3].revents != 0 && !obey())) {
        tell();
        return;
      }
    }
  }

 private:
  void tell() const {
    std::cout << '{';
    print("out", out_.counts_, ", ");
    print("back", back_.counts_, "}");
    std::cout << std::endl;
  }

  /// One line of input; false at its end.
  bool obey() {
    std::string line;
    char c = 0;
    ssize_t got = 0;
    while ((got = ::read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
      line += c;
    }
    if (got != 1) {
      return false;
    }
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    shape wanted;
    if (verb == "counters") {
      tell();
    } else if (verb == "reset") {
      resetting_ = true;
    } else if (verb == "set" && words >> wanted.mbit >> wanted.delay_ms >>
                                    wanted.loss >> wanted.queue_bytes) {
      how_ = wanted;
    } else {
      std::cerr << "wan-link: not understood: " << line << '\n';
    }
    return true;
  }

  int here_;
  int there_;
  shape how_;
  direction out_;
  direction back_;
  bool resetting_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 7) {
    std::cerr << "usage: wan-link HERE THERE [MBIT [DELAY_MS [LOSS "
                 "[QUEUE_BYTES]]]]\n";
    return 2;
  }
  shape how;
  if (argc > 3) {
    how.mbit = std::atof(argv[3]);
  }
  if (argc > 4) {
    how.delay_ms = std::atof(argv[4]);
  }
  if (argc > 5) {
    how.loss = std::atof(argv[5]);
  }
  if (argc > 6) {
    how.queue_bytes = std::strtoul(argv[6], nullptr, 10);
  }
  if (how.mbit <= 0 || how.delay_ms < 0 || how.loss < 0 || how.loss > 1) {
    std::cerr << "wan-link: a rate, delay or loss that cannot be\n";
    return 2;
  }
  // The kernel may be late by this many nanoseconds with our timers.
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  const int signals = ::signalfd(-1, &stop, SFD_CLOEXEC);
  const int here = open_tun(argv[1]);
  const int there = open_tun(argv[2]);
  std::cout << "ready" << std::endl;
  wan_link(here, there, how).run(signals);
  return 0;
}
