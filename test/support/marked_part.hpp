// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/marked_part.hpp: the part of a document between two marks, which
// is made from the code.
//
// Threads: pure functions.

#ifndef TEST_SUPPORT_MARKED_PART_HPP
#define TEST_SUPPORT_MARKED_PART_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace teleport {

/// "" where one of the marks is not there.
[[nodiscard]] inline std::string marked_part(const std::string& document,
                                             std::string_view begin,
                                             std::string_view end) {
  const std::size_t from = document.find(begin);
  const std::size_t to = document.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) {
    return {};
  }
  return document.substr(from + begin.size(), to - from - begin.size());
}

/// `document` with the part replaced, if there is one.
[[nodiscard]] inline std::string with_marked_part(std::string document,
                                                  std::string_view begin,
                                                  std::string_view end,
                                                  std::string_view part) {
  const std::size_t size = marked_part(document, begin, end).size();
  if (size != 0) {
    document.replace(document.find(begin) + begin.size(), size, part);
  }
  return document;
}

}  // namespace teleport

#endif  // TEST_SUPPORT_MARKED_PART_HPP
