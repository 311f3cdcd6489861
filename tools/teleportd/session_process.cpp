// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/session_process.hpp"

#include <memory>
#include <string>

#include "index/hash_index.hpp"
#include "libteleport/base/allocator.hpp"
#include "libteleport/migrate/no_lookup.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "tools/teleportd/door_channel.hpp"
#include "tools/teleportd/own_process.hpp"
#include "tools/teleportd/peer_watch.hpp"
#include "xl-teleport/destination/destination_session.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {

namespace {

/// Pool threads of a session: disks and hashing.
constexpr unsigned session_workers = 4;

/// Tells the daemon who has come, or why nobody was let in.
permit tell_daemon(const result<std::shared_ptr<connection>>& link) {
  return introduce(own_process_channel,
                   {static_cast<bool>(link),
                    link ? (*link)->peer_key() : link.error().context});
}

/// A limited host has no donors: they are other hosts' guests' disks, and by
/// digests it could ask what is on them.
std::unique_ptr<content_lookup> lookup_for(const peer_rights& rights,
                                           const settings& options) {
  if (rights.is_limited()) {
    return std::make_unique<no_lookup>();
  }
  return std::make_unique<index::hash_index>(options.index_path);
}

}  // namespace

int run_session(const settings& options) {
  const auto handed_over =
      hand_over_to_link(own_process_socket, options.run_path);
  if (!handed_over) {
    (void)introduce(own_process_channel, {false, handed_over.error().context});
    return exit_failed;
  }
  if (*handed_over) {
    return exit_ok;
  }
  keep_freed_memory();
  event_loop loop(session_workers);
  std::unique_ptr<destination_session> session;
  std::unique_ptr<peer_watch> watch;
  int exit_code = exit_failed;
  loop.on_stop_signal([&](int) {
    if (session) {
      session->cancel("teleportd was told to stop");
    } else {
      loop.stop();
    }
  });
  connection::accept(
      loop,
      {options.keys, options.link},
      unique_fd(own_process_socket),
      [&](result<std::shared_ptr<connection>> link) {
        const permit may = tell_daemon(link);
        if (!link || may == permit::none) {
          loop.stop();
          return;
        }
        const std::string key = (*link)->peer_key();
        const peer_rights rights = rights_of_peer(options.keys.peers, key);
        session = std::make_unique<destination_session>(
            loop, options, *link, lookup_for(rights, options), [&](int code) {
              exit_code = code;
              loop.stop();
            });
        if (may == permit::ask) {
          session->allow_only_questions();
        }
        if (rights.is_limited()) {
          session->tell_no_paths();
        }
        watch = std::make_unique<peer_watch>(
            loop,
            options.keys.peers,
            [&, key, rights](const pinned_peers& peers) {
              if (!is_paired(peers, key)) {
                session->cancel("the source is not paired any more");
              } else if (rights_of_peer(options.keys.peers, key) != rights) {
                session->cancel("what the source may do here has changed");
              }
            });
        session->start();
      });
  loop.run();
  loop.join();
  return exit_code;
}

}  // namespace teleport
