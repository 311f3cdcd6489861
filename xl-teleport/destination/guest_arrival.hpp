// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/guest_arrival.hpp: the guest's memory and xl at the
// destination: the stream rebuilt and fed to `xl migrate-receive`. Its END is
// not among what comes: whoever owns the gate gives it.
//
// Threads: the loop's thread; the hook runs on the pool.

#ifndef XL_TELEPORT_DESTINATION_GUEST_ARRIVAL_HPP
#define XL_TELEPORT_DESTINATION_GUEST_ARRIVAL_HPP

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/pipe.hpp"
#include "libteleport/stream/stream_filter.hpp"
#include "libteleport/xen/receive_handshake.hpp"
#include "libteleport/xen/xl_receiver.hpp"
#include "xl-teleport/setup/stream_recorder.hpp"

namespace teleport {

/// The program that the administrator wants run at the gate.
struct gate_hook {
  std::string program;  ///< "" for none
  std::vector<std::string> environment;
};

class guest_arrival {
 public:
  struct events {
    /// The end piece was right, and xl has been given all that came.
    std::function<void()> on_stream_complete;
    std::function<void(const result<void>&)> on_hook;  ///< what came of it
    std::function<void()> on_built;                    ///< paused, on its disks
    std::function<void(bool runs)> on_started;
    std::function<void(error)> on_failed;
    std::function<void()> on_drained;  ///< xl has read what it was given
  };

  guest_arrival(event_loop& loop,
                events callbacks,
                gate_hook hook,
                const std::string& record_folder,
                const std::string& id);

  /// Starts xl and gives it the guest's configuration.
  [[nodiscard]] result<void> start(const std::string& config_json);
  [[nodiscard]] result<void> on_piece(coded_piece piece);
  /// Runs the administrator's program, if there is one; then on_hook.
  void run_hook();
  /// @param end  libxl's END record, from the gate
  void write_end(byte_span end);
  /// GO: from here on the guest may run.
  void unpause();
  /// Closes xl's input; before GO, xl destroys what it built.
  void shut();
  /// Waits until xl has ended. Blocks: pool thread.
  [[nodiscard]] result<int> wait_for_end();

  /// Bytes that xl has not taken yet.
  [[nodiscard]] std::size_t queued() const noexcept;
  /// Bytes of libxl's stream that came.
  [[nodiscard]] std::uint64_t rebuilt() const noexcept {
    return rebuild_.bytes_out();
  }

 private:
  void read_answers();
  void on_answer(result<byte_buffer> bytes);
  void tell_when_complete();

  event_loop& loop_;
  events events_;
  gate_hook hook_;
  unique_fd hook_stop_;  ///< an eventfd: ends a hook that runs
  stream_recorder recorder_;
  stream_rebuild rebuild_;
  std::unique_ptr<xl_receiver> xl_;
  std::unique_ptr<pipe_writer> input_;
  std::unique_ptr<pipe_reader> output_;
  receive_handshake handshake_;
  byte_buffer header_;             ///< waits for xl's banner
  std::vector<byte_buffer> held_;  ///< stream that came before the banner
  std::size_t held_bytes_ = 0;
  bool over_ = false;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_GUEST_ARRIVAL_HPP
