// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/seed_destination_course.hpp"

#include "libteleport/session/greeting.hpp"

namespace teleport {

namespace {

using state = seed_destination_state;

}  // namespace

std::string_view name_of(seed_destination_state at) noexcept {
  switch (at) {
    case state::offered:
      return "offered";
    case state::asked:
      return "asked";
    case state::answered:
      return "answered";
    case state::preparing:
      return "preparing";
    case state::disks:
      return "disks";
    case state::keeping:
      return "keeping";
    case state::refused:
      return "refused";
    case state::over:
      return "over";
  }
  return "";
}

result<seed_destination_course::action> seed_destination_course::on_record(
    record_type type, bool all_proven) {
  switch (at_) {
    case state::offered:
      if (type == record_type::prepare) {
        at_ = state::asked;
        return action::none;
      }
      break;
    case state::answered:
      if (type == record_type::prepare) {
        at_ = state::preparing;
        return action::prepare;
      }
      break;
    case state::disks:
      if (type == record_type::extents || type == record_type::block_digests ||
          type == record_type::extent_data) {
        return action::rebuild;
      }
      if (type == record_type::disks_complete) {
        if (!all_proven) {
          return error(errc::protocol,
                       "DISKS_COMPLETE before every extent of the disks is "
                       "proven");
        }
        at_ = state::keeping;
        return action::keep;
      }
      break;
    case state::refused:
      if (type == record_type::prepare) {
        return error(errc::protocol,
                     "the source sent PREPARE for a seed that was answered "
                     "with problems");
      }
      break;
    case state::asked:
    case state::preparing:
    case state::keeping:
    case state::over:
      break;
  }
  return out_of_state(record_sender::source, type, name_of(at_));
}

seed_destination_course::action seed_destination_course::on_considered(
    bool welcome) noexcept {
  if (at_ != state::offered && at_ != state::asked) {
    return action::none;
  }
  const bool asked = at_ == state::asked;
  if (!welcome) {
    at_ = asked ? state::over : state::refused;
    return action::none;
  }
  at_ = asked ? state::preparing : state::answered;
  return asked ? action::prepare : action::none;
}

seed_destination_course::action
seed_destination_course::on_prepared() noexcept {
  if (at_ != state::preparing) {
    return action::none;
  }
  at_ = state::disks;
  return action::send_prepared;
}

seed_destination_course::action seed_destination_course::on_kept() noexcept {
  if (at_ != state::keeping) {
    return action::none;
  }
  at_ = state::over;
  return action::send_seeded;
}

}  // namespace teleport
