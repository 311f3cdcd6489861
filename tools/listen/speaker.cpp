// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/listen/speaker.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libteleport/base/allocator.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/packet.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/net/tls_context.hpp"
#include "libteleport/net/visit_records.hpp"
#include "tools/listen/confinement.hpp"
#include "tools/listen/record_relay.hpp"

namespace teleport {

namespace {

/// teleportd's loop never waits for long.
constexpr std::chrono::seconds answer_limit{10};

class speaker {
 public:
  int run();

 private:
  [[nodiscard]] result<paired_host> who_has(const std::string& shown);
  void on_ready(const result<std::shared_ptr<connection>>& link);

  unique_fd daemon_{speaker_daemon};
  unique_fd session_{speaker_session};
  event_loop loop_{1};
  std::unique_ptr<lane_inbox> lanes_;
  told_keys_ptr told_;
  std::optional<verdict> verdict_;
  std::unique_ptr<record_relay> relay_;
};

int speaker::run() {
  limit_waiting(daemon_.get(), answer_limit);
  const auto packet = receive_packet(daemon_.get(), max_terms_bytes);
  const auto terms = packet ? decode_terms(packet->bytes)
                            : result<speaker_terms>(packet.error());
  if (!terms) {
    log_error(terms.error().context);
    return EXIT_FAILURE;
  }
  lanes_ = std::make_unique<lane_inbox>(loop_, unique_fd(speaker_lanes));
  const auto tried = try_key(terms->own);
  const auto alone = tried ? confine(confined::speaker) : tried;
  if (!alone) {
    log_error(alone.error().context);
    return EXIT_FAILURE;
  }
  link_terms with;
  with.options.congestion_control = terms->congestion_control;
  told_ = std::make_shared<const told_keys>(told_keys{
      terms->own, [this](const std::string& shown) { return who_has(shown); }});
  connection::accept(
      loop_,
      with,
      unique_fd(speaker_source),
      [this](const result<std::shared_ptr<connection>>& link) {
        on_ready(link);
      },
      told_);
  loop_.run();
  return EXIT_SUCCESS;
}

/// Of the first connection and of further ones: teleportd is asked once, and
/// has said which keys the host has.
result<paired_host> speaker::who_has(const std::string& shown) {
  if (!verdict_) {
    const auto asked =
        send_packet(daemon_.get(), encode(introduction{true, shown}));
    const auto packet = asked ? receive_packet(daemon_.get(), max_verdict_bytes)
                              : result<teleport::packet>(asked.error());
    auto said = packet ? decode_verdict(packet->bytes)
                       : result<verdict>(packet.error());
    // Without teleportd nobody comes in, and nobody is called a stranger.
    verdict_ = said ? std::move(*said)
                    : verdict{verdict::kind::full, {shown, ""}, {shown}};
  }
  const bool is_its =
      std::ranges::find(verdict_->keys, shown) != verdict_->keys.end();
  return verdict_->what != verdict::kind::stranger && is_its
             ? result<paired_host>(verdict_->host)
             : error(errc::not_paired,
                     "the peer's key " + shown.substr(0, 16) +
                         " is not paired with this host");
}

void speaker::on_ready(const result<std::shared_ptr<connection>>& link) {
  if (!link && !verdict_) {
    (void)send_packet(daemon_.get(),
                      encode(introduction{false, link.error().context}));
  }
  daemon_.reset();
  if (!link || verdict_->what != verdict::kind::come_in) {
    loop_.stop();
    return;
  }
  (void)send_packet(speaker_lanes, known_host);
  relay_ = std::make_unique<record_relay>(
      *link,
      connection::inside(loop_, std::move(session_), verdict_->host),
      std::move(lanes_),
      told_,
      [this] { loop_.stop(); });
  relay_->start();
}

}  // namespace

int run_speaker() {
  keep_freed_memory();
  return speaker().run();
}

}  // namespace teleport
