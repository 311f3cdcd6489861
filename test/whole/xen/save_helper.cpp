// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/save_helper.cpp: in the place of libxl's helper:
// `libxl-save-helper --save-domain FD -1 DOMID` writes a guest's stream, real
// by Xen's specification, to FD; all but its last record, which is libxl's own.
// Standard input is the saver's socket (saver.cpp).

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/support/stream_maker.hpp"
#include "test/whole/xen/memory_page.hpp"
#include "test/whole/xen/step.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport::whole {
namespace {

/// A page of the stream stands for so much of the guest's memory, unless the
/// harness says how many there are.
constexpr std::uint64_t kib_of_page = 512;
/// What the harness says: how many pages there are, how many percent of them do
/// not compress, and how many a record has.
void ask_harness(const domain& one, test::stream_shape& shape) {
  std::ifstream in(std::string(witness_folder) + "/" + one.uuid + ".memory");
  unsigned pages = 0;
  unsigned random_percent = 0;
  unsigned batch = 0;
  if (in >> pages >> random_percent >> batch) {
    shape.pages = pages;
    shape.random_percent = random_percent;
    shape.zero_percent = 0;
    shape.batch = batch;
  }
}

class helper {
 public:
  helper(int fd, std::uint32_t domid) : fd_(fd), domid_(domid) {}

  int run() {
    const auto one = find_domain(domid_);
    if (!one) {
      return 1;
    }
    test::stream_shape shape;
    shape.rounds = 2;
    shape.pages = static_cast<unsigned>(one->memory_kib / kib_of_page);
    ask_harness(*one, shape);
    maker_.beginning(shape);
    maker_.record(xen_stream::libxc_page_data, memory_record(0));
    maker_.memory(shape);
    static_cast<void>(before("memory"));
    if (!write_out()) {
      return 1;
    }
    after("memory");
    std::uint64_t last = 0;
    if (::send(STDIN_FILENO, "s", 1, MSG_NOSIGNAL) != 1 ||
        ::recv(STDIN_FILENO, &last, sizeof(last), MSG_WAITALL) !=
            static_cast<ssize_t>(sizeof(last))) {
      return 1;
    }
    static_cast<void>(before("last-pages"));
    maker_.record(xen_stream::libxc_page_data, memory_record(last));
    maker_.ending(shape);
    if (!write_out(xen_stream::end_record.size())) {
      return 1;
    }
    after("last-pages");
    return 0;
  }

 private:
  /// What was made since the last time. Ends with the pipe's reader, or with
  /// the saver, as libxl's helper does.
  bool write_out(std::size_t left_out = 0) {
    const byte_span all =
        byte_span(maker_.bytes()).first(maker_.bytes().size() - left_out);
    while (done_ < all.size()) {
      const ssize_t r = ::write(fd_, all.data() + done_, all.size() - done_);
      if (r < 0 && errno != EINTR) {
        return false;
      }
      done_ += r > 0 ? static_cast<std::size_t>(r) : 0;
    }
    return true;
  }

  int fd_;
  std::uint32_t domid_;
  test::stream_maker maker_{1};
  std::size_t done_ = 0;
};

/// Of the teleport's descriptors: a link that it holds is not lost when the
/// teleport is killed.
bool has_only(int stream) {
  std::error_code failure;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd", failure)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    const bool ours = ::fcntl(fd, F_GETFD) == FD_CLOEXEC;  // of the iterator
    if (fd > STDERR_FILENO && fd != stream && !ours) {
      std::cerr << "libxl-save-helper: has descriptor " << fd << ", "
                << std::filesystem::read_symlink(entry.path(), failure) << '\n';
      return false;
    }
  }
  return !failure;
}

}  // namespace
}  // namespace teleport::whole

int main(int argc, char** argv) {
  if (argc != 5) {
    return 2;
  }
  if (!teleport::whole::has_only(std::atoi(argv[2]))) {
    return 3;
  }
  return teleport::whole::helper(
             std::atoi(argv[2]),
             static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10)))
      .run();
}
