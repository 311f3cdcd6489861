#!/bin/bash
# What the programs say of a command line, a configuration and an output with
# which they can do nothing: the program's name, the word that is meant, and
# what it is to be; and what of it a person is told who is not root.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"

xl_teleport=$TELEPORT_BUILD/xl-teleport/xl-teleport
teleportctl=$TELEPORT_BUILD/tools/teleportctl/teleportctl
evacuate=$TELEPORT_BUILD/tools/evacuate/teleport-evacuate
head -c 1M /dev/urandom >web1.img

# says TEXT COMMAND...: wrong usage, with this as its first line.
says() {
  local text=$1
  shift
  expect_exit 2 "$@"
  [[ $(head -n 1 err) = "$text" ]] || fail "'$*' said '$(head -n 1 err)', not '$text'"
}
says 'xl teleport: unknown option -s' "$xl_teleport" -s ssh web1 host2
says "xl teleport: unknown option --max-downtme; did you mean '--max-downtime'?" \
  "$xl_teleport" --max-downtme=3 web1 host2
says "xl teleport: 'host3' is one word too many" "$xl_teleport" web1 host2 host3
says 'xl teleport: DOMAIN is required' "$xl_teleport"
says 'xl teleport: HOST is required' "$xl_teleport" web1
says "teleportctl: no command 'sed'; did you mean 'seed'?" "$teleportctl" sed
says "teleportctl: no command 'tasks'" "$teleportctl" tasks
says 'teleportctl: unknown option -V' "$teleportctl" -V
says 'teleportctl: a command is needed' "$teleportctl"
says 'teleportctl: --config: 1 required FILE missing' "$teleportctl" -c
says "teleportctl shadow: no command 'delete'" "$teleportctl" shadow delete
says 'teleportctl shadow prune: --keep-days or --max-space is needed' \
  "$teleportctl" -c "$tmp/here/teleport.conf" shadow prune
says "teleportctl shadow prune: --max-space: '1 heap' is not a size as 500GiB" \
  "$teleportctl" shadow prune --max-space '1 heap'
says 'teleportctl pair: unknown option -x' "$teleportctl" pair -x root@host2
says "teleportctl pair: -p,--port: '22x' is not a whole number from 1 to 65535" \
  "$teleportctl" pair -p 22x root@host2
says "xl teleport: --downtime: '500ms' is not a number of seconds from 0.01 to 86400, as 0.5" \
  "$xl_teleport" --downtime 500ms web1 host2
says 'xl teleport: --downtime: it is longer than --max-downtime' \
  "$xl_teleport" --downtime 5 --max-downtime 1 web1 host2
# The environment may have pace and downtime; the command line counts before it.
XL_TELEPORT_DOWNTIME=500ms says \
  "xl teleport: --downtime: '500ms' is not a number of seconds from 0.01 to 86400, as 0.5 (XL_TELEPORT_DOWNTIME)" \
  "$xl_teleport" web1 host2
XL_TELEPORT_DOWNTIME=5 XL_TELEPORT_MAX_DOWNTIME=2 says \
  'xl teleport: --downtime: it is longer than --max-downtime' "$xl_teleport" web1 host2
XL_TELEPORT_DOWNTIME=5 XL_TELEPORT_MAX_DOWNTIME=2 says \
  'xl teleport: --downtime: it is longer than --max-downtime' \
  "$xl_teleport" --downtime 3 web1 host2
for option in bwlimit connections reconnect; do
  variable=XL_TELEPORT_${option^^}
  expect_exit 2 env "$variable=wrong" "$xl_teleport" web1 host2
  grep -q "^xl teleport: --$option: 'wrong' .* ($variable)\$" err || fail "$(cat err)"
  # What was typed wrong is none of the environment's.
  expect_exit 2 env "$variable=wrong" "$xl_teleport" "--$option" badly web1 host2
  grep -q "^xl teleport: --$option: 'badly' .*[^)]\$" err || fail "$(cat err)"
  # Other programs do not look there.
  expect_exit 0 env "$variable=wrong" "$teleportctl" -c "$tmp/here/teleport.conf" shadow list
done
# What decides something is said on the command line alone.
"$xl_teleport" --help >help
for option in yes runs-here runs-there recover config peer port dry-run json quiet; do
  variable=${option//-/_}
  ! grep -q "XL_TELEPORT_${variable^^}" help || fail "--$option is taken from the environment"
done
says "xl teleport: --bwlimit: '1kbit' is below the least, 8.2kbit" \
  "$xl_teleport" --bwlimit 1kbit web1 host2
says "xl teleport: HOST: 'root@host2' is not HOST or HOST:PORT: a user is ssh's, and no teleport goes over it" \
  "$xl_teleport" web1 root@host2
says "teleport-evacuate: --at-close: 'wait' is neither finish nor cancel" \
  "$evacuate" --to host2 --at-close wait
expect_text err "'teleport-evacuate --help' says more"

# Help fits the screen, and says what holds unless something is said.
commands() { sed -n '/^Subcommands:/,$s/^  \([a-z]\+\) .*/\1/p'; }
{
  for program in "$xl_teleport" "$evacuate" "$teleportd"; do
    "$program" --help
  done
  for command in '' $("$teleportctl" --help | commands); do
    for inner in '' $("$teleportctl" ${command:+"$command"} --help | commands); do
      "$teleportctl" ${command:+"$command"} ${inner:+"$inner"} --help
    done
  done
} >help
! grep -E '.{81}' help || fail 'a line of --help has more than 80 columns'
! grep -E 'FLOAT|UINT|TEXT|INT in|Excludes|Needs' help || fail 'raw words of the parser'
# What a program was made with, for who asks why two hosts do not agree.
protocol=$(sed -nE 's/.*protocol_version = ([0-9]+);.*/\1/p' \
  "$TELEPORT_SOURCE/libteleport/wire/format.hpp")
for program in "$xl_teleport" "$evacuate" "$teleportd" "$teleportctl"; do
  expect_exit 0 "$program" --version
  [[ $(wc -l <out) -eq 1 ]] || fail "--version says $(cat out)"
  expect_exit 0 "$program" -v --version
  grep -qx "protocol $protocol" out || fail "no protocol: $(cat out)"
  grep -qE '^libxenlight 4\.[0-9]+' out || fail "no libxenlight: $(cat out)"
done
"$xl_teleport" --help >help
for default in '--downtime SECONDS \[1\]' '--max-downtime SECONDS \[60\]' \
  '--ask-limit SECONDS \[300\]' '--reconnect SECONDS \[600\]' \
  '-c,--config FILE \[/etc/xen/teleport.conf\]'; do
  grep -qe "$default" help || fail "'$default' is not in --help"
done

# A report that was not written is a failure, unless its reader has gone.
ctl=("$teleportctl" --config "$tmp/here/teleport.conf")
full() { "$@" >/dev/full; }
expect_exit 1 full "${ctl[@]}" peers
expect_text err 'teleportctl: write to standard output: No space left on device'
expect_exit 1 full "${ctl[@]}" --help
expect_exit 1 full "$xl_teleport" --version
start_there
expect_exit 1 full "${ctl[@]}" seed --disk web1.img 127.0.0.1
expect_text err 'No space left on device'
first_line() { "$@" | head -n 1 >/dev/null; }
expect_exit 0 first_line "${ctl[@]}" index --help
# One that is closed is nowhere: no file and no socket is written to in its place.
closed() { "$@" >&- 2>&- <&-; }
expect_exit 0 closed "${ctl[@]}" seed --disk web1.img 127.0.0.1
cmp web1.img there/store/web1-xvda.teleport-shadow

# Progress: lines where it is no terminal that can overwrite one, or none.
expect_exit 0 "${ctl[@]}" seed --disk web1.img --quiet 127.0.0.1
[[ ! -s out && ! -s err ]] || fail "--quiet says $(cat out err)"
cat >terminal.py <<'EOF'
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
try:
    while piece := os.read(terminal, 4096):
        sys.stdout.buffer.write(piece)
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
head -c 4M /dev/urandom >web2.img
# Who asks by SIGUSR1 is told in one line, also by one that is quiet.
"${ctl[@]}" seed --quiet --bwlimit 6Mbit --disk web2.img 127.0.0.1 2>err &
seed=$!
until [[ -e there/store/web2-xvda ]]; do
  kill -0 $seed || fail "the seed has ended: $(cat err)"
done
kill -USR1 $seed
wait $seed || fail "the seed that was asked: $(cat err)"
[[ $(wc -l <err) -eq 1 ]] || fail "SIGUSR1 brings $(cat err)"
expect_text err ' so far'
for columns in 80 40; do
  rm -f there/store/web2*
  TERM=xterm expect_exit 0 timeout 60 python3 terminal.py $columns \
    "${ctl[@]}" seed --bwlimit 12Mbit --disk web2.img 127.0.0.1
  grep -q $'\r.*bulk.* % ' out || fail 'there was no progress'
  # The report's own lines are the last.
  longest=$(tr '\r' '\n' <out | sed -n '/^bulk/s/\x1b\[K//p' | wc -L)
  ((longest < columns)) || fail "a line of $longest columns of $columns"
done
rm -f there/store/web2*
TERM=dumb expect_exit 0 timeout 60 python3 terminal.py 80 \
  "${ctl[@]}" seed --bwlimit 12Mbit --disk web2.img 127.0.0.1
! grep -q $'\x1b' out || fail 'an escape sequence for a dumb terminal'

# Who is not root is told that, or what could not be opened.
chmod 755 "$tmp" here
chmod 644 here/teleport.conf
touch here/state/evacuation
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
expect_exit 1 nobody "$teleportd" -c here/teleport.conf
expect_text err 'teleportd must be run as root'
expect_exit 3 nobody "$evacuate" -c here/teleport.conf --to host2
! grep -q 'under way' err || fail 'no other evacuation is under way'

# An early failure has its report, too.
{ printf 'QFI\xfb' && tail -c +5 web1.img; } >web3.img
expect_exit 1 "${ctl[@]}" seed --json --disk web3.img 127.0.0.1
expect_text err 'is a qcow2 image'
value '[.outcome, .destination]' '["failed","127.0.0.1"]'

# In the journal a line has its priority.
teleportd_here() {
  JOURNAL_STREAM=$1 "$teleportd" -c "$tmp/none"
}
expect_exit 2 teleportd_here "$(stat -c %d:%i err)"
expect_text err '<3>teleportd: error: read the configuration'
expect_exit 2 teleportd_here 8:1
! grep -q '<3>' err || fail 'a priority for what is not the journal'
