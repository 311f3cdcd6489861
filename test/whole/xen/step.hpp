// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/step.hpp: the places at which the harness can hold a process,
// to kill it or another one there. None is reached by time.
//
// A step is called ROLE.WHAT.before or ROLE.WHAT.after; ROLE is who we are
// ("teleport", "session", ...). When the harness has made the pipes
// /gates/STEP.reached and /gates/STEP.goes_on, whoever comes to the step says
// so through the first and waits for a line in the second: the errno value with
// which the step is to fail, or 0. Without them a step costs one look into a
// folder.
//
// Threads: any. Blocks: at a step that is held, for as long as it is.

#ifndef TEST_WHOLE_XEN_STEP_HPP
#define TEST_WHOLE_XEN_STEP_HPP

#include <string>

namespace teleport::whole {

/// "teleport", "recover", "guardian", "session", "teleportd", "keeper",
/// "receive", "xl", "helper", "guest", "teleportctl", "evacuate".
[[nodiscard]] const std::string& own_role();

/// We are about to do WHAT.
/// @return 0, or the errno value with which it is to fail
[[nodiscard]] int before(const std::string& what);
/// WHAT was done.
void after(const std::string& what);

}  // namespace teleport::whole

#endif  // TEST_WHOLE_XEN_STEP_HPP
