// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/json_fields.hpp: checked reading of JSON objects; for
// sources alone: no other header includes it.
//
// A json_fields is asked for one field after the other; the first that is
// missing, of another type or beyond its limit is remembered, and what comes
// after reads as empty. Ask failed() once, at the end.
//
// Threads: one owner.
// Trust:   made for hostile text; never throws on it.

#ifndef LIBTELEPORT_BASE_JSON_FIELDS_HPP
#define LIBTELEPORT_BASE_JSON_FIELDS_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "libteleport/base/sentence.hpp"

namespace teleport {

class json_fields {
 public:
  /// @param object  must outlive this
  explicit json_fields(const nlohmann::json& object) : object_(object) {
    if (!object.is_object()) {
      fail("not an object");
    }
  }

  /// The value, or nullptr when the object has none (or null) of that name.
  [[nodiscard]] const nlohmann::json* find(const char* name) const {
    if (!object_.is_object()) {
      return nullptr;
    }
    const auto at = object_.find(name);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }

  /// A text without control characters and marks of direction.
  [[nodiscard]] std::string text(const char* name, std::size_t limit) {
    const auto* value = want(name);
    return value != nullptr ? text_of(*value, name, limit) : std::string();
  }
  /// The same, or "" when it is not there.
  [[nodiscard]] std::string text_or_empty(const char* name, std::size_t limit) {
    const auto* value = find(name);
    return value != nullptr ? text_of(*value, name, limit) : std::string();
  }
  /// Any text, control characters included.
  [[nodiscard]] std::string raw_text(const char* name, std::size_t limit) {
    const auto* value = want(name);
    if (value == nullptr) {
      return {};
    }
    if (!value->is_string() ||
        value->get_ref<const std::string&>().size() > limit) {
      fail(std::string(name) + ": not a text within its limit");
      return {};
    }
    return value->get<std::string>();
  }

  template <std::unsigned_integral T>
  [[nodiscard]] T number(const char* name,
                         T limit = std::numeric_limits<T>::max()) {
    const auto* value = want(name);
    return value != nullptr ? number_of<T>(*value, name, limit) : T{0};
  }
  template <std::unsigned_integral T>
  [[nodiscard]] T number_or(const char* name, T other) {
    const auto* value = find(name);
    return value != nullptr
               ? number_of<T>(*value, name, std::numeric_limits<T>::max())
               : other;
  }

  [[nodiscard]] bool flag(const char* name) {
    const auto* value = want(name);
    if (value == nullptr) {
      return false;
    }
    if (!value->is_boolean()) {
      fail(std::string(name) + ": not a truth value");
      return false;
    }
    return value->get<bool>();
  }

  [[nodiscard]] std::vector<std::string> texts(const char* name,
                                               std::size_t max_entries,
                                               std::size_t limit) {
    std::vector<std::string> found;
    for (const auto& value : list(name, max_entries)) {
      found.push_back(text_of(value, name, limit));
    }
    return found;
  }
  template <std::unsigned_integral T>
  [[nodiscard]] std::vector<T> numbers(const char* name,
                                       std::size_t max_entries) {
    std::vector<T> found;
    for (const auto& value : list(name, max_entries)) {
      found.push_back(number_of<T>(value, name, std::numeric_limits<T>::max()));
    }
    return found;
  }
  /// The array, or an empty one after a failure.
  [[nodiscard]] const nlohmann::json& list(const char* name,
                                           std::size_t max_entries) {
    static const nlohmann::json none = nlohmann::json::array();
    const auto* value = want(name);
    if (value == nullptr) {
      return none;
    }
    if (!value->is_array() || value->size() > max_entries) {
      fail(std::string(name) + ": not a list of at most " +
           std::to_string(max_entries));
      return none;
    }
    return *value;
  }

  void fail(std::string why) {
    if (!failure_) {
      failure_ = std::move(why);
    }
  }
  /// The first failure, naming its field.
  [[nodiscard]] const std::optional<std::string>& failed() const noexcept {
    return failure_;
  }

 private:
  [[nodiscard]] const nlohmann::json* want(const char* name) {
    const auto* value = find(name);
    if (value == nullptr) {
      fail(std::string(name) + ": missing");
    }
    return value;
  }
  [[nodiscard]] std::string text_of(const nlohmann::json& value,
                                    const char* name,
                                    std::size_t limit) {
    if (!value.is_string()) {
      fail(std::string(name) + ": not a text");
      return {};
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > limit) {
      fail(std::string(name) + ": " + std::to_string(text.size()) +
           " bytes, above limit " + std::to_string(limit));
      return {};
    }
    if (!is_harmless_text(text)) {
      fail(std::string(name) + ": has a control character");
      return {};
    }
    return text;
  }
  template <std::unsigned_integral T>
  [[nodiscard]] T number_of(const nlohmann::json& value,
                            const char* name,
                            T limit) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > limit) {
      fail(std::string(name) + ": not a number from 0 to " +
           std::to_string(limit));
      return 0;
    }
    return static_cast<T>(value.get<std::uint64_t>());
  }

  const nlohmann::json& object_;
  std::optional<std::string> failure_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_JSON_FIELDS_HPP
