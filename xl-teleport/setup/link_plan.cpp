// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/link_plan.hpp"

#include <cmath>
#include <ctime>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/net/link_options.hpp"
#include "xl-teleport/setup/rate.hpp"
#include "xl-teleport/setup/time_of_day.hpp"

namespace teleport {

namespace {

constexpr unsigned minutes_a_day = 24 * 60;

}  // namespace

std::optional<link_rate> read_rate(std::string_view text) {
  if (text == "off") {
    return 0;
  }
  const auto rate = bytes_a_second(text);
  return rate && *rate >= least_rate && *rate <= most_rate
             ? std::optional(static_cast<link_rate>(std::llround(*rate)))
             : std::nullopt;
}

std::string rate_text(link_rate rate) {
  return rate == 0 ? "no limit"
                   : fmt::format("{:.6g} Mbit/s ({:.6g} MB/s)",
                                 static_cast<double>(rate) / 125e3,
                                 static_cast<double>(rate) / 1e6);
}

void add_bwlimit_option(CLI::App& app, link_rate& out) {
  app.add_option_function<std::string>(
         "--bwlimit",
         [&out](const std::string& text) {
           const auto rate = read_rate(text);
           if (!rate) {
             throw CLI::ValidationError("--bwlimit", rate_fault(text));
           }
           out = *rate;
         },
         "sends no faster: 100Mbit, 12MB (a second)")
      ->type_name("RATE");
}

void add_connections_option(CLI::App& app, std::optional<unsigned>& out) {
  app.add_option_function<std::string>(
         "--connections",
         [&out](const std::string& text) {
           unsigned count = 0;
           if (text != "auto" && (!CLI::detail::lexical_cast(text, count) ||
                                  count < 1 || count > most_lanes)) {
             throw CLI::ValidationError(
                 "--connections",
                 fmt::format(
                     "'{}' is neither \"auto\" nor a number from 1 to {}",
                     text,
                     most_lanes));
           }
           out = count;
         },
         "TCP connections side by side; auto: as many as the link needs")
      ->type_name("N");
}

bool link_plan::add(std::string_view text) {
  entry added;
  if (const std::size_t space = text.find(' ');
      space != std::string_view::npos) {
    const std::string_view hours = text.substr(0, space);
    const std::size_t dash = hours.find('-');
    const auto from = read_time_of_day(hours.substr(0, dash));
    const auto until = dash == std::string_view::npos
                           ? std::nullopt
                           : read_time_of_day(hours.substr(dash + 1));
    if (!from || !until || *from == *until) {
      return false;
    }
    added.from = static_cast<unsigned>(from->count());
    added.until = static_cast<unsigned>(until->count());
    text = text.substr(space + 1);
  }
  const auto rate = read_rate(text);
  if (!rate) {
    return false;
  }
  added.rate = *rate;
  entries_.push_back(added);
  return true;
}

link_rate link_plan::at(unsigned minute) const noexcept {
  for (const entry& one : entries_) {
    const unsigned length =
        (one.until + minutes_a_day - one.from) % minutes_a_day;
    const unsigned since = (minute + minutes_a_day - one.from) % minutes_a_day;
    if (length == 0 || since < length) {
      return one.rate;
    }
  }
  return 0;
}

link_rate link_plan::now() const {
  const std::time_t seconds = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return at(static_cast<unsigned>(local.tm_hour * 60 + local.tm_min));
}

std::string budget_file(const std::string& run_path) {
  return run_path + "/bandwidth";
}

std::shared_ptr<pacer> make_pacer(link_rate own,
                                  const link_plan& plan,
                                  const std::string& run_path) {
  (void)make_folders(run_path);  // what follows tells of a failure
  auto budget = host_budget::open(budget_file(run_path));
  if (!budget) {
    log_warning(budget.error().context +
                ": this teleport does not share its rate with others");
  }
  return std::make_shared<pacer>(
      own,
      [plan] { return plan.now(); },
      budget ? std::move(*budget) : nullptr);
}

}  // namespace teleport
