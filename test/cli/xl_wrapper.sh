#!/bin/bash
# The wrapper gives `xl teleport` to xl-teleport and everything else to Xen's
# xl exactly as it was: arguments, standard input, exit code, process id, name.
. "$(dirname "$0")/functions.sh"

mkdir ours xens other 'bl ank'
sed -e "s|@SBINDIR@|$tmp/ours|" -e 's|@DIVERTED_XL@||' \
  "$TELEPORT_SOURCE/tools/xl/xl" >ours/xl
chmod +x ours/xl

# Like Debian's: a link to a script that runs the program of its own name.
mkdir -p lib/bin
cat >lib/wrapper <<'END'
#!/bin/sh
COMMAND="${0##*/}"
exec "${0%/*}/../lib/bin/$COMMAND" "$@"
END
cat >lib/bin/xl <<'END'
#!/bin/bash
echo "xens pid=$$ count=$#"
printf '<%s>' "$@"
echo
if [[ ${1-} = stdin ]]; then cat; fi
if [[ ${1-} = die ]]; then kill -KILL $$; fi
exit "${XL_EXIT:-0}"
END
cat >ours/xl-teleport <<'END'
#!/bin/bash
echo "ours pid=$$ count=$#"
printf '<%s>' "$@"
echo
if [[ ${XL_STDIN-} ]]; then cat; fi
exit "${XL_EXIT:-0}"
END
chmod +x lib/wrapper lib/bin/xl ours/xl-teleport
ln -s ../lib/wrapper xens/xl
system=$PATH
PATH=$tmp/ours:$tmp/xens:$system

# said WHO ARGUMENTS-AS-SHOWN COMMAND...: runs it and looks who got what.
said() {
  local who=$1 shown=$2
  shift 2
  expect_exit 0 "$@"
  expect_text out "$who pid="
  [[ $(sed -n 2p out) = "$shown" ]] || {
    cat out
    fail "not the arguments $shown: $*"
  }
  [[ ! -s err ]] || fail "something on standard error: $(cat err)"
}

# Ours: the command itself, also after xl's own options.
said ours '<web1><host2>' xl teleport web1 host2
said ours '<--json><web 1><>' xl teleport --json 'web 1' ''
said ours '<web1><h>' xl -t -T -f teleport web1 h
said ours '<web1><h>' xl -- teleport web1 h
said ours '<--verbose><--dry-run><web1><h>' xl -vN teleport web1 h
said ours '<--verbose><--verbose><--dry-run><a><b>' xl -v -tTv -N teleport a b
said ours '<teleport><-v>' xl teleport teleport -v
said ours '<>' xl teleport

# Xen's: everything else, word for word.
said xens '<list>' xl list
said xens '<list><-l><a b><><*><$x>' xl list -l 'a b' '' '*' '$x'
said xens '<-vvv><create><-F><web1.cfg>' xl -vvv create -F web1.cfg
said xens '<>' xl
said xens '<help>' xl help
said xens '<help><teleport>' xl help teleport
said xens '<rename><a><teleport>' xl rename a teleport
said xens '<telepor><a><b>' xl telepor a b
said xens '<teleport2>' xl teleport2
said xens '<-vx><teleport><a>' xl -vx teleport a
said xens '<--verbose><teleport>' xl --verbose teleport
said xens '<-><teleport>' xl - teleport
said xens '<><teleport>' xl '' teleport
said xens '<--><list>' xl -- list
said xens '<-v>' xl -v
xl >out
[[ $(head -n 1 out) = *'count=0' ]] || fail 'no arguments became some'

# Exit codes and signals are those of what was run.
for code in 0 1 2 5 127 255; do
  XL_EXIT=$code expect_exit $code xl list
  XL_EXIT=$code expect_exit $code xl teleport a b
done
expect_exit 137 xl die

# Standard input reaches it untouched, to the byte.
head -c 100000 /dev/urandom >input
cp input same
xl stdin <input | tail -c 100000 | cmp - same || fail 'standard input changed'
XL_STDIN=1 xl teleport <input | tail -c 100000 | cmp - same ||
  fail 'standard input of teleport changed'

# It takes the wrapper's place: same process id, nothing left in between.
xl list >out &
child=$!
wait "$child"
expect_text out "xens pid=$child "

# The environment stays as it was.
cat >lib/bin/xl <<'END'
#!/bin/bash
env -u SHLVL -u _ | sort
END
first=a next=b options=c self=d IFS=: env -u SHLVL -u _ PWD="$PWD" xl x >with
first=a next=b options=c self=d IFS=: env -u SHLVL -u _ PWD="$PWD" xens/xl x \
  >without
diff without with || fail 'the environment differs'
cat >lib/bin/xl <<'END'
#!/bin/bash
echo "xens pid=$$ count=$#"
printf '<%s>' "$@"
echo
END

# Which xl is the next one.
PATH=$tmp/xens:$system said xens '<list>' "$tmp/ours/xl" list
PATH=$tmp/other:$tmp/ours::$tmp/xens:$system said xens '<list>' xl list
PATH="$tmp/ours:$tmp/ours:$tmp/bl ank:$tmp/xens:$system" said xens '<list>' xl list
PATH=ours:xens:$system said xens '<list>' xl list
ln -s ../ours/xl other/xl # a link to the wrapper is the wrapper
PATH=$tmp/other:$tmp/ours:$tmp/xens:$system said xens '<list>' xl list
rm other/xl
cp ours/xl other/xl # two wrappers do not call each other in turn
for path in other:ours:xens ours:other:xens; do
  PATH=$path:$system said xens '<list>' xl list
done
PATH=$tmp/ours:$system
if [[ ! -e /usr/sbin/xl ]]; then
  expect_exit 127 xl list
  expect_text err "Xen's own xl is not installed"
  PATH=$tmp/other:$system expect_exit 127 "$tmp/ours/xl" list
fi
PATH=$tmp/ours:$tmp/xens:$system

# A package's way: Xen's xl diverted beside its old place, called by a link
# that bears the right name.
mv xens/xl xens/xl.distrib
mkdir -p usr/lib
ln -s "$tmp/xens/xl.distrib" usr/lib/xl
sed -e "s|@SBINDIR@|$tmp/ours|" -e "s|@DIVERTED_XL@|$tmp/usr/lib/xl|" \
  "$TELEPORT_SOURCE/tools/xl/xl" >xens/xl
chmod +x xens/xl
cat >lib/wrapper <<END
#!/bin/sh
exec "$tmp/lib/bin/\${0##*/}" "\$@"
END
PATH=$tmp/xens:$system
said xens '<list><a>' xl list a
said ours '<a><b>' xl teleport a b
