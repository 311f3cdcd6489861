#!/bin/bash
# Completion by zsh: an interactive zsh at a terminal of its own is given lines
# and the Tab key.
. "$(dirname "$0")/functions.sh"
requires zsh
. "$TELEPORT_SOURCE/test/cli/completed.sh"

mkfifo told
# What is typed there is completed by Tab; what was offered goes to the test, and
# then the line as it is after it.
cat >.zshrc <<'END'
PROMPT= RPROMPT=
setopt no_auto_list no_beep
fpath=($tmp/completions $fpath)
autoload -Uz compinit
compinit -u -d $tmp/dump
compadd() {
  if [[ ${@[1,(i)(-|--)]} = *-[a-zA-Z]#[OAD]* ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -A hits "$@"
  offered+=("${hits[@]}")
  builtin compadd "$@"
}
tab() {
  offered=()
  zle complete-word
  print -rl -- "${(@ou)offered}" "= $BUFFER" >$tmp/told
  BUFFER=
}
zle -N tab
bindkey '^I' tab
END
# Each line of standard input is typed; what comes of it is printed.
cat >type.zsh <<'END'
zmodload zsh/zpty
zpty typed zsh -d -i
while IFS= read -r line; do
  zpty -n -w typed "$line"$'\t'
  cat $tmp/told
  while zpty -r -t typed ignored; do :; done
done
END
export tmp
said() { printf '%s\n' "$1" | ZDOTDIR=$tmp TERM=xterm zsh -f type.zsh; }
# offers TEXT LINE: exactly these, with blanks between.
offers() {
  local got
  got=$(said "$2" | sed '/^=/d' | paste -sd' ')
  [[ $got = "$1" ]] || fail "for '$2': '$got', not '$1'"
}
# becomes LINE TYPED: what is typed becomes this line.
becomes() {
  local got
  got=$(said "$2" | sed -n 's/^= //p')
  [[ $got = "$1" ]] || fail "'$2' became '$got', not '$1'"
}

offered() { said "$1" | sed '/^=/d'; }
name='\$\(touch\$\{IFS\}caught\)'
offers "$name db web1 web2" 'xl-teleport '
offers 'web1 web2' 'xl-teleport web'
# shellcheck disable=SC2016 # what is typed
becomes "xl-teleport $name " 'xl-teleport \$'
offers '10.0.0.7 fd00::7 host2 host3' 'xl-teleport --dry-run web1 '
offers 'host2 host3' 'xl-teleport --downtime 2 web1 h'
becomes 'xl-teleport web1 fd00::7 ' 'xl-teleport web1 fd'
offers 'pair peers' 'teleportctl p'
becomes 'teleportctl unpair ' 'teleportctl unp'
becomes 'teleportctl index scan /srv/a.img ' 'teleportctl index scan /s'
# No blank behind a member of a list.
becomes 'teleport-evacuate --to host2,host3' 'teleport-evacuate --to host2,host3'
becomes 'teleport-evacuate --to host2,10.0.0.7' 'teleport-evacuate --to host2,1'
offers 'cancel finish' 'teleport-evacuate --at-close='
becomes 'teleport-evacuate --at-close=cancel ' 'teleport-evacuate --at-close=c'
offers '' 'xl-teleport web1 host2 '
for program in xl-teleport teleportd teleport-listen teleportctl teleport-evacuate; do
  options_of "$program" >known
  offered "$program --" | diff known - || fail "options of $program (< its help, > offered)"
done

mkdir files
touch 'files/a file' files/other
becomes 'teleportd --config files/other ' 'teleportd --config files/o'
becomes 'teleportd --config=files/a\ file ' 'teleportd --config=files/a'
touch files.none
becomes 'teleportctl index list --index files/' 'teleportctl index list --index fil'

becomes 'xl list ' 'xl l'
becomes 'xl teleport ' 'xl t'
offers 'web1 web2' 'xl -v teleport w'
becomes 'xl teleport --json ' 'xl teleport --j'
becomes 'xl create files/other ' 'xl create files/o'
[[ ! -e caught ]] || fail "a guest's name was run as a command"
