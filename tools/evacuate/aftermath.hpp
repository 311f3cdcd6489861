// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/aftermath.hpp: after a crash: what became of the teleports
// that the last evacuation had under way.
//
// Blocks: until the last of them has ended; they end by themselves, as each
//         was told to when its evacuation died.

#ifndef TOOLS_EVACUATE_AFTERMATH_HPP
#define TOOLS_EVACUATE_AFTERMATH_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "tools/evacuate/evacuation_run.hpp"
#include "tools/evacuate/logbook.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport::evacuation {

/// By the journal; a GO without an answer goes before all else, and is assumed
/// where the journal cannot be read.
[[nodiscard]] open_departure departure_of(const settings& config,
                                          const std::string& uuid);

/// Opens the record for a run: the one that a crash has cut short, if it went
/// the same way, else a new one. What had arrived by then is noted as away;
/// what is still here is left to the next plan.
///
/// @param back  this run brings home
/// @return what the run that goes on has done; empty for a new one
[[nodiscard]] result<past_run> take_up(record& kept,
                                       bool back,
                                       const machine& here,
                                       const settings& config);

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_AFTERMATH_HPP
