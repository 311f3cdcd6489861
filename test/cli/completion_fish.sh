#!/bin/bash
# Completion by fish: asked as fish itself asks, of files that lie where the
# package has them.
. "$(dirname "$0")/functions.sh"
requires fish
. "$TELEPORT_SOURCE/test/cli/completed.sh"

mkdir -p share/fish/vendor_completions.d home
for program in xl xl-teleport teleportctl teleportd teleport-listen teleport-evacuate; do
  ln -s "$tmp/completions/xl-teleport.fish" "share/fish/vendor_completions.d/$program.fish"
done
# said LINE: what is offered for its last word, with what it is.
said() {
  # shellcheck disable=SC2016 # of fish
  HOME=$tmp/home XDG_CONFIG_HOME=$tmp/home XDG_DATA_HOME=$tmp/home \
    XDG_DATA_DIRS=$tmp/share fish -c 'complete --do-complete $argv[1]' "$1"
}
offered() { said "$1" | cut -f 1 | sort; }
# offers TEXT LINE: exactly these, with blanks between.
offers() {
  local got
  got=$(offered "$2" | paste -sd' ')
  [[ $got = "$1" ]] || fail "for '$2': '$got', not '$1'"
}

# shellcheck disable=SC2016 # a guest's name
offers '$(touch${IFS}caught) db web1 web2' 'xl-teleport '
offers 'web1 web2' 'xl-teleport web'
offers '10.0.0.7 fd00::7 host2 host3' 'xl-teleport --dry-run web1 '
offers 'host2 host3' 'xl-teleport --downtime 2 web1 h'
offers 'fd00::7' 'xl-teleport web1 fd'
offers 'pair peers' 'teleportctl p'
offers '/srv/a.img' 'teleportctl index scan /s'
offers 'host2,host3' 'teleport-evacuate --to host2,h'
offers '--at-close=cancel --at-close=finish' 'teleport-evacuate --at-close='
offers '' 'xl-teleport web1 host2 '
said 'teleportctl unp' >out
expect_text out $'unpair\ttake back a pairing'
for program in xl-teleport teleportd teleport-listen teleportctl teleport-evacuate; do
  options_of "$program" >known
  offered "$program --" | diff known - || fail "options of $program (< its help, > offered)"
done

mkdir files
touch 'files/a file' files/other
offers 'files/other' 'teleportd --config files/o'
offers 'files/other' 'teleportctl -c files/o'
offers '--config=files/other' 'teleportd --config=files/o'
touch files.none
offers 'files/' 'teleportctl index list --index fil'

offers 'list' 'xl l'
offers 'teleport' 'xl t'
offers 'web1 web2' 'xl -v teleport w'
offers '--json' 'xl teleport --j'
offers 'files/other' 'xl create files/o'
[[ ! -e caught ]] || fail "a guest's name was run as a command"
