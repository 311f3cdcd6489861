// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/session_process.hpp"

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>

#include "index/hash_index.hpp"
#include "libteleport/base/allocator.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/migrate/no_lookup.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/identity.hpp"
#include "tools/teleportd/own_process.hpp"
#include "tools/teleportd/peer_watch.hpp"
#include "xl-teleport/destination/arrival_teller.hpp"
#include "xl-teleport/destination/destination_session.hpp"
#include "xl-teleport/destination/donor_meter.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"
#include "xl-teleport/setup/running_job.hpp"

namespace teleport {

namespace {

/// Pool threads of a session: disks and hashing.
constexpr unsigned session_workers = 4;

/// A limited host has no donors: they are other hosts' guests' disks, and by
/// digests it could ask what is on them.
std::unique_ptr<content_lookup> donors_for(const peer_rights& rights,
                                           const settings& options) {
  if (rights.is_limited()) {
    return std::make_unique<no_lookup>();
  }
  return std::make_unique<index::hash_index>(options.index_path);
}

}  // namespace

int run_session(const settings& options, const std::string& key, permit may) {
  unique_fd records(own_process_socket);
  // It was inherited; what libxl starts is not to inherit it again.
  static_cast<void>(::fcntl(records.get(), F_SETFD, FD_CLOEXEC));
  const auto peers = pinned_peers::load(options.keys.peers);
  const auto name = peers ? peers->name_of(key) : std::nullopt;
  if (!name) {
    log_error("the source is not paired any more");
    return exit_failed;
  }
  keep_freed_memory();
  event_loop loop(session_workers);
  known_peer peer{*name, key};
  destination_session* open = nullptr;
  // Before the rights are read: what changes after it is seen.
  const peer_watch watch(
      loop, options.keys.peers, [&](const pinned_peers& now) {
        if (!is_paired(now, key)) {
          open->cancel("the source is not paired any more");
        } else if (rights_of_peer(options.keys.peers, key) != peer.rights) {
          open->cancel("what the source may do here has changed");
        }
      });
  peer.rights = rights_of_peer(options.keys.peers, key);
  int exit_code = exit_failed;
  std::optional<destination_session> session;
  session.emplace(
      loop,
      options,
      peer,
      connection::inside(loop, std::move(records), {key, *name}),
      std::make_unique<donor_meter>(
          donors_for(peer.rights, options), *name, options.run_path, key),
      [&](int code) {
        exit_code = code;
        loop.stop();
      });
  open = &*session;
  if (may != permit::transfer) {
    open->allow_only_questions();
  }
  loop.on_stop_signal([&](int signal) {
    open->cancel(signal == SIGINT ? "it was cancelled at the destination"
                                  : "teleportd was told to stop");
  });
  running_job told(options);
  arrival_teller teller(loop, told, peer.name, [&] { return open->look(); });
  loop.post([&] {
    open->start();
    teller.start();
  });
  loop.run();
  loop.join();
  const arrival_sight last = open->look();
  session.reset();  // the next attempt waits for its locks, not for the history
  teller.end(last);
  return exit_code;
}

}  // namespace teleport
