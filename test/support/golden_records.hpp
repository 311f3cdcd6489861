// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/golden_records.hpp: one example of each record of the wire, and
// of each value of the index, as this release writes it. The files under
// test/golden/wire and test/golden/index are what released ones wrote.

#ifndef TEST_SUPPORT_GOLDEN_RECORDS_HPP
#define TEST_SUPPORT_GOLDEN_RECORDS_HPP

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport::test {

struct golden_record {
  record_type type{};
  byte_buffer body;
  /// Decodes a body and codes it again.
  std::function<result<byte_buffer>(byte_span)> recode = nullptr;
  std::string name = {};  ///< of its file
};

[[nodiscard]] std::vector<golden_record> golden_records();

struct golden_value {
  std::string name;  ///< of its file
  byte_buffer bytes;
  std::function<std::optional<byte_buffer>(byte_span)> recode;
};

[[nodiscard]] std::vector<golden_value> golden_values();

/// Where the files of the versions that are spoken and written now lie.
[[nodiscard]] std::string wire_folder();
[[nodiscard]] std::string index_folder();

/// Bytes as the files have them: hexadecimal, 32 a line.
[[nodiscard]] std::string to_golden(byte_span bytes);
[[nodiscard]] byte_buffer from_golden(const std::string& text);

}  // namespace teleport::test

#endif  // TEST_SUPPORT_GOLDEN_RECORDS_HPP
