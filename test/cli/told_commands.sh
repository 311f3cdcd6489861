#!/bin/bash
# Commands that a user is told to run exist: those in the sentences of the
# sources, written '...', and those in the documents, written `...` or as an
# indented line, are held against --help.
. "$(dirname "$0")/functions.sh"
requires perl

source=$TELEPORT_SOURCE
xl_teleport=$TELEPORT_BUILD/xl-teleport/xl-teleport
teleportctl=$TELEPORT_BUILD/tools/teleportctl/teleportctl
teleportd=$TELEPORT_BUILD/tools/teleportd/teleportd
evacuate=$TELEPORT_BUILD/tools/evacuate/teleport-evacuate
listen=$TELEPORT_BUILD/tools/listen/teleport-listen
for program in "$xl_teleport" "$teleportd" "$teleportctl" "$evacuate" "$listen"; do
  [[ -x $program ]] || skip "$program is not built"
done

name='(?:xl[ -]teleport|teleportctl|teleportd|teleport-listen|teleport-evacuate)'
# Sentences of C++, whose literals may go on in the next line. FILE: COMMAND.
in_sources() {
  # shellcheck disable=SC2016 # perl's
  perl -0777 -ne '
    s{^\s*//.*$}{}mg; s/"\s*\n\s*"//g;
    while (/"((?:[^"\\\n]|\\.)*)"/g) {
      my $text = $1;
      while ($text =~ /\x27('"$name"' [^\x27]*)\x27/g) { print "$ARGV: $1\n" }
      $text =~ s/\x27[^\x27]*\x27//g;
      print "$ARGV: UNQUOTED $text\n"
        if $text =~ /\b(?:run|try|use|see|with|by) '"$name"' [a-z-]/;
    }' "$@"
}
in_documents() {
  # shellcheck disable=SC2016 # perl's
  perl -ne '
    my @found = /`('"$name"' [^`]*)`/g;
    push @found, /C<('"$name"' [^>]*)>/g;
    push @found, $1 if /^ {4}('"$name"' .*?)(?: +#.*)?$/;
    print "$ARGV: $_\n" for @found;' "$@"
}

declare -A help_of
help() {
  local key="$*"
  if [[ -z ${help_of[$key]:-} ]]; then
    help_of[$key]=$("$@" --help)
  fi
  told=${help_of[$key]}
}
wrong=0
complain() {
  echo "$1: no such command: $2 ($3)"
  wrong=1
}
# check FILE WORD...
check() {
  local file=$1 all="${*:2}" word program=()
  shift
  case $1 in
    xl) program=("$xl_teleport") && shift 2 ;;
    xl-teleport) program=("$xl_teleport") && shift ;;
    teleport-evacuate) program=("$evacuate") && shift ;;
    teleportd) program=("$teleportd") && shift ;;
    teleport-listen) program=("$listen") && shift ;;
    teleportctl) program=("$teleportctl") && shift ;;
  esac
  while help "${program[@]}" && [[ $told = *Subcommands:* ]] && (($# > 0)) &&
    [[ $1 != -* ]]; do
    [[ $1 =~ ^[a-z]+$ ]] || break
    if ! grep -q "^  $1 " <<<"${told#*Subcommands:}"; then
      complain "$file" "$all" "${program[*]##*/} has no '$1'"
      return
    fi
    program+=("$1")
    shift
  done
  for word; do
    word=${word%%[=,;:.\]\)]*}
    word=${word#[}
    case $word in
      --*)
        grep -qE -- "(^|[ ,])$word([ ,=]|$)" <<<"$told" ||
          complain "$file" "$all" "no option $word"
        ;;
    esac
  done
}

cd "$source" || exit
mapfile -t sources < <(find libteleport index xl-teleport tools -name '*.[ch]pp')
# HACKING.md names options that the programs have for each other alone, and
# CHANGELOG.md what is gone.
mapfile -t documents < <(find . -path './build*' -prune -o -name HACKING.md -o \
  -name CHANGELOG.md -o \( -name '*.md' -o -name '*.pod' \) -print)
{
  in_sources "${sources[@]}"
  in_documents "${documents[@]}"
} >"$tmp/told"
count=0
while IFS= read -r line; do
  file=${line%%: *} command=${line#*: }
  if [[ $command = UNQUOTED* ]]; then
    echo "$file: write the command in '...': ${command#UNQUOTED }"
    wrong=1
    continue
  fi
  read -ra words <<<"$command"
  check "$file" "${words[@]}"
  count=$((count + 1))
done <"$tmp/told"
((count >= 20)) || fail "only $count commands were found: this test is blind"
((wrong == 0)) || fail 'a user is told to run what does not exist'
echo "$count commands"
