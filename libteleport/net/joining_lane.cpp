// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/joining_lane.hpp"

#include <utility>

#include <openssl/crypto.h>

namespace teleport {

namespace {

/// A lane whose key was accepted has this long to say JOIN.
constexpr std::chrono::seconds join_limit{20};

/// In the same time wherever they differ.
bool is_same(byte_span said, byte_span wanted) {
  return said.size() == wanted.size() &&
         CRYPTO_memcmp(said.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace

joining_lane::joining_lane(std::shared_ptr<lane> link,
                           byte_buffer wanted,
                           bool answers,
                           joined_handler joined)
    : lane_(std::move(link)),
      wanted_(std::move(wanted)),
      answers_(answers),
      joined_(std::move(joined)) {}

void joining_lane::ask(event_loop& loop,
                       std::shared_ptr<lane> link,
                       const lane_secret& secret,
                       joined_handler joined) {
  const auto self = std::make_shared<joining_lane>(
      std::move(link), byte_buffer(), false, std::move(joined));
  self->begin(loop);
  self->lane_->write(share(frame(record_type::join, secret)));
}

void joining_lane::answer(event_loop& loop,
                          std::shared_ptr<lane> link,
                          const lane_secret& secret,
                          joined_handler joined) {
  const auto self =
      std::make_shared<joining_lane>(std::move(link),
                                     byte_buffer(secret.begin(), secret.end()),
                                     true,
                                     std::move(joined));
  self->begin(loop);
}

void joining_lane::begin(event_loop& loop) {
  // The timer owns this until tell().
  deadline_ =
      loop.after(join_limit, [self = shared_from_this()] { self->fail(); });
  const auto weak = weak_from_this();
  lane_->start({.on_bytes =
                    [weak](byte_span bytes) {
                      if (const auto self = weak.lock()) {
                        self->on_bytes(bytes);
                      }
                    },
                .on_written =
                    [weak] {
                      if (const auto self = weak.lock()) {
                        self->on_written();
                      }
                    },
                .on_lost =
                    [weak](const error& /*cause*/, bool /*cleanly*/) {
                      if (const auto self = weak.lock()) {
                        self->fail();
                      }
                    }});
  lane_->read();
}

void joining_lane::on_bytes(byte_span bytes) {
  input_.feed(bytes);
  const auto record = input_.next();
  if (record && !*record) {
    lane_->read();
  } else if (!record || (*record)->type != record_type::join ||
             !is_same((*record)->body, wanted_)) {
    fail();
  } else if (answers_) {
    lane_->write(share(frame(record_type::join, {})));
  } else {
    tell(std::move(input_));
  }
}

void joining_lane::on_written() {
  if (answers_) {
    tell(std::move(input_));
  }
}

void joining_lane::fail() {
  lane_->close();
  tell(std::nullopt);
}

void joining_lane::tell(std::optional<framer> outcome) {
  const auto kept = shared_from_this();
  deadline_ = timer();
  if (const auto joined = std::exchange(joined_, nullptr)) {
    joined(std::move(outcome));
  }
}

}  // namespace teleport
