// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/destination_end.cpp: destination_session from the built guest to
// its end: the guest runs here, or everything is left as an attempt that may be
// repeated.

#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/wire/failure.hpp"
#include "xl-teleport/destination/destination_session.hpp"

namespace teleport {

void destination_session::guest_built() {
  act(handover_.on_built());
}

result<void> destination_session::on_go() {
  if (phase_ != phase::arriving) {
    return error(errc::protocol, "GO out of time");
  }
  act(handover_.on_go());
  return {};
}

void destination_session::guest_started(bool runs) {
  act(handover_.on_started(runs));
}

void destination_session::act(destination_handover::action action) {
  using todo = destination_handover::action;
  switch (action) {
    case todo::none:
    case todo::leave:
      return;
    case todo::journal_ready: {
      const auto written = write_journal(journal_state::ready);
      if (!written) {
        fail(written.error());
        return;
      }
      link_->send(record_type::guest_received, {});
      return;
    }
    case todo::journal_go:
      act(handover_.on_journalled(
          write_journal(journal_state::go).has_value()));
      return;
    case todo::start_guest:
      arrival_->unpause();
      return;
    case todo::refuse:
      fail({errc::protocol, "GO out of time"});
      return;
    case todo::destroy:
      failed_ = true;
      give_up();
      return;
    case todo::journal_running:
    case todo::journal_abandoned: {
      const bool runs = action == todo::journal_running;
      const auto written = write_journal(runs ? journal_state::running
                                              : journal_state::abandoned);
      if (!written) {
        log_error(written.error().context);
        if (!runs) {
          // A promise that is not durable is not given: the source asks again.
          phase_ = phase::ending;
          end(1);
          return;
        }
      }
      go_result result;
      result.runs = runs;
      result.sentence = runs ? "" : "xl could not start the guest there";
      result.bulk = intake_->state().bulk();
      result.rounds = intake_->state().rounds();
      link_->send(record_type::go_result, as_bytes(to_json(result)));
      log_info(offer_->guest.name + (runs ? " runs here" : " did not start"));
      const auto kept = runs ? placement_->keep() : placement_->put_back();
      if (!kept) {
        log_warning(kept.error().context);
      }
      phase_ = phase::ending;
      end(runs ? 0 : 1);
      return;
    }
  }
}

void destination_session::on_link_lost(const error& cause) {
  link_->close();
  if (phase_ == phase::ending) {
    return;
  }
  fail(cause);
}

void destination_session::on_xl_failed(const error& cause) {
  if (handover_.at() != destination_handover::state::starting) {
    fail(cause);
    return;
  }
  // GO was given to xl, and xl died before it said what came of it. The
  // journal says "go": fate_of() looks at Xen when the source asks.
  log_error("after GO: " + cause.context);
  phase_ = phase::ending;
  end(1);
}

void destination_session::fail(const error& cause) {
  if (failed_ || phase_ == phase::ending) {
    return;
  }
  log_warning(cause.context);
  const failure_note note{std::string(name_of(cause.code)), cause.context};
  if (seed_) {
    phase_ = phase::ending;
    link_->send(record_type::fail, encode(note));
    seed_->give_up([this] { end(1); });
    return;
  }
  const auto action = handover_.on_failure();
  if (action == destination_handover::action::leave) {
    return;  // the guest runs or is about to: xl's answer ends this session
  }
  failed_ = true;
  failure_ = cause.context;
  link_->send(record_type::fail, encode(note));
  give_up();
}

/// Once nothing uses the disks any more, leaves everything as an attempt that
/// may be repeated.
void destination_session::give_up() {
  if (intake_) {
    intake_->stop();
  }
  if (jobs_ != 0 || (intake_ && !intake_->at_rest()) ||
      phase_ == phase::ending) {
    return;  // the last job's end comes back here
  }
  phase_ = phase::ending;
  if (arrival_) {
    arrival_->shut();
  }
  loop_.work(
      [this]() -> result<void> {
        if (arrival_) {
          const auto ended = arrival_->wait_for_end();
          if (!ended) {
            return ended.error();
          }
        }
        if (journal_) {
          const auto written = write_journal(journal_state::abandoned);
          if (!written) {
            log_warning(written.error().context);
          }
        }
        return placement_ ? placement_->put_back() : result<void>();
      },
      [this](const result<void>& outcome) {
        if (!outcome) {
          log_warning(outcome.error().context);
        }
        end(1);
      });
}

void destination_session::end(int exit_code) {
  phase_ = phase::ending;
  // The last record must have left before the process ends.
  link_->finish([this, exit_code] {
    loop_.work(
        [this] { return arrival_ ? arrival_->wait_for_end() : result<int>(0); },
        [this, exit_code](const result<int>&) { finished_(exit_code); });
  });
}

result<void> destination_session::write_journal(journal_state state) {
  journal_entry entry;
  entry.id = offer_->id;
  entry.role = journal_role::destination;
  entry.state = state;
  entry.guest = offer_->guest.name;
  entry.uuid = offer_->guest.uuid;
  entry.peer = link_->peer_name();
  return journal_->write(entry);
}

}  // namespace teleport
