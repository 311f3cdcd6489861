// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/bpf_links.hpp: the links by which this process keeps the
// programs of its trackers attached, for tests that detach one under a tracker.

#ifndef TELEPORT_TEST_SUPPORT_BPF_LINKS_HPP
#define TELEPORT_TEST_SUPPORT_BPF_LINKS_HPP

#include <string>

namespace teleport::test {

/// This process's descriptor of the link that attaches a program. Fails the
/// test where there is none.
[[nodiscard]] int link_of(const std::string& program);

/// Detaches a program: its descriptor becomes one of /dev/null.
void detach(const std::string& program);

}  // namespace teleport::test

#endif  // TELEPORT_TEST_SUPPORT_BPF_LINKS_HPP
