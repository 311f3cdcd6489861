// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/metrics_text.hpp: numbers in Prometheus' text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
//
//   metrics_text text;
//   text.begin("xl_teleport_jobs", "Jobs that run on this host now.");
//   text.add({{"kind", "seed"}}, 2);
//
// Threads: one owner. Pure.

#ifndef TOOLS_TELEPORTCTL_METRICS_TEXT_HPP
#define TOOLS_TELEPORTCTL_METRICS_TEXT_HPP

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace teleport {

using metric_labels = std::vector<std::pair<std::string_view, std::string>>;

class metrics_text {
 public:
  /// Begins a metric, which is a gauge: what it counts can become fewer.
  ///
  /// @param name  [a-z_]+, with its unit: "..._bytes", "..._seconds"
  /// @param help  one line
  void begin(std::string_view name, std::string_view help);
  /// Adds a value of the metric that was begun last; a label's value may be any
  /// text in UTF-8.
  void add(const metric_labels& labels, double value);
  /// A metric of one value.
  void add_alone(std::string_view name, std::string_view help, double value);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string name_;
  std::string text_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_METRICS_TEXT_HPP
