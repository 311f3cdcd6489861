// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/command.hpp: the command line of one teleport, started here,
// or for the way back at the host where the guest runs now.
//
// Threads: pure functions.
// Trust:   no shell here, and what a shell elsewhere sees is quoted: a guest's
//          name may hold any character.

#ifndef TOOLS_EVACUATE_COMMAND_HPP
#define TOOLS_EVACUATE_COMMAND_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "xl-teleport/setup/link_plan.hpp"

namespace teleport::evacuation {

enum class purpose { preflight, move };

/// xl-teleport's arguments, without the program.
///
/// @param settings_file  "": the usual one
/// @param bwlimit        0: none of its own
[[nodiscard]] std::vector<std::string> teleport_arguments(
    purpose what,
    const std::string& guest,
    const std::string& host,
    const std::string& settings_file,
    link_rate bwlimit = 0);

/// What each of so many teleports may send, so that all together keep to it.
[[nodiscard]] link_rate share_of(link_rate all, std::size_t teleports);

/// The same, started at `at`. The teleport there is cancelled when our end of
/// its standard input closes, also by our death: ssh carries no signals.
///
/// @param at            as xl-teleport knows it; a port there is teleportd's
/// @param remote_shell  the program and its options: {"ssh"}
[[nodiscard]] std::vector<std::string> command_at(
    const std::vector<std::string>& remote_shell,
    const std::string& at,
    const std::vector<std::string>& arguments);

/// As a POSIX shell's one word.
[[nodiscard]] std::string shell_word(std::string_view text);

/// How xl-teleport is told a guest: by its name, but for one made of digits
/// alone, which it would take for a domain's id.
[[nodiscard]] std::string named_for_xl(const std::string& name, unsigned domid);

/// Not empty, no option, no blank or control character: for ssh and for
/// xl-teleport.
[[nodiscard]] bool is_host_name(std::string_view text);

/// `text` at its blanks.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_COMMAND_HPP
