// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/opening.hpp"

#include <utility>

#include "libteleport/session/greeting.hpp"
#include "libteleport/wire/record.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {

result<void> open_session(connection& link,
                          connection::handlers handlers,
                          const settings& options,
                          link_rate bwlimit,
                          const opening_record& wanted) {
  link.set_pacer(make_pacer(bwlimit, options.bwlimit, options.run_path));
  handlers.on_closed = [closed =
                            std::move(handlers.on_closed)](const error& cause) {
    closed(
        {cause.code, "the link to the destination is lost: " + cause.context});
  };
  link.start(std::move(handlers));
  auto may = rights_of_peer(options.keys.peers, link.peer_key())
                 .check(wanted.deed, wanted.guest);
  if (!may) {
    link.close();  // the sentence names the guest
    return may;
  }
  link.send(record_type::hello, own_hello());
  link.send(wanted.type, as_bytes(wanted.json));
  return may;
}

result<void> read_setup(const raw_record& record,
                        const std::string& host,
                        std::vector<offered_target>& targets) {
  switch (record.type) {
    case record_type::hello:
      return check_hello(record.body, host);
    case record_type::prepared: {
      auto prepared = read_targets(as_text(record.body));
      if (!prepared) {
        return prepared.error();
      }
      targets = std::move(*prepared);
      return {};
    }
    case record_type::fail:
      return failure_of_destination(record.body, host);
    default:
      return check_empty(record.type, record.body);
  }
}

}  // namespace teleport
