// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/lmdb_convert.hpp: LMDB's error codes and values to ours and back; for
// lmdb*.cpp alone.
//
// Threads: functions without state.

#ifndef INDEX_LMDB_CONVERT_HPP
#define INDEX_LMDB_CONVERT_HPP

#include <string>
#include <string_view>

#include <lmdb.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"

namespace teleport::index {

inline error lmdb_error(int code, std::string_view what) {
  if (code > 0) {
    return system_error(code, what);
  }
  errc kind = errc::corrupt;
  if (code == MDB_VERSION_MISMATCH) {
    kind = errc::unsupported;
  } else if (code == MDB_MAP_FULL) {
    kind = errc::no_space;
  } else if (code == MDB_READERS_FULL || code == MDB_TXN_FULL) {
    kind = errc::busy;
  } else if (code == MDB_NOTFOUND) {
    kind = errc::not_found;
  }
  return {kind, std::string(what) + ": " + mdb_strerror(code)};
}

inline MDB_val to_val(byte_span bytes) {
  MDB_val val;
  val.mv_size = bytes.size();
  // LMDB does not write through keys or values it is given.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  val.mv_data = const_cast<std::byte*>(bytes.data());
  return val;
}

inline byte_span to_span(const MDB_val& val) {
  return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

}  // namespace teleport::index

#endif  // INDEX_LMDB_CONVERT_HPP
