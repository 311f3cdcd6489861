#!/bin/bash
# The lints find what they look for: a rule that cannot fail holds nothing.
. "$(dirname "$0")/functions.sh"
requires python3 git readelf

# A small tree with the lints in it.
mkdir -p tree/tools/lint tree/libteleport/base
cp "$TELEPORT_SOURCE"/tools/lint/{tree-files,check-length,check-members,check-json,changed-sources} \
  tree/tools/lint/
cd tree
git init -q .
git config user.name test
git config user.email test@example.org

members() {
  {
    echo '// a class of data members, functions, types and the like'
    echo 'class many {'
    echo ' public:'
    echo '  explicit many(int of) : first_(of) {}'
    echo '  using text = const char*;'
    echo '  enum class state { open, closed };'
    echo '  [[nodiscard]] bool is_open() const { return at_ == state::open; }'
    echo '  static constexpr int limit = 3;'
    echo ' private:'
    echo '  int first_ = 0;'
    echo '  state at_{state::open};'
    echo '  std::function<void(int, bool)> told_;  // one member, and no function'
    for ((i = 3; i < $1; i++)); do echo "  int member_$i;"; done
    echo '};'
  } >libteleport/base/many.hpp
}
members 25
expect_exit 0 tools/lint/check-members
members 26
expect_exit 1 tools/lint/check-members
expect_text "$tmp/out" 'many has 26 data members, more than 25'

printf '// %077d\nint code;\n' 0 >libteleport/base/wide.cpp
expect_exit 0 tools/lint/check-length
printf 'int code;  // %068d\n' 0 >libteleport/base/wide.cpp
expect_exit 1 tools/lint/check-length
expect_text "$tmp/out" 'wide.cpp:1: a comment of 82 columns'
seq -f '// %g' 501 >libteleport/base/wide.cpp
expect_exit 1 tools/lint/check-length
expect_text "$tmp/out" 'more than 500 lines'

# JSON has one way in and one way out.
mkdir -p tools/xapi
raw_json() {
  echo "$1" >libteleport/base/raw.cpp
  expect_exit "$2" tools/lint/check-json
}
raw_json 'auto a = parse_object(text, 1); out << dump(a, 2);' 0
raw_json 'auto a = json::parse(text, nullptr, false);' 1
expect_text "$tmp/out" '(json_text.hpp has parse_object() and dump())'
raw_json 'bool b = nlohmann::json::accept(text);' 1
raw_json 'out << list.dump(2);' 1
raw_json 'out << at->dump();' 1
raw_json 'out << nlohmann::json{{"a", 1}};' 1
rm libteleport/base/raw.cpp
printf 'found = json.loads(line)\nexcept ValueError:\n' >tools/xapi/raw.py
expect_exit 1 tools/lint/check-json
expect_text "$tmp/out" 'raw.py:1: json.loads() without'
printf 'found = json.loads(line)\nexcept (ValueError, RecursionError):\n' >tools/xapi/raw.py
expect_exit 0 tools/lint/check-json
rm tools/xapi/raw.py

# What clang-tidy is given after a change.
echo 'int a;' >libteleport/base/a.cpp
echo '#include "libteleport/base/many.hpp"' >libteleport/base/b.cpp
echo 'int a();' >libteleport/base/a.hpp
git add -A && git commit -qm first
expect_exit 0 tools/lint/changed-sources
[[ $(wc -l <"$tmp/out") = 3 ]] || fail 'a first commit: every source'
git commit -q --allow-empty -m second
expect_exit 0 tools/lint/changed-sources
[[ ! -s $tmp/out ]] || fail 'nothing changed, and something is looked at'
echo '// more' >>libteleport/base/many.hpp
echo '// more' >>libteleport/base/a.hpp
expect_exit 0 tools/lint/changed-sources
printf 'libteleport/base/%s.cpp\n' a b >"$tmp/wanted"
diff "$tmp/wanted" "$tmp/out" || fail 'of a header, its source or one that includes it'

# Groups of sources: those of one folder, seven at the most.
"$TELEPORT_SOURCE/tools/lint/tidy-groups" a/{1..8}.cpp b/c/x.cpp >"$tmp/out"
printf 'a/%s\n' '1=a/1.cpp,a/2.cpp,a/3.cpp,a/4.cpp,a/5.cpp,a/6.cpp,a/7.cpp' \
  '2=a/8.cpp' >"$tmp/wanted"
echo 'b/c/1=b/c/x.cpp' >>"$tmp/wanted"
diff "$tmp/wanted" "$tmp/out" || fail 'groups of sources'

# A program without any of it: /bin/true is Debian's, and has no assertions.
expect_exit 1 "$TELEPORT_SOURCE/tools/package/check-hardening" /bin/true
expect_text "$tmp/out" 'not hardened: no -D_GLIBCXX_ASSERTIONS'
