// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/sentence.hpp"

#include <algorithm>

namespace teleport {

namespace {

constexpr std::string_view left_out = "... ";

/// U+FFFD, in the place of each byte that is no UTF-8.
constexpr std::string_view replacement = "\xef\xbf\xbd";

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (byte_at(text, at) & 0xc0U) == 0x80U;
}

/// Bytes of the character at `at`; 0 where there is none. RFC 3629, section 4.
std::size_t length_of_character(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                             : first >= 0xe0 && first <= 0xef ? 3
                             : first >= 0xf0 && first <= 0xf4 ? 4
                                                              : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text, at + i)) {
      return 0;
    }
  }
  if (length < 3) {
    return length;
  }
  const unsigned second = byte_at(text, at + 1);
  const bool excluded =
      (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return excluded ? 0 : length;
}

/// Whether the whole character does more than be read.
bool is_harmful(std::string_view character) {
  if (character.size() == 1) {
    return byte_at(character, 0) < 0x20 || character[0] == '\x7f';
  }
  if (character.size() == 2) {
    return (character >= "\u0080" && character <= "\u009f") ||
           character == "\u061c";
  }
  return character.size() == 3 &&
         (character == "\u200e" || character == "\u200f" ||
          (character >= "\u2028" && character <= "\u202e") ||
          (character >= "\u2066" && character <= "\u2069"));
}

/// Controls of lines stay: the last lines are looked for afterwards.
std::string as_utf8(std::string_view text) {
  std::string valid;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_of_character(text, at);
    const auto character = text.substr(at, length);
    if (length == 0) {
      valid += replacement;
    } else if (length > 1 && is_harmful(character)) {
      valid += ' ';
    } else {
      valid += character;
    }
    at += std::max<std::size_t>(length, 1);
  }
  return valid;
}

/// The last lines that fit; of a single one that does not, its end.
std::string last_lines(const std::string& text, std::size_t limit) {
  std::size_t from = text.size() - (limit - left_out.size());
  const std::size_t end_of_line = text.find('\n', from - 1);
  if (end_of_line != std::string::npos && end_of_line + 1 < text.size()) {
    from = end_of_line + 1;
  }
  while (is_continuation(text, from)) {
    ++from;
  }
  return std::string(left_out) + text.substr(from);
}

}  // namespace

bool is_harmless_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_of_character(text, at);
    if (length == 0 || is_harmful(text.substr(at, length))) {
      return false;
    }
    at += length;
  }
  return true;
}

std::string sendable(std::string_view text, std::size_t limit) {
  while (!text.empty() && text.back() == '\n') {
    text.remove_suffix(1);
  }
  std::string fitting = as_utf8(text);
  if (fitting.size() > limit) {
    fitting = last_lines(fitting, limit);
  }
  std::ranges::replace_if(
      fitting,
      [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; },
      ' ');
  return fitting;
}

}  // namespace teleport
