// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/fate_course.hpp"

namespace teleport {

void fate_course::answer(destination_fate fate) {
  next_ = step::answer;
  fate_ = fate;
}

void fate_course::on_lock(bool held) {
  if (next_ != step::lock) {
    return;
  }
  if (held) {
    next_ = step::read_journal;
  } else {
    answer(destination_fate::in_progress);
  }
}

void fate_course::on_journal(std::optional<journal_state> entry) {
  if (next_ != step::read_journal) {
    return;
  }
  has_entry_ = entry.has_value();
  if (entry == journal_state::running) {
    answer(destination_fate::running);
  } else if (!entry || entry == journal_state::go) {
    next_ = step::look_at_xen;
  } else {
    // `abandoned` too: what the journal shows may be of a write that failed,
    // and only a write that succeeds makes it durable.
    next_ = step::journal_abandoned;
  }
}

void fate_course::on_journal_unreadable() {
  if (next_ == step::read_journal) {
    answer(destination_fate::uncertain);
  }
}

void fate_course::on_xen(seen_guest guest) {
  if (next_ != step::look_at_xen) {
    return;
  }
  switch (guest) {
    case seen_guest::running:
      if (!has_entry_) {
        // A peer may ask with any number: nothing is written for one.
        answer(destination_fate::running);
        return;
      }
      next_ = step::journal_running;  // it runs by our GO
      return;
    case seen_guest::paused:
      answer(destination_fate::paused);
      return;
    case seen_guest::unknown:
      answer(destination_fate::in_progress);
      return;
    case seen_guest::absent:
      // The guest may have run and ended, or never have run.
      answer(destination_fate::uncertain);
      return;
  }
}

void fate_course::on_journalled(bool durable) {
  if (next_ == step::journal_running) {
    answer(destination_fate::running);  // a fact and no promise
  } else if (next_ == step::journal_abandoned) {
    answer(durable ? destination_fate::abandoned
                   : destination_fate::in_progress);
  }
}

}  // namespace teleport
