// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/state_tables.hpp: the tables of PROTOCOL.md that say which
// records each state accepts, made by offering every record to the courses
// themselves.
//
// Threads: pure functions, but for write_table().

#ifndef TEST_SUPPORT_STATE_TABLES_HPP
#define TEST_SUPPORT_STATE_TABLES_HPP

#include <string>
#include <vector>

namespace teleport {

struct state_table {
  std::string name;  ///< in the comments around it in PROTOCOL.md
  std::string text;  ///< Markdown
};

[[nodiscard]] std::vector<state_table> state_tables();

/// The table between its comments in `document`; "" where there is none.
[[nodiscard]] std::string table_in(const std::string& document,
                                   const std::string& name);
/// `document` with its tables replaced.
[[nodiscard]] std::string with_tables(std::string document);

}  // namespace teleport

#endif  // TEST_SUPPORT_STATE_TABLES_HPP
