// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/arrival_teller.hpp"

#include <utility>

namespace teleport {

namespace {

constexpr std::chrono::seconds interval{1};

}  // namespace

arrival_teller::arrival_teller(event_loop& loop,
                               running_job& told,
                               std::string host,
                               std::function<arrival_sight()> look)
    : loop_(loop),
      told_(told),
      host_(std::move(host)),
      look_(std::move(look)),
      ticker_(loop, told) {}

void arrival_teller::start() {
  looked_at_ = std::chrono::steady_clock::now();
  tick();
}

void arrival_teller::tick() {
  const arrival_sight seen = look_();
  const auto now = std::chrono::steady_clock::now();
  const double passed = std::chrono::duration<double>(now - looked_at_).count();
  const double rate =
      passed > 0 ? static_cast<double>(seen.received - received_) / passed : 0;
  received_ = seen.received;
  looked_at_ = now;
  if (is_job(seen)) {
    ticker_.note(told_moment(seen, rate),
                 [about = told_job(seen, host_)](running_job& told) {
                   told.begin(about);
                 });
  }
  next_ = loop_.after(interval, [this] { tick(); });
}

void arrival_teller::end(const arrival_sight& last) {
  if (is_job(last)) {
    told_.begin(told_job(last, host_));
  }
  told_.end(told_end(last));
}

}  // namespace teleport
