// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/running_job.hpp: the job that this process is at work on,
// as others are told of it (job_files.hpp). Nothing of the job depends on that:
// a file that cannot be written costs a line in the log.
//
//   running_job told(config);
//   told.begin(about);            // durable: a loss of power leaves it
//   told.note({line, ...});       // from second to second
//   told.end({"moved", ...});
//
// Threads: one at a time. job_ticker writes on the pool, so that the loop waits
//          for no file; begin() and end() are called while no loop runs, or by
//          its pool.
// Blocks:  on files; begin() and end() until they are durable.

#ifndef XL_TELEPORT_SETUP_RUNNING_JOB_HPP
#define XL_TELEPORT_SETUP_RUNNING_JOB_HPP

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/setup/job.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// One moment of it.
struct job_moment {
  std::string line;
  bool revocable = true;
  nlohmann::json progress = nullptr;
};

struct job_end {
  std::string outcome;
  std::string sentence = {};
  std::string summary = {};
  nlohmann::json report = nullptr;
};

class running_job {
 public:
  explicit running_job(settings config) : config_(std::move(config)) {}

  /// Once; what comes before it is dropped.
  ///
  /// @param about  its process and the time of its begin are filled in here,
  ///               and an id where it has none, or one that is used already
  void begin(job about);
  [[nodiscard]] bool has_begun() const noexcept { return job_.has_value(); }
  /// Another attempt of a teleport begins.
  void add_attempt(const std::string& id);
  void note(const job_moment& now);
  /// Of a job that has begun; its file among those that run goes.
  void end(job_end over);

 private:
  settings config_;
  std::optional<job> job_;
  bool complained_ = false;
};

/// Notes moments on the pool, one at a time: while one is written the next are
/// dropped, as there is another one a second later.
class job_ticker {
 public:
  /// @param loop, told  outlive this
  job_ticker(event_loop& loop, running_job& told) : loop_(loop), told_(told) {}

  /// On the loop's thread.
  ///
  /// @param before  done on the pool before it
  void note(job_moment now, std::function<void(running_job&)> before = {});

 private:
  event_loop& loop_;
  running_job& told_;
  std::shared_ptr<bool> busy_ = std::make_shared<bool>(false);
};

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_RUNNING_JOB_HPP
