// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/destination_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/xen/config.hpp"
#include "xl-teleport/destination/destination_host.hpp"

namespace teleport {

namespace {

/// Stream that xl has not taken yet, in bytes, before the link is held back.
constexpr std::size_t max_queued_stream = 16_MiB;

error out_of_time(record_type type) {
  return out_of_state("the source", type, "");
}

std::vector<std::uint64_t> sizes_of(const guest_info& guest) {
  std::vector<std::uint64_t> sizes;
  for (const guest_disk& disk : moved_disks(guest)) {
    sizes.push_back(disk.size);
  }
  return sizes;
}

}  // namespace

destination_session::destination_session(event_loop& loop,
                                         settings options,
                                         std::shared_ptr<connection> link,
                                         std::unique_ptr<content_lookup> lookup,
                                         std::function<void(int)> finished)
    : loop_(loop),
      options_(std::move(options)),
      link_(std::move(link)),
      lookup_(std::move(lookup)),
      finished_(std::move(finished)) {}

void destination_session::start() {
  connection::handlers handlers;
  handlers.on_record = [this](raw_record record) {
    on_record(std::move(record));
  };
  handlers.on_closed = [this](const error& cause) { on_link_lost(cause); };
  link_->start(std::move(handlers));
}

void destination_session::cancel() {
  fail({errc::cancelled, "teleportd was told to stop"});
}

void destination_session::on_record(raw_record record) {
  if (phase_ == phase::ending) {
    return;
  }
  if (record.type == record_type::fail) {
    on_link_lost(failure_of_source(record.body));
    return;
  }
  const auto taken = take(record);
  if (!taken) {
    fail(taken.error());
  }
}

result<void> destination_session::take(const raw_record& record) {
  if (phase_ == phase::seeding) {
    return seed_->on_record(record);
  }
  switch (record.type) {
    case record_type::hello:
      return on_hello(record);
    case record_type::query:
      return on_query(record);
    case record_type::offer:
      return on_offer(record);
    case record_type::seed:
      return on_seed(record);
    case record_type::prepare:
      return on_prepare();
    case record_type::extents:
    case record_type::block_digests:
    case record_type::extent_data:
      return on_disk_record(record);
    case record_type::guest_config:
      return on_config(record);
    case record_type::stream_piece:
      return on_stream_piece(record);
    case record_type::disks_complete:
      return on_disks_complete();
    case record_type::go:
      return on_go();
    default:
      return out_of_time(record.type);
  }
}

result<void> destination_session::on_hello(const raw_record& record) {
  if (phase_ != phase::greeting) {
    return out_of_time(record.type);
  }
  const auto checked = check_hello(record.body, "the source");
  if (!checked && checked.error().code != errc::unsupported) {
    return checked;
  }
  link_->send(record_type::hello, own_hello());
  if (!checked) {
    return checked;
  }
  phase_ = phase::offering;
  link_->allow_lanes(options_.run_path);
  return {};
}

result<void> destination_session::on_query(const raw_record& record) {
  if (phase_ != phase::offering) {
    return out_of_time(record.type);
  }
  const auto asked = read_query(record.body);
  if (!asked) {
    return asked.error();
  }
  const std::string& id = *asked;
  phase_ = phase::ending;
  loop_.work(
      [id, options = options_] { return fate_of(id, options); },
      [this, id](destination_fate fate) {
        log_info(fmt::format(
            "asked for teleport {}: {}", id, static_cast<unsigned>(fate)));
        link_->send(record_type::query_result, encode(fate));
        end(0);
      });
  return {};
}

result<void> destination_session::on_offer(const raw_record& record) {
  if (phase_ != phase::offering) {
    return out_of_time(record.type);
  }
  auto offered = read_offer(as_text(record.body));
  if (!offered) {
    return offered.error();
  }
  offer_ = std::move(*offered);
  phase_ = phase::considering;
  log_info(fmt::format("{} offers {} ({}), teleport {}",
                       link_->peer_name(),
                       offer_->guest.name,
                       offer_->guest.uuid,
                       offer_->id));
  loop_.work([offered_here = *offer_,
              options = options_] { return consider(offered_here, options); },
             [this](const result<answer>& reply) {
               if (phase_ != phase::considering) {
                 return;
               }
               if (!reply) {
                 fail(reply.error());
                 return;
               }
               phase_ =
                   reply->problems.empty() ? phase::answered : phase::offering;
               link_->send(record_type::answer, as_bytes(to_json(*reply)));
             });
  return {};
}

result<void> destination_session::on_seed(const raw_record& record) {
  if (phase_ != phase::offering) {
    return out_of_time(record.type);
  }
  auto offered = read_seed_offer(as_text(record.body));
  if (!offered) {
    return offered.error();
  }
  phase_ = phase::seeding;
  seed_ = std::make_unique<seed_reception>(
      loop_,
      options_,
      *link_,
      *lookup_,
      [this](const error& cause) { fail(cause); },
      [this] { end(0); });
  seed_->start(std::move(*offered));
  return {};
}

result<void> destination_session::prepare_here() {
  auto lock = take_lock(options_.run_path, offer_->id);
  if (!lock) {
    return in_context("another teleport of this guest is under way",
                      lock.error());
  }
  auto guest_locks = lock_guest(offer_->guest, options_);
  if (!guest_locks) {
    return guest_locks.error();
  }
  session_lock_ = std::move(*lock);
  guest_locks_ = std::move(*guest_locks);
  auto entries = journal::open(options_.journal_path());
  auto book = disk_book::open(options_.kept_disks_path());
  auto store = open_store(options_.store);
  if (!entries || !book || !store) {
    return !entries ? entries.error() : !book ? book.error() : store.error();
  }
  const auto known = entries->read(offer_->id, journal_role::destination);
  if (!known || *known) {
    return error(errc::refused, "a teleport of this number was here before");
  }
  journal_ = std::move(*entries);
  book_ = std::move(*book);
  store_ = std::move(*store);
  const auto written = write_journal(journal_state::building);
  if (!written) {
    return written;
  }
  auto placed = placement::make(offer_->guest, *store_, *book_);
  if (!placed) {
    return placed.error();
  }
  placement_ = std::move(*placed);
  return {};
}

result<void> destination_session::on_prepare() {
  if (phase_ != phase::answered) {
    return out_of_time(record_type::prepare);
  }
  phase_ = phase::preparing;
  link_->pause();
  ++jobs_;
  loop_.work([this] { return prepare_here(); },
             [this](const result<void>& outcome) { prepared(outcome); });
  return {};
}

void destination_session::prepared(const result<void>& outcome) {
  --jobs_;
  link_->resume();
  if (failed_) {
    give_up();
    return;
  }
  if (!outcome) {
    fail(outcome.error());
    return;
  }
  phase_ = phase::receiving;
  disk_intake::events events;
  events.send = [this](const raw_record& record) {
    link_->send(record.type, record.body);
  };
  events.on_failed = [this](const error& cause) { fail(cause); };
  events.on_rest = [this] { give_up(); };
  intake_ = std::make_unique<disk_intake>(loop_,
                                          *lookup_,
                                          options_.state_path,
                                          sizes_of(offer_->guest),
                                          std::move(events));
  intake_->set_targets(placement_->targets());
  link_->send(record_type::prepared,
              as_bytes(to_json(placement_->described())));
}

result<void> destination_session::on_disk_record(const raw_record& record) {
  if (phase_ != phase::receiving && phase_ != phase::arriving) {
    return out_of_time(record.type);
  }
  return intake_->on_record(record);
}

result<void> destination_session::on_config(const raw_record& record) {
  if (phase_ != phase::receiving || !intake_->state().idle()) {
    return out_of_time(record.type);
  }
  phase_ = phase::settling;
  link_->pause();
  const std::string config(as_text(record.body));
  ++jobs_;
  loop_.work([this] { return placement_->settle(); },
             [this, config](const result<void>& outcome) {
               --jobs_;
               settled(outcome, config);
             });
  return {};
}

void destination_session::settled(const result<void>& outcome,
                                  const std::string& config) {
  link_->resume();
  if (failed_) {
    give_up();
    return;
  }
  phase_ = phase::arriving;
  if (!outcome) {
    fail(outcome.error());
    return;
  }
  intake_->set_targets(placement_->targets());
  const auto paths = placement_->paths();
  const auto mapped = map_disks(config, paths);
  if (!mapped) {
    fail(mapped.error());
    return;
  }
  guest_arrival::events events;
  events.on_built = [this] { guest_built(); };
  events.on_started = [this](bool runs) { guest_started(runs); };
  events.on_failed = [this](const error& cause) { on_xl_failed(cause); };
  events.on_drained = [this] {
    if (phase_ == phase::arriving) {
      link_->resume();
    }
  };
  gate_hook hook{options_.at_gate_hook,
                 {"TELEPORT_GUEST=" + offer_->guest.name,
                  "TELEPORT_UUID=" + offer_->guest.uuid}};
  std::string disks;
  for (const auto& [vdev, path] : paths) {
    disks += fmt::format("{}{}={}", disks.empty() ? "" : " ", vdev, path);
  }
  hook.environment.push_back("TELEPORT_DISKS=" + disks);
  arrival_ = std::make_unique<guest_arrival>(loop_,
                                             std::move(events),
                                             std::move(hook),
                                             options_.record_stream,
                                             offer_->id);
  const auto started = arrival_->start(*mapped);
  if (!started) {
    fail(started.error());
  }
}

result<void> destination_session::on_stream_piece(const raw_record& record) {
  if (phase_ != phase::arriving) {
    return out_of_time(record.type);
  }
  auto piece = decode_stream_piece(record.body);
  if (!piece) {
    return piece.error();
  }
  const auto taken = arrival_->on_piece(
      {static_cast<coded_piece::kind>(piece->kind), std::move(piece->body)});
  if (taken && arrival_->queued() > max_queued_stream) {
    link_->pause();
  }
  return taken;
}

result<void> destination_session::on_disks_complete() {
  if (phase_ != phase::arriving) {
    return out_of_time(record_type::disks_complete);
  }
  if (!intake_->state().all_proven()) {
    return error(errc::protocol, "the disks are not all proven");
  }
  ++jobs_;
  loop_.work([this] { return placement_->flush(); },
             [this](const result<void>& outcome) {
               --jobs_;
               disks_durable(outcome);
             });
  return {};
}

void destination_session::disks_durable(const result<void>& outcome) {
  if (failed_) {
    give_up();
  } else if (!outcome) {
    fail(outcome.error());
  } else if (!intake_->state().all_proven()) {
    fail({errc::protocol, "blocks came after the disks were complete"});
  } else {
    link_->send(record_type::disks_durable, {});
    arrival_->disks_ready();
  }
}

}  // namespace teleport
