// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/xen_release.hpp"

#include <fstream>
#include <string_view>

#include <dlfcn.h>

namespace teleport {

namespace {

/// The first word of a small file; empty where there is none.
std::string word_in(const std::string& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

}  // namespace

std::string xen_of_library() {
  const void* const symbol = ::dlsym(RTLD_DEFAULT, "libxl_ctx_alloc");
  Dl_info where{};
  if (symbol == nullptr || ::dladdr(symbol, &where) == 0) {
    return {};
  }
  const std::string_view file = where.dli_fname;
  constexpr std::string_view behind = "libxenlight.so.";
  const auto at = file.rfind(behind);
  return at == std::string_view::npos
             ? std::string()
             : std::string(file.substr(at + behind.size()));
}

std::string xen_of_host(const std::string& folder) {
  if (word_in(folder + "/type") != "xen") {
    return {};
  }
  const std::string version = folder + "/version/";
  return word_in(version + "major") + "." + word_in(version + "minor") +
         word_in(version + "extra");
}

}  // namespace teleport
