// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/jobs_command.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "tools/teleportctl/cancel_job.hpp"
#include "tools/teleportctl/jobs_text.hpp"
#include "tools/teleportctl/jobs_top.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/job_files.hpp"

namespace teleport {

namespace {

int failed(const error& cause) {
  std::cerr << "teleportctl: " << cause.context << '\n';
  return cause.code == errc::bad_input ? exit_usage : exit_failed;
}

/// What was found of each job, for people or as JSON.
class printed_jobs {
 public:
  explicit printed_jobs(bool json) : json_(json) {}
  void add(const job& one, job_state state, const std::string& text) {
    if (json_) {
      all_.push_back(to_json(one, state));
    } else {
      std::cout << text;
    }
  }
  void print_list() const { print(all_); }
  /// A job that is known of one end alone is no list.
  void print_one_or_list() const { print(all_.size() == 1 ? all_[0] : all_); }

 private:
  void print(const nlohmann::json& value) const {
    if (json_) {
      std::cout << dump(value, 2) << '\n';
    }
  }

  bool json_;
  nlohmann::json all_ = nlohmann::json::array();
};

int list_running(const jobs_command& read, const settings& options) {
  const auto running = running_jobs(options);
  if (!running) {
    return failed(running.error());
  }
  printed_jobs out(read.json);
  for (const job& one : *running) {
    out.add(one, job_state::under_way, line_of_job(one) + '\n');
  }
  out.print_list();
  return exit_ok;
}

int list_history(const jobs_command& read, const settings& options) {
  const auto history = job_history(options);
  if (!history) {
    return failed(history.error());
  }
  printed_jobs out(read.json);
  for (const job& one : *history) {
    if (is_of_guest(one, read.guest)) {
      const job_state state = state_now(one);
      out.add(one, state, line_of_history(one, state) + '\n');
    }
  }
  out.print_list();
  return exit_ok;
}

int show(const jobs_command& read, const settings& options) {
  const auto known = known_jobs(options);
  if (!known) {
    return failed(known.error());
  }
  const auto found = find_jobs(*known, read.id);
  if (!found) {
    return failed(found.error());
  }
  printed_jobs out(read.json);
  for (const std::size_t place : *found) {
    const job& one = (*known)[place];
    const job_state state = state_now(one);
    out.add(one, state, text_of_job(one, state));
  }
  out.print_one_or_list();
  return exit_ok;
}

int cancel(const jobs_command& read, const settings& options) {
  const auto done = cancel_job(read.id, options);
  if (!done) {
    return failed(done.error());
  }
  if (read.json) {
    std::cout << dump({{"id", done->one.id},
                       {"cancelled", done->cancelled},
                       {"sentence", done->sentence}},
                      2)
              << '\n';
  } else {
    (done->cancelled ? std::cout : std::cerr << "teleportctl: ")
        << done->sentence << '\n';
  }
  return done->cancelled ? exit_ok : exit_failed;
}

}  // namespace

void add_jobs_commands(CLI::App& app, jobs_command& read) {
  read.jobs = app.add_subcommand(
      "jobs", "teleports, seeds, scans and evacuations that run here now");
  read.show = app.add_subcommand("show", "all that is known of one of them");
  read.top =
      app.add_subcommand("top", "what runs here, on a screen that follows it");
  read.log = app.add_subcommand("log", "what has run here, the newest first");
  read.cancel = app.add_subcommand(
      "cancel", "end one of them, as Ctrl-C does at its own terminal");
  for (CLI::App* const one : {read.show, read.cancel}) {
    one->add_option(
           "ID",
           read.id,
           "as 'teleportctl jobs' and 'teleportctl log' show it, or more of it")
        ->required();
  }
  read.log->add_option("GUEST", read.guest, "name or uuid; without: all");
  for (CLI::App* const one : {read.jobs, read.show, read.log, read.cancel}) {
    one->add_flag("--json", read.json, "for programs");
  }
}

std::optional<int> run_jobs_command(const jobs_command& read,
                                    const settings& options) {
  if (read.jobs->parsed()) {
    return list_running(read, options);
  }
  if (read.top->parsed()) {
    const auto shown = show_top(options);
    return shown ? exit_ok : failed(shown.error());
  }
  if (read.show->parsed()) {
    return show(read, options);
  }
  if (read.log->parsed()) {
    return list_history(read, options);
  }
  if (read.cancel->parsed()) {
    return cancel(read, options);
  }
  return std::nullopt;
}

}  // namespace teleport
