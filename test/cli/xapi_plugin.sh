#!/bin/bash
# The XAPI plugin, called as XAPI calls it: one argument, the answer alone on
# standard output, exit code 0. Our programs are played by scripts, so that each
# answer and each failure is provoked. What is called is in xapi_plugin.py.
. "$(dirname "$0")/functions.sh"
requires python3 jq

mkdir sbin lib plugins
sed_to() {
  sed -e "s|@SBINDIR@|$tmp/sbin|" -e "s|@LIBDIR@|$tmp/lib|" \
    -e "s|@STATEDIR@|$tmp/state|" "$TELEPORT_SOURCE/tools/xapi/$1" >"$2"
}
sed_to teleport.py plugins/teleport.py
sed_to teleport_jobs.py lib/teleport_jobs.py
chmod +x plugins/teleport.py

cat >sbin/xl-teleport <<'END'
#!/bin/bash
printf '<%s>' "$@" >"$0.arguments"
name=${*: -2:1}
case $* in *--dry-run*)
  if [[ $name = broken ]]; then echo 'it is broken' >&2; exit 2; fi
  if [[ $name = pv ]]; then
    echo '{"guest":"pv","problems":[{"code":"pv_live","sentence":"it is PV"}],"room":null}'
    # Neither nested without end nor in UTF-8: no report, and no end of the plugin.
    printf '{"a":%*s\n' 100000 '' | tr ' ' '['
    printf '{"a":"\xfc"\n'
    exit 3
  fi
  echo '{"guest":"'"$name"'","problems":[],"room":{"free_memory_kib":5}}'
  exit 0
esac
echo '{"progress":{"phase":"bulk","done":25,"total":100,"eta_seconds":7.5}}'
trap 'echo "{\"outcome\":\"failed\",\"sentence\":\"cancelled\"}"; echo stays >&2; exit 1' TERM
if [[ $name = given ]]; then
  trap 'echo "{\"outcome\":\"uncertain\"}"; exit 5' TERM
fi
if [[ $name = slow || $name = given ]]; then
  while :; do read -r -t 60 _ <>"${0%/sbin/*}/never"; done
fi
echo '{"outcome":"moved","guest":"'"$name"'"}'
END
cat >sbin/teleport-evacuate <<'END'
#!/bin/bash
printf '<%s>' "$@" >"$0.arguments"
echo '{"event":"start","ended":0,"of":2}'
echo '{"event":"progress","guest":"a","progress":{"phase":"memory","done":1,"total":2}}'
echo '{"event":"over","exit":1,"moved":1,"stayed":1}'
exit 1
END
cat >sbin/teleportctl <<'END'
#!/bin/bash
printf '<%s>' "$@" >"$0.arguments"
case $* in
  'index stat --json') if [[ -e $0.broken ]]; then echo 'no index in here' >&2; exit 1; fi
    echo '{"disks":2}' ;;
  'seed --json '*) echo '{"outcome":"seeded"}' ;;
  *) exit 2 ;;
esac
END
chmod +x sbin/*
mkfifo never
cleanup_fn end_jobs
end_jobs() {
  local file
  for file in "$tmp"/state/jobs/*/program; do
    [[ ! -e $file ]] || kill "$(jq .pid "$file")" 2>/dev/null || :
  done
}

python3 "$TELEPORT_SOURCE/test/cli/xapi_plugin.py" "$tmp"
