// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/libxl_context.hpp: owner of one libxl context and its logger;
// for the sources of this folder only (it shows libxl's types).
//
// Threads: as libxl: any. on_progress is set before use and comes from
//          whichever thread is inside libxl.

#ifndef LIBTELEPORT_XEN_LIBXL_CONTEXT_HPP
#define LIBTELEPORT_XEN_LIBXL_CONTEXT_HPP

// libxl's headers do not say extern "C" themselves; what they include must
// have been seen before they are told so.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
extern "C" {
#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <xentoollog.h>
}

#include "libteleport/base/error.hpp"

namespace teleport {

class libxl_context {
 public:
  using progress = std::function<void(
      std::string_view what, std::uint64_t done, std::uint64_t total)>;

  /// @error errc::unsupported when there is no running Xen toolstack
  [[nodiscard]] static result<std::unique_ptr<libxl_context>> open(
      progress on_progress = {});
  libxl_context(const libxl_context&) = delete;
  libxl_context& operator=(const libxl_context&) = delete;
  libxl_context(libxl_context&&) = delete;
  libxl_context& operator=(libxl_context&&) = delete;
  ~libxl_context();

  [[nodiscard]] libxl_ctx* get() const noexcept { return ctx_; }

  /// libxl_domain_info(), which from Xen 4.18 on calls it an error in the log
  /// that there is no such domain: that is an answer here.
  [[nodiscard]] int look_up(libxl_dominfo* info, std::uint32_t domid);

  /// The libxl code `rc` as an error, with the last thing libxl complained of.
  [[nodiscard]] error failure(int rc, std::string_view what);

 private:
  // libxl calls back with a pointer to its base: standard layout, base first.
  struct logger {
    xentoollog_logger base{};
    libxl_context* owner = nullptr;
  };
  static void write_line(xentoollog_logger* log,
                         xentoollog_level level,
                         int errno_value,
                         const char* context,
                         const char* format,
                         va_list arguments)
      __attribute__((format(printf, 5, 0)));
  static void write_progress(xentoollog_logger* log,
                             const char* context,
                             const char* what,
                             int percent,
                             unsigned long done,
                             unsigned long total);

  explicit libxl_context(progress on_progress);

  logger logger_;
  libxl_ctx* ctx_ = nullptr;
  progress on_progress_;
  std::atomic<int> looking_up_ = 0;  ///< threads in look_up()
  std::mutex mutex_;
  std::string last_complaint_;  // guarded by mutex_
};

/// A char* that libxl or libxenstore has allocated.
struct free_text {
  void operator()(void* text) const noexcept {
    std::free(text);  // NOLINT(cppcoreguidelines-*): theirs
  }
};
using c_text = std::unique_ptr<char, free_text>;

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_LIBXL_CONTEXT_HPP
