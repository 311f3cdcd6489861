// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/job.hpp: what a program of ours is at work on, for another
// terminal: a teleport, a seed, a scan or an evacuation, from its begin until
// long after its end; and what may be decided about one.
//
// Threads: plain values and pure functions.
// Trust:   files of root's; names and sentences in them come from other hosts
//          as well, and are written without characters that do something to a
//          terminal.

#ifndef XL_TELEPORT_SETUP_JOB_HPP
#define XL_TELEPORT_SETUP_JOB_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/base/process_life.hpp"

namespace teleport {

enum class job_kind : std::uint8_t { teleport, seed, scan, evacuation };
/// This host's part in it.
enum class job_role : std::uint8_t { source, destination, here };

[[nodiscard]] std::string_view name_of(job_kind kind) noexcept;
[[nodiscard]] std::string_view name_of(job_role role) noexcept;

struct job {
  /// 32 hexadecimal digits at random. Of a teleport that of its first attempt,
  /// which both hosts know.
  std::string id;
  job_kind kind = job_kind::teleport;
  job_role role = job_role::here;
  std::string guest;  ///< its name; empty of a scan and of an evacuation
  std::string uuid;   ///< the guest's
  std::string disk;   ///< of a scan: its path
  std::string host;   ///< the other one; of an evacuation all that it may use
  /// Ids of the teleport's later attempts, each of which is a job of its own at
  /// the destination.
  std::vector<std::string> attempts;
  process_life process;
  bool by_teleportd = false;  ///< a scan that nobody asked for
  std::int64_t begun = 0;     ///< seconds since 1970
  /// Of that second, in which others may begin as well.
  std::uint32_t begun_nanoseconds = 0;
  // What changes while it runs.
  std::string line;       ///< how far it is, for people
  bool revocable = true;  ///< the guest was not given away yet
  nlohmann::json progress = nullptr;
  // What is known once it is over.
  std::int64_t ended = 0;  ///< 0: not yet
  std::string outcome;     ///< "moved", "failed"
  std::string sentence;    ///< why
  std::string summary;     ///< lines for people
  nlohmann::json report = nullptr;
};

/// One line of JSON; with texts as job.hpp says.
[[nodiscard]] std::string to_text(const job& one);
/// @error errc::corrupt
[[nodiscard]] result<job> read_job(std::string_view text);

/// The name of its file: its id and role.
[[nodiscard]] std::string file_of(const job& one);

enum class job_state : std::uint8_t {
  under_way,
  ended,
  cut_short,  ///< its process has ended without a word
};

[[nodiscard]] std::string_view name_of(job_state state) noexcept;

/// @param alive  its process is
[[nodiscard]] job_state state_of(const job& one, bool alive) noexcept;

/// Digits of an id that are enough to name a job.
inline constexpr std::size_t least_id_digits = 4;

/// The jobs that a beginning of an id names: one, or both ends of one.
///
/// @return their places
/// @error errc::bad_input: no id; errc::not_found; errc::busy: of several
[[nodiscard]] result<std::vector<std::size_t>> find_jobs(
    const std::vector<job>& all, std::string_view id);

/// Which signal does what Ctrl-C would do at the job's own terminal.
///
/// @error errc::refused: why it cannot be cancelled, or not from here
[[nodiscard]] result<int> cancel_signal(const job& one);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_JOB_HPP
