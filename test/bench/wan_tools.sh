# shellcheck shell=bash disable=SC2154 # image, donors, basis, ... are of wan.sh
# test/bench/wan_tools.sh: what wan.sh compares. For each: prepare_X (not timed:
# what would be there on the evening before), run_X (timed), end_X. All bring
# $image of the source $a to $target at the destination $b, 10.99.0.2.
# --- ours: two hosts with folders and keys of their own

make_hosts() {
  local host
  for host in source destination; do
    mkdir -p "$work/$host/peers"
    cat >"$work/$host/teleport.conf" <<EOF
[peers]
dir = "$work/$host/peers"
[keys]
cert = "$work/$host/host.crt"
key = "$work/$host/host.key"
[store]
path = "$work/store"
[index]
path = "$work/$host/index"
keep_fresh = false
[state]
path = "$work/$host/state"
run = "$work/$host/run"
EOF
  done
  local count
  for count in 1 '"auto"'; do
    {
      cat "$work/source/teleport.conf"
      printf '[link]\ncongestion_control = "cubic"\nconnections = %s\n' "$count"
    } >"$work/source/cubic${count//[!1]/}.conf"
  done
  mkdir "$work/bin"
  printf '#!/bin/sh\nexec "%s" --config "%s" accept-pairing source\n' \
    "$build/tools/teleportctl/teleportctl" "$work/destination/teleport.conf" >"$work/bin/ssh"
  chmod 755 "$work/bin/ssh"
  PATH=$work/bin:$PATH on source pair root@10.99.0.2 >/dev/null
}
on() {
  local host=$1
  shift
  "$build/tools/teleportctl/teleportctl" --config "$work/$host/teleport.conf" "$@"
}
start_teleportd() {
  serve "$1" "$b" "$build/tools/teleportd/teleportd" --config "$work/destination/teleport.conf"
  await_port "$b" 8744
}
prepare_ours() {
  rm -rf "$work/destination"/{state,index,run}
  if ((${#donors[@]})); then
    on destination index add "${donors[@]}" >/dev/null
  fi
  if [[ -n $shadow ]]; then
    # As an earlier seed has left it: brought over the loopback interface.
    start_teleportd earlier
    ip netns exec "$b" "$build/tools/teleportctl/teleportctl" --config "$work/source/teleport.conf" \
      seed --disk "$shadow" --as bench 127.0.0.1 >/dev/null
    end_server
    # The blocks that it has elsewhere are wanted as well as those in place.
    on destination index add "$work/store/bench-xvda.teleport-shadow" >/dev/null
  fi
  start_teleportd there
}
run_ours() { seed_by teleport; }
# seed_by SETTINGS
seed_by() {
  meter here "$a" "$build/tools/teleportctl/teleportctl" --config "$work/source/$1.conf" \
    seed --json --disk "$image" --as bench 10.99.0.2
}
end_ours() {
  end_server
  mv "$work/store/bench-xvda.teleport-shadow" "$target" 2>/dev/null || true
}

# --- ours on a kernel without bbr: one connection, and as many as it finds good

prepare_cubic1() { prepare_ours; }
run_cubic1() { seed_by cubic1; }
end_cubic1() { end_ours; }
prepare_cubic() { prepare_ours; }
run_cubic() { seed_by cubic; }
end_cubic() { end_ours; }

# --- rsync: the best options for images; blocks as large as the file system's.
# With --inplace it cannot use what lies before the place that it writes, which is
# half of everything in another guest's disk: only a later state of the same disk
# is brought in place.

copy_basis() {
  if [[ -n $basis ]]; then
    cp --sparse=always "$basis" "$target"
  fi
}
prepare_rsync() {
  copy_basis
  printf '[store]\npath = %s\nread only = no\nuse chroot = no\nuid = 0\ngid = 0\n' \
    "$work/store" >"$work/rsyncd.conf"
  serve there "$b" rsync --daemon --no-detach --port=8730 --config="$work/rsyncd.conf"
  await_port "$b" 8730
}
run_rsync() {
  meter here "$a" rsync ${shadow:+--inplace} --sparse --no-whole-file --ignore-times --block-size=4096 \
    -z --compress-choice=zstd --compress-level=3 "$image" rsync://10.99.0.2:8730/store/target.img
}
end_rsync() { end_server; }

# --- the whole image through zstd

prepare_zstd() {
  serve there "$b" bash -c 'socat -b 262144 -u TCP-LISTEN:9000,reuseaddr - | zstd -d -q -f --sparse -o "$1"' - "$target"
  await_port "$b" 9000
}
run_zstd() {
  meter here "$a" bash -c 'zstd -3 -q -c "$1" | socat -b 262144 -u - TCP:10.99.0.2:9000' - "$image"
  wait_server
}
end_zstd() { end_server; }

# --- what drive-mirror does: every sector that is no zero

prepare_nbd() {
  truncate -s "$(stat -c %s "$image")" "$target"
  serve there "$b" qemu-nbd -f raw --discard=unmap --cache=writeback -p 10809 "$target"
  await_port "$b" 10809
}
run_nbd() {
  meter here "$a" qemu-img convert -n --target-is-zero -W -m 16 -f raw -O raw \
    "$image" nbd://10.99.0.2:10809
  wait_server
}
end_nbd() { end_server; }

# --- borg: a repository at the destination that has the basis already

export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
prepare_borg() {
  rm -rf "$work"/borg-{here,there}
  printf '#!/bin/sh\nexec socat -b 262144 - TCP:10.99.0.2:9001\n' >"$work/bin/borg-rsh"
  chmod 755 "$work/bin/borg-rsh"
  BORG_BASE_DIR=$work/borg-there borg init -e none "$work/store/borg"
  if [[ -n $basis ]]; then
    BORG_BASE_DIR=$work/borg-there borg create --chunker-params fixed,4096 --compression zstd,3 "$work/store/borg::old" "$basis"
  fi
  serve there "$b" env BORG_BASE_DIR="$work/borg-there" \
    socat -b 262144 TCP-LISTEN:9001,reuseaddr,fork EXEC:'borg serve'
  await_port "$b" 9001
}
run_borg() {
  meter here "$a" env BORG_BASE_DIR="$work/borg-here" BORG_RSH="$work/bin/borg-rsh" \
    borg create --chunker-params fixed,4096 --compression zstd,3 \
    "ssh://x/$work/store/borg::new" "$image" &&
    meter there2 "$b" env BORG_BASE_DIR="$work/borg-there" bash -c 'borg extract --sparse --stdout "$1::new" >"$2"' - \
      "$work/store/borg" "$target"
}
end_borg() { end_server; }

# --- casync: chunks over HTTP, with the basis as seed

prepare_casync() {
  copy_basis
  if [[ -n $basis ]]; then
    mv "$target" "$work/store/basis.img"
  fi
  mkdir "$work/store/http"
  serve here1 "$a" python3 -c '
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
http.server.SimpleHTTPRequestHandler.protocol_version = "HTTP/1.1"
http.server.ThreadingHTTPServer(("", 9002), handler).serve_forever()' "$work/store/http"
  await_port "$a" 9002
}
run_casync() {
  local seed=()
  if [[ -n $basis ]]; then
    seed=(--seed="$work/store/basis.img")
  fi
  meter here "$a" casync make --store="$work/store/http/store" "$work/store/http/disk.caibx" "$image" &&
    meter there "$b" casync extract "${seed[@]}" --seed-output=no \
      --store=http://10.99.0.1:9002/store http://10.99.0.1:9002/disk.caibx "$target"
}
end_casync() { end_server; }
