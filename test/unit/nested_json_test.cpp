// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/nested_json_test.cpp: JSON of any depth, as a paired host may send
// it, ends in an error and not in a stack that is used up.

#include <string>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/guest_config.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

constexpr std::size_t many = 100'000;

/// {"FIELD":[[[...]]]}
std::string nested(const std::string& field, std::size_t levels = many) {
  return "{\"" + field + "\":" + std::string(levels - 1, '[') +
         std::string(levels - 1, ']') + "}";
}

template <class Value>
void check_refused(const result<Value>& read) {
  REQUIRE_FALSE(read);
  CHECK(read.error().context.find("nested deeper than 32 levels") !=
        std::string::npos);
}

}  // namespace

TEST_CASE("deeply nested JSON is refused in every record", "[wire][json]") {
  check_refused(read_offer(nested("guest")));
  check_refused(read_seed_offer(nested("guest")));
  check_refused(read_answer(nested("problems")));
  check_refused(read_targets(nested("disks")));
  check_refused(read_go_result(nested("bulk")));
  check_refused(read_seed_result(nested("disks")));
  check_refused(decode_failure(as_bytes(nested("code"))));
}

TEST_CASE("a deeply nested guest's configuration is refused", "[xen][json]") {
  check_refused(read_config(nested("c_info")));
  check_refused(build_config(nested("disks"), {}, {}, {}));
  CHECK(migration_vetoes(nested("b_info")).empty());
}

TEST_CASE("levels are counted outside strings alone", "[json]") {
  CHECK(json_depth("{}") == 1);
  CHECK(json_depth(R"({"a": "[[[[", "b": [1, [2]]})") == 3);
  CHECK(json_depth(R"({"a\"[[[[": 1})") == 1);
  CHECK(json_depth("]]]]") == 0);
  CHECK(parse_object(nested("a", max_json_depth), 1000));
  CHECK_FALSE(parse_object(nested("a", max_json_depth + 1), 1000));
}

}  // namespace teleport
