// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/told_job.hpp: a source's teleport or seed as
// 'teleportctl jobs' tells of it: from its guest, its progress and its report.
//
// Threads: pure functions.

#ifndef XL_TELEPORT_SOURCE_TOLD_JOB_HPP
#define XL_TELEPORT_SOURCE_TOLD_JOB_HPP

#include <string>

#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/setup/running_job.hpp"
#include "xl-teleport/source/progress_view.hpp"
#include "xl-teleport/source/report.hpp"
#include "xl-teleport/source/seed_report.hpp"

namespace teleport {

/// @param id  empty: none of the wire's
[[nodiscard]] job told_job(job_kind kind,
                           const guest_info& guest,
                           const std::string& host,
                           const std::string& id = "");

/// For a session's tell_progress().
///
/// @param ticker  outlives it
[[nodiscard]] progress_view::observer told_to(job_ticker& ticker);

/// @param cancelled  by a signal
[[nodiscard]] job_end told_end(const move_report& report, bool cancelled);
[[nodiscard]] job_end told_end(const seed_report& report, bool cancelled);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_TOLD_JOB_HPP
