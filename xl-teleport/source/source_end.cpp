// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/source_end.cpp: source_session's ends: the guest moved,
// the guest stays, or nobody knows. Before GO every failure comes to "stays".

#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/told_failure.hpp"
#include "libteleport/wire/failure.hpp"
#include "xl-teleport/source/source_session.hpp"

namespace teleport {

void source_session::cancel() {
  if (!course_.may_cancel()) {
    log_warning(
        "this cannot be taken back: the guest was given to the destination. "
        "The teleport goes on to its end");
    return;
  }
  fail({errc::cancelled, "cancelled"});
}

void source_session::fail(const error& cause) {
  const bool begun = course_.has_begun();
  if (!course_.on_failure()) {
    return;  // what counts has been decided already
  }
  log_debug("failure: " + cause.context);
  report_.sentence = cause.context;
  ending_.told = told_of(cause);
  if (cause.code == errc::peer_lost && phase_ == move_phase::memory) {
    ending_.as = attempt_end::memory_lost;
  } else if (cause.code == errc::peer_lost &&
             (phase_ == move_phase::bulk || phase_ == move_phase::rounds)) {
    ending_.as = attempt_end::link_lost;
  }
  report_.problems = begun ? std::vector<problem>() : view_.problems;
  report_.problems.push_back({std::string(name_of(cause.code)), cause.context});
  act();
}

void source_session::end_untouched() {
  if (link_) {
    link_->close();
  }
  if (report_.problems.empty()) {
    report_.sentence = "nothing stands in the way; nothing was touched";
    end(exit_code::moved, "possible");
  } else {
    end(exit_code::refused, "refused");
  }
}

/// The guest stays: everything of the move is stopped, then it is resumed.
void source_session::stop() {
  round_timer_ = timer();
  const failure_note note{"source_gave_up", ending_.told};
  link_->send_last(record_type::fail, encode(note));
  link_->finish([] {});
  if (course_.is_saving()) {
    memory_->abort();
  }
  stop_disks();
}

void source_session::stop_disks() {
  disks_->stop();
  if (disks_->at_rest()) {
    course_.on_disks_at_rest();
  }
}

/// @param ours  a save of ours had begun: a suspended guest is resumed
void source_session::leave_guest(bool ours) {
  loop_.work_apart([guest = departure_, ours] { return let_stay(guest, ours); },
                   [this](const result<guest_state>& now) {
                     if (!now) {
                       // The guardian tries again once we end.
                       report_.sentence +=
                           "; and the guest could not be resumed: " +
                           now.error().context;
                       end(exit_code::uncertain, "uncertain");
                       return;
                     }
                     if (journal_) {
                       const auto written = write_journal(journal_state::home);
                       if (!written) {
                         log_warning(written.error().context);
                       }
                     }
                     guardian_.release();
                     report_.here = *now;
                     end(exit_code::stayed, "failed");
                   });
}

void source_session::finish() {
  const auto written = write_journal(journal_state::moved);
  if (!written) {
    log_warning(written.error().context);
  }
  link_->finish([] {});
  if (disks_->at_rest()) {
    disks_->close();  // a disk that we hold open cannot be set aside
  }
  loop_.work([guest = departure_,
              options = settings_] { return clear_away(guest, options); },
             [this](const result<std::vector<std::string>>& shadows) {
               guardian_.release();
               if (!shadows) {
                 report_.sentence = shadows.error().context;
                 end(exit_code::not_cleared, "moved");
                 return;
               }
               report_.kept_here = *shadows;
               if (const auto done = write_journal(journal_state::cleared);
                   !done) {
                 log_warning(done.error().context);
               }
               end(exit_code::moved, "moved");
             });
}

void source_session::ask() {
  if (query_) {
    return;  // it asks until it has an answer or its time is over
  }
  log_warning("no answer to GO: asking " + options_.host);
  query_ = std::make_unique<fate_query>(
      loop_,
      fate_query::target{settings_.keys,
                         options_.host,
                         options_.port,
                         link_->peer_key(),
                         {id_, view_.guest.uuid}},
      options_.ask_limit,
      [this](std::optional<destination_fate> fate) {
        if (fate) {
          course_.on_fate(*fate);
        } else {
          course_.on_no_answer();
        }
        act();
      });
  query_->ask();
}

void source_session::report_uncertain() {
  guardian_.release();
  report_.sentence += report_.sentence.empty() ? "" : "; ";
  report_.sentence += fmt::format(
      "it is not known whether {0} runs on {1}, which {2}. It is suspended "
      "here, and teleportd goes on asking. 'xl teleport --recover {0}' asks at "
      "once and says what a person can decide. Never run both",
      view_.guest.name,
      options_.host,
      query_ && !query_->heard().empty() ? query_->heard()
                                         : "cannot tell what became of it");
  end(exit_code::uncertain, "uncertain");
}

void source_session::end(exit_code code, std::string outcome) {
  if (phase_ == move_phase::over) {
    return;
  }
  enter(move_phase::over);
  if (memory_) {
    report_.memory = memory_->statistics();
  }
  if (disks_) {
    report_.source = disks_->counts();
  }
  (void)std::signal(SIGTSTP, SIG_DFL);
  tick_timer_ = timer();
  round_timer_ = timer();
  glance_timer_ = timer();
  limit_timer_ = timer();
  view_of_progress_.end();
  report_.outcome = std::move(outcome);
  report_.round_count = course_.rounds();
  report_.downtime = course_.downtime();
  report_.total_seconds =
      std::chrono::duration<double>(clock::now() - times_.session).count();
  if (link_) {
    link_->finish([this, code] { finished_(code); });
  } else {
    finished_(code);
  }
}

result<void> source_session::write_journal(journal_state state) {
  journal_entry entry;
  entry.id = id_;
  entry.role = journal_role::source;
  entry.state = state;
  entry.guest = view_.guest.name;
  entry.uuid = view_.guest.uuid;
  entry.domid = view_.guest.domid;
  entry.peer = fmt::format("[{}]:{}", options_.host, options_.port);
  entry.peer_key = link_->peer_key();
  entry.disks = departure_text(departure_);
  return journal_->write(entry);
}

}  // namespace teleport
