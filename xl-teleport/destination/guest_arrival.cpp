// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/guest_arrival.hpp"

#include <chrono>
#include <utility>

#include <sys/eventfd.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/process.hpp"

namespace teleport {

namespace {

/// xl destroys a half-built guest in seconds; a hotplug script may take its
/// 40 s time-out.
constexpr std::chrono::seconds xl_end_limit{90};

/// The hook holds a suspended guest: an administrator's script that needs
/// longer than this is stuck.
constexpr std::chrono::minutes hook_limit{10};

constexpr std::size_t answer_bytes = 4096;

}  // namespace

guest_arrival::guest_arrival(event_loop& loop,
                             events callbacks,
                             gate_hook hook,
                             const std::string& record_folder,
                             const std::string& id)
    : loop_(loop),
      events_(std::move(callbacks)),
      hook_(std::move(hook)),
      hook_stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      recorder_(record_folder, id + ".rebuilt") {}

result<void> guest_arrival::start(const std::string& config_json) {
  xl_receiver_options options;
  options.on_line = [](std::string_view line) {
    log_info("xl: " + std::string(line));
  };
  auto started = xl_receiver::start(std::move(options));
  if (!started) {
    return started.error();
  }
  xl_ = std::move(*started);
  header_ = save_header(config_json);
  input_ = std::make_unique<pipe_writer>(
      loop_,
      xl_->take_stdin(),
      [this](const error& cause) {
        if (!over_) {
          events_.on_failed(in_context("xl migrate-receive", cause));
        }
      },
      [this] { events_.on_drained(); });
  output_ = std::make_unique<pipe_reader>(loop_, xl_->take_stdout());
  read_answers();
  return {};
}

void guest_arrival::read_answers() {
  output_->read(answer_bytes, [this](result<byte_buffer> bytes) {
    on_answer(std::move(bytes));
  });
}

void guest_arrival::on_answer(result<byte_buffer> bytes) {
  if (over_) {
    return;
  }
  if (!bytes || bytes->empty()) {
    over_ = true;
    events_.on_failed(
        {errc::system, "xl migrate-receive ended: " + xl_->last_words()});
    return;
  }
  const auto before = handshake_.at();
  const auto understood = handshake_.feed(*bytes);
  if (!understood) {
    over_ = true;
    events_.on_failed(understood.error());
    return;
  }
  const auto now = handshake_.at();
  read_answers();
  if (now == before) {
    return;
  }
  using stage = receive_handshake::stage;
  switch (now) {
    case stage::waiting_for_banner:
    case stage::failed:
      break;
    case stage::restoring:
      input_->write(std::exchange(header_, {}));
      for (byte_buffer& piece : held_) {
        input_->write(std::move(piece));
      }
      held_.clear();
      held_bytes_ = 0;
      tell_when_complete();
      break;
    case stage::ready:
      events_.on_built();
      break;
    case stage::running:
      over_ = true;
      events_.on_started(true);
      break;
    case stage::given_back:
      over_ = true;
      events_.on_started(false);
      break;
  }
}

result<void> guest_arrival::on_piece(coded_piece piece) {
  auto bytes = rebuild_.accept(std::move(piece));
  if (!bytes) {
    return bytes.error();
  }
  recorder_.add(*bytes);
  if (handshake_.at() == receive_handshake::stage::waiting_for_banner) {
    held_bytes_ += bytes->size();
    held_.push_back(std::move(*bytes));
  } else {
    input_->write(std::move(*bytes));
  }
  tell_when_complete();
  return {};
}

/// xl gets the bytes behind its own header, and that behind its banner.
void guest_arrival::tell_when_complete() {
  if (rebuild_.complete() &&
      handshake_.at() != receive_handshake::stage::waiting_for_banner) {
    events_.on_stream_complete();
  }
}

void guest_arrival::run_hook() {
  loop_.work(
      [hook = hook_, stop = hook_stop_.get()]() -> result<void> {
        if (hook.program.empty()) {
          return {};
        }
        program_options how;
        how.environment = hook.environment;
        how.timeout = hook_limit;
        how.stop = stop;
        const auto ran = run_program({hook.program}, how);
        return ran ? result<void>() : in_context("hook at_gate", ran.error());
      },
      [this](const result<void>& ran) {
        if (!over_) {
          events_.on_hook(ran);
        }
      });
}

void guest_arrival::write_end(byte_span end) {
  recorder_.add(end);
  input_->write(byte_buffer(end.begin(), end.end()));
}

void guest_arrival::unpause() {
  const byte_span go = permission_to_go();
  handshake_.go_sent();
  input_->write(byte_buffer(go.begin(), go.end()));
}

void guest_arrival::shut() {
  over_ = true;
  // The guest is not to run here: nobody waits for what the hook says.
  (void)eventfd_write(hook_stop_.get(), 1);
  if (input_) {
    input_->close();
  }
}

result<int> guest_arrival::wait_for_end() {
  return xl_ ? xl_->wait(xl_end_limit) : result<int>(0);
}

std::size_t guest_arrival::queued() const noexcept {
  return held_bytes_ + (input_ ? input_->queued() : 0);
}

}  // namespace teleport
