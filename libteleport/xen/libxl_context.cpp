// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/libxl_context.cpp: see libxl_context.hpp.

#include "libteleport/xen/libxl_context.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>

#include <unistd.h>

#include "libteleport/base/log.hpp"

namespace teleport {
namespace {

errc kind_of(int rc) {
  switch (rc) {
    case ERROR_DOMAIN_NOTFOUND:
    case ERROR_DOMAIN_DESTROYED:
    case ERROR_NOTFOUND:
      return errc::not_found;
    case ERROR_ABORTED:
      return errc::cancelled;
    case ERROR_TIMEDOUT:
    case ERROR_GUEST_TIMEDOUT:
      return errc::timeout;
    case ERROR_NI:
    case ERROR_FEATURE_REMOVED:
    case ERROR_NOPARAVIRT:
    case ERROR_JSON_CONFIG_EMPTY:
      return errc::unsupported;
    default:
      return errc::system;
  }
}

// libxl's own name of it, and what it says about the guest where that is known.
std::string meaning_of(int rc) {
  switch (rc) {
    case ERROR_GUEST_TIMEDOUT:  // 60 s, by libxl's libxl_dom_suspend.c
      return "the guest did not suspend within a minute (is it overloaded, or "
             "without drivers for Xen?)";
    case ERROR_NOPARAVIRT:
      return "the guest has no drivers for Xen, or is not up yet";
    default:
      break;
  }
  const char* name = libxl_error_to_string(static_cast<libxl_error>(rc));
  return "libxl error " + std::to_string(rc) +
         (name == nullptr ? "" : " (" + std::string(name) + ")");
}

/// Why libxl could not be opened, in words of an administrator's where they are
/// known.
error without_xen(const error& cause) {
  const bool is_there = ::access("/dev/xen/privcmd", F_OK) == 0 ||
                        ::access("/proc/xen/privcmd", F_OK) == 0;
  return {errc::unsupported,
          !is_there ? "this host does not run Xen (there is no "
                      "/dev/xen/privcmd): this must be a running dom0"
          : ::geteuid() != 0
              ? "Xen is root's: this must be run as root"
              : cause.context + "; this must be a running dom0, and root"};
}

}  // namespace

libxl_context::libxl_context(progress on_progress)
    : on_progress_(std::move(on_progress)) {
  logger_.base.vmessage = &write_line;
  logger_.base.progress = &write_progress;
  logger_.base.destroy = [](xentoollog_logger*) {};
  logger_.owner = this;
}

libxl_context::~libxl_context() {
  if (ctx_ != nullptr) {
    libxl_ctx_free(ctx_);
  }
}

result<std::unique_ptr<libxl_context>> libxl_context::open(
    progress on_progress) {
  std::unique_ptr<libxl_context> made(
      new libxl_context(std::move(on_progress)));
  const int rc =
      libxl_ctx_alloc(&made->ctx_, LIBXL_VERSION, 0, &made->logger_.base);
  if (rc != 0) {
    made->ctx_ = nullptr;
    return without_xen(made->failure(rc, "cannot reach Xen"));
  }
  // Other parts of this program start children and wait for each of them by
  // its pid, from several threads: libxl may reap its own alone. Every context
  // of a process must be set the same way. libxl's handler is async-safe and
  // installed with SA_RESTART, so others need not care.
  static constexpr libxl_childproc_hooks hooks = {
      libxl_sigchld_owner_libxl_always_selective_reap, nullptr, nullptr};
  libxl_childproc_setmode(made->ctx_, &hooks, nullptr);
  return made;
}

// NOLINTNEXTLINE(readability-function-size): libxl's signature
void libxl_context::write_line(xentoollog_logger* log,
                               xentoollog_level level,
                               int errno_value,
                               const char* context,
                               const char* format,
                               va_list arguments) {
  std::array<char, 1024> text{};
  static_cast<void>(
      std::vsnprintf(text.data(), text.size(), format, arguments));
  std::string line =
      std::string(context != nullptr ? context : "libxl") + ": " + text.data();
  if (errno_value >= 0) {
    line += " (" + system_error(errno_value, "errno").context + ")";
  }
  libxl_context& self = *reinterpret_cast<logger*>(log)->owner;
  // What it says of a host without Xen is in open()'s sentence.
  const bool opening = self.ctx_ == nullptr;
  if (level < XTL_WARN || opening || self.looking_up_ > 0) {
    log_debug(line);
  } else {
    log_warning(line);
  }
  if (level >= XTL_ERROR) {
    const std::lock_guard lock(self.mutex_);
    self.last_complaint_ = std::move(line);
  }
}

// NOLINTNEXTLINE(readability-function-size): libxl's signature
void libxl_context::write_progress(xentoollog_logger* log,
                                   const char* /*context*/,
                                   const char* what,
                                   int /*percent*/,
                                   unsigned long done,
                                   unsigned long total) {
  const libxl_context& self = *reinterpret_cast<logger*>(log)->owner;
  if (self.on_progress_ && what != nullptr) {
    self.on_progress_(what, done, total);
  }
}

int libxl_context::look_up(libxl_dominfo* info, std::uint32_t domid) {
  ++looking_up_;
  const int rc = libxl_domain_info(ctx_, info, domid);
  --looking_up_;
  if (rc == ERROR_DOMAIN_NOTFOUND) {
    const std::lock_guard lock(mutex_);
    last_complaint_.clear();
  }
  return rc;
}

error libxl_context::failure(int rc, std::string_view what) {
  std::string text = std::string(what) + ": " + meaning_of(rc);
  const std::lock_guard lock(mutex_);
  if (!last_complaint_.empty()) {
    text += ", " + std::exchange(last_complaint_, {});
  }
  return {kind_of(rc), std::move(text)};
}

}  // namespace teleport
