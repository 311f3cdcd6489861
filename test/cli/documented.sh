#!/bin/bash
# Options, commands and keys: what the programs know and what the man pages and
# the shipped configuration say are the same.
. "$(dirname "$0")/functions.sh"
requires pod2text

xl_teleport=$TELEPORT_BUILD/xl-teleport/xl-teleport
teleportd=$TELEPORT_BUILD/tools/teleportd/teleportd
teleportctl=$TELEPORT_BUILD/tools/teleportctl/teleportctl
evacuate=$TELEPORT_BUILD/tools/evacuate/teleport-evacuate
listen=$TELEPORT_BUILD/tools/listen/teleport-listen
for program in "$xl_teleport" "$teleportd" "$teleportctl" "$evacuate" "$listen"; do
  [[ -x $program ]] || skip "$program is not built"
done
source=$TELEPORT_SOURCE

long_options() { grep -oE -- '--[a-z][a-z-]+' | sort -u; }
same() {
  [[ -s $1 ]] || fail "$3: none found"
  diff "$1" "$2" >difference || {
    cat difference
    fail "$3 (< the program, > the page)"
  }
}

"$xl_teleport" --help | sed '/^Exit codes/,$d' | long_options >known
sed -n 's/^=item//p' "$source/xl-teleport/xl-teleport.1.pod" | long_options >told
same known told 'options of xl-teleport'

grep -oE '"XL_TELEPORT_[A-Z_]+"' "$source/xl-teleport/source/options.cpp" | tr -d '"' |
  sort -u >known
grep -oE 'B<XL_TELEPORT_[A-Z_]+>' "$source/xl-teleport/xl-teleport.1.pod" |
  grep -oE 'XL_[A-Z_]+' | sort -u >told
same known told 'variables of the environment'

"$teleportd" --help | long_options >known
sed -n 's/^=item//p' "$source/tools/teleportd/teleportd.8.pod" | long_options >told
same known told 'options of teleportd'

"$listen" --help | long_options >known
sed -n 's/^=item//p' "$source/tools/listen/teleport-listen.8.pod" | long_options >told
same known told 'options of teleport-listen'

"$evacuate" --help | sed '/^Exit codes/,$d' | long_options >known
sed -n 's/^=item//p' "$source/tools/evacuate/teleport-evacuate.8.pod" | long_options >told
same known told 'options of teleport-evacuate'

# The plugin's failure codes and functions.
plugin=$source/tools/xapi/teleport.py
page=$source/tools/xapi/teleport-xapi.7.pod
grep -ohE "'TELEPORT_[A-Z_]+'" "$plugin" "$source/tools/xapi/teleport_jobs.py" |
  tr -d "'" | sort -u >known
grep -oE '^=item B<TELEPORT_[A-Z_]+>' "$page" | grep -oE 'TELEPORT_[A-Z_]+' |
  sort -u >told
same known told 'failure codes of the plugin'
sed -n '/^TABLE/,/}/p' "$plugin" | grep -oE "'[a-z_]+'" | tr -d "'" | sort >known
sed -nE 's/^=item B<([a-z_]+)>.*/\1/p' "$page" | sort >told
same known told 'functions of the plugin'

# A program's subcommands, from the last part of its help.
commands() {
  "$teleportctl" "$@" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]\+\) .*/\1/p'
}
for command in $(commands); do
  inner=$(commands "$command")
  for word in ${inner:-''}; do
    echo "${command}${word:+ $word}"
    # shellcheck disable=SC2086 # no word is no argument
    "$teleportctl" "$command" $word --help | long_options >>all
  done
done | sed "s/ ''//" | sort >known
sed -n 's/^=item B<\([a-z ]*\)>.*/\1/p' "$source/tools/teleportctl/teleportctl.8.pod" |
  sort >told
same known told 'commands of teleportctl'
{
  cat all
  "$teleportctl" --help | long_options
} | sort -u >known
sed -n 's/^=item//p' "$source/tools/teleportctl/teleportctl.8.pod" | long_options >told
same known told 'options of teleportctl'

# Keys of the configuration: section and name, in the code, file and page.
grep -oE '^ *\{"[a-z]+\.[a-z_]+"' "$source/xl-teleport/setup/settings.cpp" |
  grep -oE '[a-z]+\.[a-z_]+' | sort >known
awk -F'[][ ]' '/^\[/ { s = $2 } /^[a-z_]+ = / { print s "." $1 }' \
  "$source/xl-teleport/setup/teleport.conf" | sort >told
same known told 'keys in teleport.conf'
awk '/^=head2 \[/ { s = $2; gsub(/[][]/, "", s) }
  /^=item B</ { k = $2; gsub(/B<|>/, "", k); print s "." k }' \
  "$source/xl-teleport/setup/teleport.conf.5.pod" | sort >told
same known told 'keys in teleport.conf(5)'
# Defaults in the page are those in the file, where a list may have several lines.
awk '/^[a-z_]+ = / { text = ""; more = 1 }
  more { gsub(/^ +/, " "); text = text $0 }
  more && !(text ~ /\[/ && text !~ /\]$/) { print text; more = 0 }' \
  "$source/xl-teleport/setup/teleport.conf" | sort >known
sed -nE 's/^=item B<([a-z_]+)>( = .*)/\1\2/p' "$source/xl-teleport/setup/teleport.conf.5.pod" |
  sort >told
same known told 'defaults in teleport.conf(5)'

# Keys of the report and of its progress.
sed -nE '/^json [a-z_]*json\(/,/^}/s/.*[{[]"([a-z_]+)"[],].*/\1/p' \
  "$source/xl-teleport/source/report.cpp" | sort -u >known
grep -oE 'B<[a-z_]+>' "$source/xl-teleport/teleport-report.5.pod" |
  sed 's/B<\(.*\)>/\1/' | sort -u >told
comm -23 known told >missing
[[ -s known && ! -s missing ]] ||
  fail "teleport-report(5) does not have: $(paste -sd' ' missing)"

# The shipped file is read without complaint; what is wrong is named.
expect_exit 0 "$teleportctl" --config "$source/xl-teleport/setup/teleport.conf" shadow list
printf '[listen]\nprot = 1\n' >wrong
expect_exit 2 "$teleportctl" --config wrong shadow list
expect_text err "unknown key 'listen.prot'"

# The files that HACKING.md names are there; one without a folder lies in the
# folder of the one before.
sed -n '/^## Where to begin/,/^## Threads/p' "$source/HACKING.md" |
  grep -oE '`[a-zA-Z0-9_./-]+\.[a-z0-9.]+`' | tr -d '`' >named
[[ -s named ]] || fail 'HACKING.md names no files'
folder=.
while read -r name; do
  case $name in
    */*) folder=${name%/*} ;;
    *) name=$folder/$name ;;
  esac
  [[ -f $source/$name ]] || fail "HACKING.md names $name, which is not there"
done <named

# The tests that SECURITY.md names for what a peer can do are there, by their
# files and by the words between quotes that follow.
grep -E '^\| can(not)? \|' "$source/SECURITY.md" | sed 's/.* | //' |
  grep -oE '`[a-z_.]+`|"[^"]+"' >shown
[[ -s shown ]] || fail 'SECURITY.md names no tests'
while read -r word; do
  if [[ $word = \`* ]]; then
    name=${word//\`/}
    [[ $name = *.* ]] || name+=.cpp
    mapfile -t files < <(find "$source/test" -name "$name")
    [[ -n ${files[*]} ]] ||
      fail "SECURITY.md names the test $name, which is not there"
  else
    word=${word#\"}
    grep -qF -- "${word%\"}" "${files[@]}" || fail "$name has no test \"$word"
  fi
done <shown
! grep -E '^\| can(not)? \|' "$source/SECURITY.md" | grep -vE '`[a-z_.]+`[^|]*\|$' ||
  fail 'SECURITY.md says what no test shows'

# The page of faults has a cell for each fault that is tried.
"$source/test/whole/run" --list | grep -cE '^(kill|power of|full disk at|link cut at|the (link|session|source) fails in) ' >tried
sed -n 's/^## .*: \([0-9]*\) faults$/\1/p' "$source/test/RESULTS-faults.md" |
  awk '{ all += $1 } END { print all }' >told
diff tried told || fail "test/RESULTS-faults.md is older than the faults: run 'make faults-page'"
