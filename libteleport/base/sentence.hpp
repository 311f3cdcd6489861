// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/sentence.hpp: a sentence for the other side, as its reader
// wants it: a program's last words have tabs, lines and any length, and are the
// reason that a person looks for.
//
// Threads: pure functions.

#ifndef LIBTELEPORT_BASE_SENTENCE_HPP
#define LIBTELEPORT_BASE_SENTENCE_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace teleport {

/// Bytes of a sentence in FAIL and in GO_RESULT.
inline constexpr std::size_t max_sentence_bytes = 4096;

/// Whether it is UTF-8 without a character that does something to a terminal or
/// to the order of what is read: C0 and C1 controls, line and paragraph
/// separators, marks of direction (Unicode, bidirectional formatting).
[[nodiscard]] bool is_harmless_text(std::string_view text);

/// The text in UTF-8 without such characters. Of a longer one its last
/// lines, as many as fit, behind "... ".
///
/// @param limit  bytes; at least 16
[[nodiscard]] std::string sendable(std::string_view text,
                                   std::size_t limit = max_sentence_bytes);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_SENTENCE_HPP
