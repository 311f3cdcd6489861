// SPDX-License-Identifier: LGPL-2.1-or-later
//
// disk-copy: brings a disk to another host as a seed does. What TARGET or a
// disk in INDEX holds does not cross the link; each MiB is proven by its
// SHA-256. The ends speak by standard input and output; in bash, over ssh:
//
//   coproc ssh host2 disk-copy TARGET INDEX
//   disk-copy DISK <&"${COPROC[0]}" >&"${COPROC[1]}"

#include <unistd.h>

#include "index/hash_index.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/migrate/disk_receiver.hpp"
#include "libteleport/migrate/disk_sender.hpp"
#include "libteleport/net/pipe.hpp"

using namespace teleport;

auto must(auto made) {
  if (made) return std::move(made).value();
  log_error(made.error().context);
  ::_exit(1);
}

// Jobs run on the pool, records go out, and come to `take` until it says true.
void run(auto& machine, auto work, auto take) {
  event_loop loop(4);
  framer input;
  bool over = false;
  std::function<void()> pump;
  pipe_reader in(loop, unique_fd(0));
  pipe_writer out(loop, unique_fd(1), must<result<void>>, [&] { pump(); });
  const auto send = [&](auto type, auto body) { out.write(frame(type, body)); };
  pump = [&] {
    while (auto action = machine.next()) {
      if (auto* record = std::get_if<raw_record>(&*action)) {
        send(record->type, record->body);
        continue;
      }
      auto job = std::make_shared<decltype(action)>(std::move(action));
      loop.work([=] { return work(std::move(std::get<0>(**job))); },
                [&](auto done) {
                  machine.on_job_done(must(std::move(done)));
                  pump();
                });
    }
    if (over && out.queued() == 0) loop.stop();
  };
  const std::function<void(result<byte_buffer>)> read = [&](auto got) {
    if (must(got).empty())
      must<result<void>>(error(errc::peer_lost, "the other end is gone"));
    input.feed(*got);
    while (auto record = must(input.next())) over = take(*record, send);
    pump();
    in.read(65536, read);
  };
  in.read(65536, read);
  pump();
  loop.run();
  loop.join();
}

int main(int argc, char** argv) {
  log_setup("disk-copy", log_level::warning);
  if (argc < 2 || argc > 3) return 2;
  const auto disk = must(open_device(
      argv[1], argc == 2 ? open_mode::read_only : open_mode::read_write));
  if (argc == 2) {
    disk_sender machine({disk->size()});
    block_packer packer;
    const auto work = [&](const sender_job& job) {
      return do_sender_job(job, {{disk.get()}}, packer);
    };
    machine.start_bulk();
    run(machine, work, [&](const raw_record& record, auto send) {
      if (record.type == record_type::seeded) return true;
      must(machine.on_record(record));
      if (machine.idle()) send(record_type::disks_complete, byte_span());
      return false;
    });
    return 0;
  }
  index::hash_index lookup{std::string(argv[2])};
  disk_receiver machine({disk->size()}, possession_probe::make());
  block_unpacker unpacker;
  const auto work = [&](receiver_job job) {
    return do_receiver_job(std::move(job), {{disk.get()}}, lookup, unpacker);
  };
  run(machine, work, [&](const raw_record& record, auto send) {
    const bool over = record.type == record_type::disks_complete;
    must(over ? disk->flush() : machine.on_record(record));
    if (over && !machine.all_proven())
      must<result<void>>(error(errc::mismatch, "TARGET is larger than DISK"));
    if (over) send(record_type::seeded, byte_span());
    return over;
  });
}
