// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/stream_recorder.hpp: keeps a copy of libxl's stream in a
// file, as it was sent or as it was rebuilt, for verify-stream-v2 and for
// comparing both. For finding faults: setting debug.record_stream.
//
// Blocks: on the file; not for production.
// Trust:  the name is made of the source's number for the teleport.

#ifndef XL_TELEPORT_SETUP_STREAM_RECORDER_HPP
#define XL_TELEPORT_SETUP_STREAM_RECORDER_HPP

#include <string>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

class stream_recorder {
 public:
  /// Makes the file, which root alone may read: it is the guest's memory. One
  /// that is there, a link too, is left alone, and nothing is recorded.
  ///
  /// @param folder  "" records nothing
  /// @param name    the file's name in it
  stream_recorder(const std::string& folder, const std::string& name);
  void add(byte_span bytes);

 private:
  unique_fd file_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_STREAM_RECORDER_HPP
