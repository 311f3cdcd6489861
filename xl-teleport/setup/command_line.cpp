// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "libteleport/base/standard_streams.hpp"
#include "libteleport/wire/format.hpp"
#include "libteleport/xen/xen_release.hpp"
#include "xl-teleport/setup/exit_code.hpp"

namespace teleport {

namespace {

constexpr std::size_t help_columns = 80;
constexpr std::size_t name_columns = 26;
/// A day: the longest that anything is waited for.
constexpr std::chrono::seconds longest{86400};

/// `text` in lines of `width` columns at most; a longer word stays whole.
std::string wrapped(std::string_view text, std::size_t width) {
  std::string lines;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size()
                                                       : space + 1);
    if (column != 0 && column + 1 + word.size() > width) {
      lines += '\n';
      column = 0;
    } else if (column != 0) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
  }
  return lines;
}

class help_form : public CLI::Formatter {
 public:
  help_form() { column_width(name_columns); }

  [[nodiscard]] std::string make_description(
      const CLI::App* app) const override {
    return wrapped(app->get_description(), help_columns) + "\n";
  }
  [[nodiscard]] std::string make_subcommand(
      const CLI::App* app) const override {
    return line(app->get_name(), app->get_description());
  }
  [[nodiscard]] std::string make_option(const CLI::Option* option,
                                        bool is_positional) const override {
    const std::string given =
        is_positional ? std::string() : make_option_opts(option);
    const std::string variable = option->get_envname();
    return line(make_option_name(option, is_positional) + given,
                option->get_description() +
                    (variable.empty() ? "" : " (or " + variable + ")"));
  }
  [[nodiscard]] std::string make_option_opts(
      const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0) {
      text = " " + option->get_type_name();
      if (!option->get_default_str().empty()) {
        text += " [" + option->get_default_str() + "]";
      }
    }
    return text;
  }
  [[nodiscard]] std::string make_option_usage(
      const CLI::Option* option) const override {
    std::string text = make_option_name(option, true);
    if (option->get_expected_max() > 1) {
      text += "...";
    }
    return option->get_required() ? text : "[" + text + "]";
  }

 private:
  static std::string line(const std::string& name, const std::string& what) {
    const std::string text = wrapped(what, help_columns - name_columns);
    std::string out = fmt::format("  {:<{}}", name, name_columns - 2);
    const std::string indent = "\n" + std::string(name_columns, ' ');
    if (name.size() + 2 >= name_columns) {
      out += indent;
    }
    for (const char c : text) {
      out += c == '\n' ? indent : std::string(1, c);
    }
    return out + '\n';
  }
};

/// Letters to change, add, remove or swap with their neighbour to make one word
/// of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(
      a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min(
          {cost[i - 1][j] + 1,
           cost[i][j - 1] + 1,
           cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? std::size_t{0} : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

/// "; did you mean 'seed'?", or nothing.
std::string suggestion(const std::string& word,
                       const std::vector<std::string>& known) {
  std::size_t best = 3;  // more changes than that are another word
  std::string meant;
  for (const std::string& one : known) {
    const std::size_t changes = distance(word, one);
    if (changes < best && changes < one.size() / 2 + 1) {
      best = changes;
      meant = one;
    }
  }
  return meant.empty() ? "" : "; did you mean '" + meant + "'?";
}

/// Commands or options that --help shows.
std::vector<std::string> shown_words(const CLI::App& app, bool options) {
  std::vector<std::string> words;
  if (!options) {
    for (const CLI::App* one : app.get_subcommands({})) {
      if (!one->get_group().empty()) {
        words.push_back(one->get_name());
      }
    }
    return words;
  }
  for (const CLI::Option* one : app.get_options()) {
    if (!one->get_group().empty()) {
      for (const std::string& name : one->get_lnames()) {
        words.push_back("--" + name);
      }
    }
  }
  return words;
}

/// " (XL_TELEPORT_BWLIMIT)" where a wrong value is that of the environment.
std::string origin_of(const CLI::App& app, const std::string& fault) {
  for (const CLI::Option* one : app.get_options()) {
    const std::string variable = one->get_envname();
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
    const char* const value = std::getenv(variable.c_str());
    if (!variable.empty() && value != nullptr &&
        fault.starts_with(one->get_name() + ": '" + value + "' ")) {
      return " (" + variable + ")";
    }
  }
  return "";
}

/// What is wrong with the command line, of the command that was reached.
std::string fault_of(const CLI::App& app, const CLI::ParseError& failure) {
  const bool wants_command =
      dynamic_cast<const CLI::RequiredError*>(&failure) != nullptr &&
      app.get_require_subcommand_min() > 0 && app.get_subcommands().empty();
  const bool unknown_words =
      dynamic_cast<const CLI::ExtrasError*>(&failure) != nullptr;
  const auto words = unknown_words || wants_command
                         ? app.remaining(true)
                         : std::vector<std::string>();
  if (words.empty()) {
    return wants_command ? "a command is needed"
                         : failure.what() + origin_of(app, failure.what());
  }
  const auto option = std::ranges::find_if(
      words, [](const std::string& word) { return word.starts_with('-'); });
  if (option != words.end()) {
    const std::string name = option->substr(0, option->find('='));
    return fmt::format(
        "unknown option {}{}", name, suggestion(name, shown_words(app, true)));
  }
  return wants_command
             ? fmt::format("no command '{}'{}",
                           words.front(),
                           suggestion(words.front(), shown_words(app, false)))
             : fmt::format("'{}' is one word too many", words.front());
}

/// What --version says with -v, in lines.
std::string made_with() {
  const std::string library = xen_of_library();
  const std::string host = xen_of_host();
  return fmt::format(
      "protocol {}\n{}{}",
      protocol_version,
      library.empty() ? "" : fmt::format("libxenlight {}\n", library),
      host.empty() ? "this host does not run under Xen\n"
                   : fmt::format("Xen {}\n", host));
}

template <class Number>
std::optional<Number> number_in(const std::string& text,
                                Number least,
                                Number most) {
  Number value{};
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() &&
                 value >= least && value <= most
             ? std::optional(value)
             : std::nullopt;
}

}  // namespace

void set_help_form(CLI::App& app) {
  app.formatter(std::make_shared<help_form>());
}

void add_version_option(CLI::App& app, const std::string& program) {
  if (app.get_option_no_throw("--verbose") == nullptr) {
    app.add_flag_function(
        "-v,--verbose",
        [](std::int64_t) {},
        "with --version: the protocol and Xen, too");
  }
  app.set_version_flag("--version", program + " " TELEPORT_VERSION);
}

int exit_of_parser(const CLI::App& app, const CLI::ParseError& failure) {
  const int code = exit_of_parser(failure.get_exit_code());
  if (code == exit_ok) {
    (void)app.exit(failure);
    const CLI::Option* const verbose = app.get_option_no_throw("--verbose");
    if (dynamic_cast<const CLI::CallForVersion*>(&failure) != nullptr &&
        verbose != nullptr && verbose->count() != 0) {
      std::cout << made_with();
    }
    return code_when_told(app.get_name().c_str(), exit_ok, exit_failed);
  }
  std::string name = app.get_name();
  const CLI::App* reached = &app;
  for (auto inner = reached->get_subcommands();
       !inner.empty() && !inner.front()->get_name().empty();
       inner = reached->get_subcommands()) {
    reached = inner.front();
    name += " " + reached->get_name();
  }
  std::cerr << fmt::format("{}: {}\n'{} --help' says more\n",
                           name,
                           fault_of(*reached, failure),
                           name);
  return code;
}

CLI::Option& add_seconds_option(CLI::App& app,
                                const std::string& names,
                                double& out,
                                double least,
                                const std::string& what) {
  const auto most = static_cast<double>(longest.count());
  return *app.add_option_function<std::string>(
                 names,
                 [=, &out](const std::string& text) {
                   const auto value = number_in(text, least, most);
                   if (!value) {
                     throw CLI::ValidationError(
                         names,
                         fmt::format("'{}' is not a number of seconds from {} "
                                     "to {}, as 0.5",
                                     text,
                                     least,
                                     most));
                   }
                   out = *value;
                 },
                 what)
              ->type_name("SECONDS")
              ->default_str(fmt::format("{}", out));
}

CLI::Option& add_seconds_option(CLI::App& app,
                                const std::string& names,
                                std::chrono::seconds& out,
                                std::chrono::seconds least,
                                const std::string& what) {
  return *add_number_option(
              app,
              names,
              {"SECONDS",
               static_cast<std::uint64_t>(least.count()),
               static_cast<std::uint64_t>(longest.count())},
              [&out](std::uint64_t value) {
                out = std::chrono::seconds(value);
              },
              what)
              .default_str(fmt::format("{}", out.count()));
}

CLI::Option& add_number_option(CLI::App& app,
                               const std::string& names,
                               const number_range& range,
                               std::function<void(std::uint64_t)> set,
                               const std::string& what) {
  return *app.add_option_function<std::string>(
                 names,
                 [=, set = std::move(set)](const std::string& text) {
                   const auto value = number_in(text, range.least, range.most);
                   if (!value) {
                     throw CLI::ValidationError(
                         names,
                         fmt::format("'{}' is not {} from {} to {}",
                                     text,
                                     range.word == "SECONDS"
                                         ? "a whole number of seconds"
                                         : "a whole number",
                                     range.least,
                                     range.most));
                   }
                   set(*value);
                 },
                 what)
              ->type_name(range.word);
}

CLI::Option& add_port_option(CLI::App& app,
                             std::uint16_t& out,
                             const std::string& what) {
  constexpr std::uint64_t most_port = 65535;
  return add_number_option(
      app,
      "-p,--port",
      {"PORT", 1, most_port},
      [&out](std::uint64_t value) { out = static_cast<std::uint16_t>(value); },
      what);
}

CLI::Option& add_config_option(CLI::App& app, std::string& out) {
  return *app.add_option("-c,--config", out, "the configuration")
              ->type_name("FILE")
              ->default_str(out);
}

}  // namespace teleport
