// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xl_assignments.cpp: see xl_assignments.hpp. The grammar is
// that of tools/libs/util/libxlu_cfg_l.l and libxlu_cfg_y.y in Xen's source.

#include "libteleport/xen/xl_assignments.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace teleport {
namespace {

/// vnuma has lists of lists; libxl's own options are no deeper.
constexpr std::size_t max_depth = 4;
constexpr std::size_t max_values = 4096;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_of_number(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || c == 'x';
}
int hex_digit(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

class xl_reader {
 public:
  explicit xl_reader(std::string_view text) : text_(text) {}

  result<std::vector<xl_assignment>> read() {
    while (true) {
      skip(true);
      if (at_end()) {
        break;
      }
      if (peek() == ';') {
        ++at_;
      } else if (!assignment()) {
        break;
      }
    }
    if (!wrong_.empty()) {
      return error(errc::bad_input, fmt::format("line {}: {}", line_, wrong_));
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }

  bool fail(std::string why) {
    if (wrong_.empty()) {
      wrong_ = std::move(why);
    }
    return false;
  }

  /// Blanks and comments, and line ends as well where they mean nothing.
  void skip(bool lines) {
    while (!at_end()) {
      const char c = peek();
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || (lines && c == '\n')) {
        line_ += c == '\n' ? 1U : 0U;
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view span_of(bool (*belongs)(char)) {
    const std::size_t begin = at_;
    while (!at_end() && belongs(peek())) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  bool assignment() {
    if (!is_lower(peek())) {
      return fail("no name of an option");
    }
    const std::string key(
        span_of([](char c) { return is_lower(c) || is_digit(c) || c == '_'; }));
    skip(false);
    const bool adds = peek() == '+';
    at_ += adds ? 1U : 0U;
    if (peek() != '=') {
      return fail("no '=' after " + key);
    }
    ++at_;
    skip(false);
    auto given = value(0);
    if (!given) {
      return false;
    }
    skip(false);
    if (!at_end() && peek() != '\n' && peek() != ';') {
      return fail("something after the value of " + key);
    }
    return assign(key, std::move(*given), adds);
  }

  bool assign(const std::string& key, xl_value given, bool adds) {
    const auto known = std::ranges::find(found_, key, &xl_assignment::key);
    if (known == found_.end()) {
      found_.push_back({key, std::move(given)});
      return true;
    }
    if (!adds) {
      known->value = std::move(given);
      return true;
    }
    if (known->value.is != given.is || given.is == xl_value::kind::number) {
      return fail("'+=' of another kind of value to " + key);
    }
    known->value.text += given.text;
    std::ranges::move(given.entries, std::back_inserter(known->value.entries));
    return true;
  }

  std::optional<xl_value> value(std::size_t depth) {
    if (++values_ > max_values) {
      fail(fmt::format("more than {} values", max_values));
      return std::nullopt;
    }
    if (peek() == '[') {
      return list(depth + 1);
    }
    if (peek() == '\'' || peek() == '"') {
      return string();
    }
    if (is_digit(peek())) {
      return xl_value{xl_value::kind::number,
                      std::string(span_of(is_of_number))};
    }
    fail("no text in quotes, number or list");
    return std::nullopt;
  }

  std::optional<xl_value> list(std::size_t depth) {
    if (depth > max_depth) {
      fail(fmt::format("lists nested deeper than {}", max_depth));
      return std::nullopt;
    }
    xl_value whole{xl_value::kind::list};
    ++at_;
    for (skip(true); peek() != ']'; skip(true)) {
      auto entry = value(depth);
      if (!entry) {
        return std::nullopt;
      }
      whole.entries.push_back(std::move(*entry));
      skip(true);
      if (peek() == ',') {
        ++at_;
      } else if (peek() != ']') {
        fail("no ',' or ']' in a list");
        return std::nullopt;
      }
    }
    ++at_;
    return whole;
  }

  std::optional<xl_value> string() {
    const char quote = text_[at_++];
    xl_value whole;
    while (!at_end() && peek() != '\n') {
      const char c = text_[at_++];
      if (c == quote) {
        return whole;
      }
      if (c != '\\') {
        whole.text += c;
      } else if (!escape(whole.text)) {
        return std::nullopt;
      }
    }
    fail("a text without its closing quote");
    return std::nullopt;
  }

  bool escape(std::string& text) {
    constexpr std::string_view letters = "abfnrtv";
    constexpr std::string_view meant = "\a\b\f\n\r\t\v";
    const char c = peek();
    const auto letter = letters.find(c);
    ++at_;
    if (c == '\\' || c == '\'' || c == '"') {
      text += c;
    } else if (letter != std::string_view::npos) {
      text += meant[letter];
    } else if (c == 'x' && at_ + 2 <= text_.size() &&
               hex_digit(text_[at_]) >= 0 && hex_digit(text_[at_ + 1]) >= 0) {
      text += static_cast<char>(hex_digit(text_[at_]) * 16 +
                                hex_digit(text_[at_ + 1]));
      at_ += 2;
    } else if (c >= '0' && c <= '3') {
      int code = c - '0';
      for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; ++i) {
        code = code * 8 + (text_[at_++] - '0');
      }
      text += static_cast<char>(code);
    } else {
      return fail("an escape that xl does not know");
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t values_ = 0;
  std::vector<xl_assignment> found_;
  std::string wrong_;
};

}  // namespace

result<std::vector<xl_assignment>> read_xl_assignments(std::string_view text) {
  return xl_reader(text).read();
}

std::string xl_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "'";
}

}  // namespace teleport
