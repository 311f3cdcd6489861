// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/metrics_text.hpp"

#include <fmt/format.h>

namespace teleport {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

}  // namespace

void metrics_text::begin(std::string_view name, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

void metrics_text::add(const metric_labels& labels, double value) {
  std::string shown;
  for (const auto& [name, text] : labels) {
    shown += fmt::format(
        "{}{}=\"{}\"", shown.empty() ? "" : ",", name, escaped(text));
  }
  // As many digits as a double has: bytes and seconds since 1970 stay whole.
  text_ += shown.empty()
               ? fmt::format("{} {:.17g}\n", name_, value)
               : fmt::format("{}{{{}}} {:.17g}\n", name_, shown, value);
}

void metrics_text::add_alone(std::string_view name,
                             std::string_view help,
                             double value) {
  begin(name, help);
  add({}, value);
}

}  // namespace teleport
