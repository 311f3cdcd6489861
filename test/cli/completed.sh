# shellcheck shell=bash disable=SC2154 # tmp is of functions.sh
# test/cli/completed.sh: sourced after functions.sh by the tests of completion:
# the real programs in PATH, stand-ins for what only a Xen host knows, and the
# files of completion in $tmp/completions, with their places filled in.
#
#   options_of PROGRAM...      the long options of its help, by another way than
#                              the completion's

# A name from elsewhere that would be a command: it must stay a name.
mkdir bin
cat >bin/xl <<'END'
#!/bin/sh
[ "$1" = list ] && cat <<'LIST'
Name                                        ID   Mem VCPUs	State	Time(s)
Domain-0                                     0  1024     2     r-----     100.0
web1                                         3   512     1     -b----      10.0
web2                                         4   512     1     -b----      10.0
$(touch${IFS}caught)                         6   512     1     -b----      10.0
db                                           5   512     1     -b----      10.0
LIST
[ "$1" = help ] && printf '%s\n' 'Usage xl [-vfNtT] <subcommand> [args]' '' \
  'xl full list of subcommands:' '' ' list                List information about all/some domains' \
  ' info                Get information about Xen host'
END
cat >bin/teleportctl <<'END'
#!/bin/sh
case "$*" in
  peers) printf '%-24s %s\n' host2 aabb host3 ccdd 10.0.0.7 eeff fd00::7 0011 ;;
  'shadow list --json') printf '[\n  {\n    "guest": "old1",\n    "vdev": "xvda"\n  },\n  {\n    "guest": "old1",\n    "vdev": "xvdb"\n  }\n]\n' ;;
  'jobs --json') printf '[\n  {\n    "id": "5f0c",\n    "guest": "web1"\n  }\n]\n' ;;
  'log --json') printf '[\n  {\n    "id": "5f0c",\n    "guest": "web1"\n  },\n  {\n    "id": "77aa",\n    "guest": ""\n  }\n]\n' ;;
  'index list --json') printf '[\n  {\n    "path": "/srv/a.img",\n    "size": 1\n  }\n]\n' ;;
  *) exec "$REAL_TELEPORTCTL" "$@" ;;
esac
END
chmod +x bin/*
for program in xl-teleport/xl-teleport tools/teleportd/teleportd tools/teleportctl/teleportctl \
  tools/evacuate/teleport-evacuate tools/listen/teleport-listen; do
  [[ -x $TELEPORT_BUILD/$program ]] || skip "$program is not built"
done
export REAL_TELEPORTCTL=$TELEPORT_BUILD/tools/teleportctl/teleportctl
PATH=$tmp/bin:$TELEPORT_BUILD/xl-teleport:$TELEPORT_BUILD/tools/teleportd:$PATH
PATH=$TELEPORT_BUILD/tools/evacuate:$TELEPORT_BUILD/tools/listen:$PATH

mkdir completions
for file in "$TELEPORT_SOURCE/tools/xl/completion/"*; do
  sed "s|@COMPLETIONDIR@|$tmp/completions|g" "$file" >"completions/${file##*/}"
done

options_of() { "$@" --help | grep -oE '^ {2,4}-[^ ]+' | grep -oE -- '--[a-z-]+' | sort -u; }
