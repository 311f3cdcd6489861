# shellcheck shell=bash
# A relay that has the keys of both hosts and records what crosses it, for the independent decoder (test/decoder).

# Where it listens, in the source's host.
RELAYED=127.0.0.1:9100

# relay_start HOST OTHER [OPTION...]: in HOST, which pairs it under the relay's name
relay_start() {
    local host=$1 other=$2 keys
    shift 2
    keys=/root/decoder/keys
    copy_to "$host" "$REPOSITORY/test/decoder" /root/
    on "$host" "rm -rf $keys && mkdir -p $keys/here $keys/there && cp /etc/xen/teleport/host.* $keys/here/ &&
        cp /etc/xen/teleport/peers/$other.crt /etc/xen/teleport/peers/127.0.0.1.crt"
    on "$other" 'tar -C /etc/xen/teleport -cf - host.crt host.key' | on_input "$host" "tar -C $keys/there -xf -"
    on "$host" "cd /root/decoder && rm -f session.trace* relay.said && { setsid python3 relay.py $* ${RELAYED##*:} \
        10.77.0.${other#host}:8744 $keys/here $keys/there session.trace > relay.said 2>&1 < /dev/null & echo \$! > relay.pid; }"
    wait_for "the relay on $host" 60 on "$host" 'grep -q listening /root/decoder/relay.said'
}
relay_end() {
    on "$1" 'kill $(cat /root/decoder/relay.pid) 2> /dev/null; rm -rf /root/decoder/keys /etc/xen/teleport/peers/127.0.0.1.crt'
    wait_for 'the relay to end' 60 relay_is_done "$1"
}
relay_is_done() { on "$1" '! kill -0 $(cat /root/decoder/relay.pid) 2> /dev/null'; }

# relay_traces HOST GUEST: brings to $LAB/teleport what was recorded, and the disk that stayed behind, which is what the
# disk was at the cut-over ("final").
relay_traces() {
    local files=$LAB/teleport
    rm -f "$files"/session.trace* "$files/final"
    on "$1" 'cd /root/decoder && cat relay.said >&2 && tar -cf - session.trace*' | tar -C "$files" -xf -
    # The emulated network carries some MB/s.
    on "$1" "tar -Scf - '$(shadows "$1" "$2" | cut -d' ' -f2)' 2> /dev/null | zstd -1 -q" | zstd -dcq | tar -xOf - > "$files/final"
}
decode() { python3 "$REPOSITORY/test/decoder/decode.py" "$@" || fail "the decoder does not follow $*"; }
