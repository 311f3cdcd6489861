// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/key_probe.hpp"

#include <chrono>
#include <optional>

#include "libteleport/base/unique_id.hpp"
#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/source/fate_query.hpp"

namespace teleport {

bool is_let_in(const key_files& keys,
               const std::string& name,
               std::uint16_t port,
               const std::string& host) {
  // About a teleport that never was: the answer changes nothing there.
  const auto nobody = unique_id::make();
  if (!nobody) {
    return false;
  }
  event_loop loop(1);
  bool answered = false;
  fate_query query(loop,
                   {keys, name, port, host, {nobody->text(), ""}},
                   std::chrono::seconds(0),
                   [&](const std::optional<destination_fate>& fate) {
                     answered = fate.has_value();
                     loop.stop();
                   });
  query.ask();
  loop.run();
  loop.join();
  return answered;
}

}  // namespace teleport
