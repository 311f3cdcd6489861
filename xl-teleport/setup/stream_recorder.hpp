// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/stream_recorder.hpp: keeps a copy of libxl's stream in a
// file, as it was sent or as it was rebuilt, for verify-stream-v2 and for
// comparing both. For finding faults: setting debug.record_stream.
//
// Blocks: on the file; not for production.

#ifndef XL_TELEPORT_SETUP_STREAM_RECORDER_HPP
#define XL_TELEPORT_SETUP_STREAM_RECORDER_HPP

#include <fstream>
#include <string>

#include "libteleport/base/bytes.hpp"

namespace teleport {

class stream_recorder {
 public:
  /// @param folder  "" records nothing
  /// @param name    the file's name in it
  stream_recorder(const std::string& folder, const std::string& name) {
    if (!folder.empty()) {
      file_.open(folder + "/" + name, std::ios::binary | std::ios::trunc);
    }
  }
  void add(byte_span bytes) {
    if (file_.is_open()) {
      const auto text = as_text(bytes);
      file_.write(text.data(), static_cast<std::streamsize>(text.size()));
      file_.flush();
    }
  }

 private:
  std::ofstream file_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_STREAM_RECORDER_HPP
