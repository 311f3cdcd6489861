// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/error.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace teleport {

std::string_view name_of(errc code) noexcept {
  switch (code) {
    case errc::system:
      return "system";
    case errc::protocol:
      return "protocol";
    case errc::corrupt:
      return "corrupt";
    case errc::not_found:
      return "not_found";
    case errc::unsupported:
      return "unsupported";
    case errc::bad_input:
      return "bad_input";
    case errc::no_space:
      return "no_space";
    case errc::busy:
      return "busy";
    case errc::peer_lost:
      return "peer_lost";
    case errc::timeout:
      return "timeout";
    case errc::cancelled:
      return "cancelled";
    case errc::refused:
      return "refused";
    case errc::mismatch:
      return "mismatch";
    case errc::not_paired:
      return "not_paired";
    case errc::uncertain:
      return "uncertain";
  }
  return "unknown";
}

error system_error(int errno_value, std::string_view what) {
  errc kind = errc::system;
  if (errno_value == ENOSPC || errno_value == EDQUOT) {
    kind = errc::no_space;
  } else if (errno_value == ENOENT) {
    kind = errc::not_found;
  } else if (errno_value == EBUSY) {
    kind = errc::busy;
  }
  std::string text(what);
  text += ": ";
  text += std::generic_category().message(errno_value);
  return {kind, std::move(text)};
}

error in_context(std::string_view what, error cause) {
  std::string text(what);
  text += ": ";
  text += cause.context;
  cause.context = std::move(text);
  return cause;
}

void throw_exception_from_error(const error& cause,
                                const boost::source_location& where) {
  throw std::logic_error("result without a value at " + where.to_string() +
                         ": " + cause.context);
}

}  // namespace teleport
