// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/seed_command.hpp"

#include <iostream>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/allocator.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/setup/command_line.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/host_port.hpp"
#include "xl-teleport/source/reconnect.hpp"
#include "xl-teleport/source/seed_host.hpp"
#include "xl-teleport/source/seed_session.hpp"
#include "xl-teleport/source/told_job.hpp"

namespace teleport {

namespace {

/// Threads that read and hash disks; half of disk_mover's jobs, so that each
/// finds its next one waiting.
constexpr unsigned workers = 4;

int complain(const std::string& sentence, int code) {
  std::cerr << "teleportctl: " << sentence << '\n';
  return code;
}

/// One attempt.
struct attempt {
  result<void> outcome;
  seed_report report;
  bool began = false;  ///< what is to be seeded is known
  bool lost_link = false;
  bool cancelled = false;
};

attempt_end end_of(const attempt& last) {
  if (last.outcome || last.cancelled || !last.began) {
    return attempt_end::over;
  }
  return last.lost_link ? attempt_end::link_lost
         // Errors after which another attempt may succeed: the host cannot be
         // reached, or is still busy with the last attempt.
         : last.report.disks.empty() ? attempt_end::not_there
                                     : attempt_end::over;
}

attempt seed_once(const seed_command& command,
                  seed_request request,
                  const settings& options,
                  running_job& told) {
  attempt one;
  auto guest = command.disk.empty()
                   ? look_at_running(command.names.front())
                   : look_at_image(command.disk, command.belongs_to);
  if (!guest) {
    one.outcome = guest.error();
    one.report.guest =
        command.disk.empty() ? command.names.front() : command.belongs_to;
    one.report.destination = request.host;
    one.report.sentence = guest.error().context;
    return one;
  }
  one.began = true;
  told.begin(told_job(job_kind::seed, *guest, request.host));
  request.guest = std::move(*guest);
  event_loop loop(workers);
  job_ticker ticker(loop, told);
  seed_session session(
      loop, std::move(request), options, [&](const result<void>& ended) {
        one.outcome = ended;
        loop.stop();
      });
  loop.on_stop_signal([&](int) {
    one.cancelled = true;
    session.cancel();
  });
  session.tell_progress(told_to(ticker));
  session.start();
  loop.run();
  loop.join();
  one.report = session.report();
  one.lost_link = session.lost_link();
  return one;
}

}  // namespace

void add_seed_command(CLI::App& app, seed_command& command) {
  auto* seed = app.add_subcommand(
      "seed",
      "bring disks to another host ahead of a teleport; the copy is that of no "
      "single moment, and the teleport proves and mends it");
  seed->add_option("NAMES",
                   command.names,
                   "DOMAIN HOST: all disks of a running guest; with --disk "
                   "HOST alone. HOST may be HOST:PORT")
      ->required()
      ->expected(1, 2);
  auto* disk = seed->add_option("--disk",
                                command.disk,
                                "an image or block device, without a guest")
                   ->type_name("PATH");
  seed->add_option("--as",
                   command.belongs_to,
                   "with --disk: the guest that it is kept for, by name or "
                   "uuid, and which disk of it, as web1:xvdb; by default a "
                   "guest called as the image is, and its xvda")
      ->type_name("GUEST[:DISK]")
      ->needs(disk);
  add_port_option(*seed, command.port, "port of teleportd there");
  add_peer_option(*seed, command.peer);
  add_bwlimit_option(*seed, command.bwlimit);
  add_connections_option(*seed, command.connections);
  add_reconnect_option(*seed, command.reconnect_limit);
  seed->add_flag("--json", command.json, "the report as JSON, for programs");
  seed->add_flag("--no-progress", command.no_progress, "the report alone");
  seed->add_flag("-q,--quiet", command.quiet, "nothing but errors");
  command.parsed = seed;
}

int run_seed_command(const seed_command& command, settings options) {
  keep_freed_memory();
  const bool image = !command.disk.empty();
  if (command.names.size() != (image ? 1 : 2)) {
    return complain(image ? "seed --disk IMAGE HOST: a guest cannot be named "
                            "as well; --as says whose disk it is"
                          : "seed DOMAIN HOST, or seed --disk IMAGE HOST",
                    exit_usage);
  }
  seed_request request;
  request.link = options.link;
  request.link.connections =
      command.connections.value_or(request.link.connections);
  request.bwlimit = command.bwlimit;
  request.port = command.port == 0 ? options.port : command.port;
  if (!split_host(command.names.back(), request.host, request.port)) {
    return complain(host_fault(command.names.back()), exit_usage);
  }
  if (!command.peer.empty()) {
    options.keys.aliases[request.host] = command.peer;
  }
  if (!command.json && !command.no_progress && !command.quiet) {
    request.progress = progress_view::for_people();
  }
  running_job told(options);
  const attempt last = with_reconnect(
      command.reconnect_limit,
      [&] { return seed_once(command, request, options, told); },
      end_of,
      [&](const attempt& failed, std::chrono::seconds pause) {
        const std::string why = fmt::format("{}; trying again in {} s",
                                            failed.outcome.error().context,
                                            pause.count());
        told.note({why});
        if (!command.json && !command.quiet) {
          std::cerr << "teleportctl: " << why << '\n';
        }
      });
  told.end(told_end(last.report, last.cancelled));
  if (command.json) {
    std::cout << dump(to_json(last.report)) << '\n';
  }
  if (!last.outcome) {
    return complain(
        last.outcome.error().context +
            (last.report.disks.empty() && last.report.link_losses == 0
                 ? ""
                 : "; what was transferred serves the next attempt"),
        exit_failed);
  }
  if (!command.json && !command.quiet) {
    std::cout << to_text(last.report);
  }
  return exit_ok;
}

}  // namespace teleport
