// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/command_line.hpp: what all programs say of their command
// line in one way: what is wrong with it, and how to use it.

#ifndef XL_TELEPORT_SETUP_COMMAND_LINE_HPP
#define XL_TELEPORT_SETUP_COMMAND_LINE_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace teleport {

/// Gives --help our form: lines of 80 columns at most, "--option WHAT
/// [default]". To be called before subcommands are added, which have it from
/// their parent.
void set_help_form(CLI::App& app);

/// --version; with -v beside it the protocol and Xen as well, for which -v is
/// added where `app` has none.
void add_version_option(CLI::App& app, const std::string& program);

/// Answers --help and --version, or says what is wrong with the command line:
/// the program's name, the word that is meant, and the one that was perhaps
/// wanted.
///
/// @return the exit code
[[nodiscard]] int exit_of_parser(const CLI::App& app,
                                 const CLI::ParseError& failure);

/// An option whose value is a number of seconds, which --help shows with its
/// default; `out` must outlive the parsing and holds that.
CLI::Option& add_seconds_option(CLI::App& app,
                                const std::string& names,
                                double& out,
                                double least,
                                const std::string& what);
/// The same in whole seconds.
CLI::Option& add_seconds_option(CLI::App& app,
                                const std::string& names,
                                std::chrono::seconds& out,
                                std::chrono::seconds least,
                                const std::string& what);
struct number_range {
  std::string word;  ///< for the value in --help, as "N"
  std::uint64_t least;
  std::uint64_t most;
};
/// An option whose value is a whole number.
CLI::Option& add_number_option(CLI::App& app,
                               const std::string& names,
                               const number_range& range,
                               std::function<void(std::uint64_t)> set,
                               const std::string& what);
/// --port, from 1 to 65535; `out` must outlive the parsing.
CLI::Option& add_port_option(CLI::App& app,
                             std::uint16_t& out,
                             const std::string& what);
/// -c, --config; `out` must outlive the parsing and holds the default.
CLI::Option& add_config_option(CLI::App& app, std::string& out);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_COMMAND_LINE_HPP
