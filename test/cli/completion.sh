#!/bin/bash
# Completion by bash: the real function is called as bash calls it, with the
# real programs for their options and stand-ins for what only a Xen host knows.
. "$(dirname "$0")/functions.sh"

. "$TELEPORT_SOURCE/test/cli/completed.sh"

# As Xen's own completion: its words end with a blank.
cat >completions/xl.distrib <<'END'
_xl() { COMPREPLY=($(compgen -W "list info top" -- "${COMP_WORDS[COMP_CWORD]}")); }
complete -F _xl -o nospace -o default xl xen
END
. completions/xl

# complete_words WORD...: what is offered for the last of them, sorted.
complete_words() {
  local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=() function
  function=$(complete -p "${1##*/}" | sed -E 's/.*-F ([^ ]+) .*/\1/')
  "$function" "${1##*/}" "${*: -1}" "${*: -2:1}"
  printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort
}
# offers TEXT WORD...: exactly these, with blanks between.
offers() {
  local want=$1 got
  shift
  got=$(complete_words "$@" | paste -sd' ')
  [[ $got = "$want" ]] || fail "for '$*': '$got', not '$want'"
}
offers_options_of() {
  options_of "$@" >known
  [[ -s known ]] || fail "$* has no options"
  complete_words "$@" -- >offered
  diff known offered || fail "options of $* (< its help, > offered)"
}

name='\$\(touch\$\{IFS\}caught\)'
offers "$name db web1 web2" xl-teleport ''
offers 'web1 web2' xl-teleport web
offers '10.0.0.7 fd00::7 host2 host3' xl-teleport --dry-run web1 ''
offers 'host2 host3' xl-teleport --downtime 2 web1 h
offers '' xl-teleport web1 host2 ''
offers '' xl-teleport --downtime ''
offers '7' xl-teleport web1 fd00 : :
offers '--port' xl-teleport web1 --po
offers_options_of xl-teleport
offers_options_of teleportd
offers_options_of teleport-listen

mkdir files
touch 'files/a file' files/other
offers 'files/a file files/other' teleportd --config files/
offers 'files/other' teleportd --config = files/o
complete_words teleportd --config = | grep -qx files || fail 'nothing after ='
"$REAL_TELEPORTCTL" --help | sed '1,/^Subcommands/d' | awk '/^  [a-z]/ { print $1 }' | sort >known
complete_words teleportctl '' | diff known - || fail 'commands of teleportctl'
offers 'pair peers' teleportctl p
offers 'list' teleportctl --config files/other index l
offers '10.0.0.7 fd00::7 host2 host3' teleportctl unpair ''
offers 'old1' teleportctl shadow forget ''
offers 'old1' teleportctl shadow remove ''
offers '5f0c' teleportctl cancel ''
offers '5f0c 77aa' teleportctl show ''
offers 'web1' teleportctl log ''
offers '--keep-days' teleportctl shadow prune --k
# A flag whose description begins with a capital letter has no value.
offers '--store-limit' teleportctl pair --limited --st
offers '/srv/a.img' teleportctl index scan /s
for command in '' pair peers unpair shadow 'shadow list' 'shadow prune' index 'index add' \
  'index scan' 'index find'; do
  # shellcheck disable=SC2086 # words
  offers_options_of teleportctl $command
done

# Values that are lists.
offers 'host2,host3' teleport-evacuate --to host2,h
offers 'web1 web2' teleport-evacuate --guests w
offers 'cancel finish' teleport-evacuate --at-close ''
offers '--all --all-or-nothing --at-close' teleport-evacuate --a
offers '' teleport-evacuate ''
offers_options_of teleport-evacuate

offers 'list' xl l
complete_words xl t | diff <(printf 'teleport \ntop\n') - || fail 'xl t'
offers 'web1 web2' xl teleport w
offers 'web1 web2' xl -v teleport w
offers 'host2 host3' xl teleport web1 h
offers '--json' xl teleport --j
complete -p xen | grep -qw _xl || fail "Xen's completion of xen was changed"
[[ ! -e caught ]] || fail "a guest's name was run as a command"
