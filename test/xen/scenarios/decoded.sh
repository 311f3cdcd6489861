# shellcheck shell=bash
# ready pvh
# A session of two real hosts, recorded by a relay that has the keys of both, and judged by the independent decoder
# (test/decoder), which knows PROTOCOL.md alone. The relay loses the link with GO_RESULT in its hands: the guest runs
# there already, the source does not know it, asks, and gives its copy up. Whole sessions, and the decoder's eye for
# damage, are tried without Xen (make check).

guest=decoded1
relayed=127.0.0.1:9100
go_result=17

# relay_start HOST OTHER [OPTION...]: in HOST, which pairs it under the relay's name
relay_start() {
    local host=$1 other=$2 keys
    shift 2
    keys=/root/decoder/keys
    copy_to "$host" "$REPOSITORY/test/decoder" /root/
    on "$host" "rm -rf $keys && mkdir -p $keys/here $keys/there && cp /etc/xen/teleport/host.* $keys/here/ &&
        cp /etc/xen/teleport/peers/$other.crt /etc/xen/teleport/peers/127.0.0.1.crt"
    on "$other" 'tar -C /etc/xen/teleport -cf - host.crt host.key' | on_input "$host" "tar -C $keys/there -xf -"
    on "$host" "cd /root/decoder && rm -f session.trace* relay.said && { setsid python3 relay.py $* ${relayed##*:} \
        10.77.0.${other#host}:8744 $keys/here $keys/there session.trace > relay.said 2>&1 < /dev/null & echo \$! > relay.pid; }"
    wait_for "the relay on $host" 60 on "$host" 'grep -q listening /root/decoder/relay.said'
}
relay_end() {
    on "$1" 'kill $(cat /root/decoder/relay.pid) 2> /dev/null; rm -rf /root/decoder/keys /etc/xen/teleport/peers/127.0.0.1.crt'
    wait_for 'the relay to end' 60 relay_is_done "$1"
}
relay_is_done() { on "$1" '! kill -0 $(cat /root/decoder/relay.pid) 2> /dev/null'; }

# teleport_through FROM TO: by the relay; brings here its traces and the disk that stayed behind, which is what the
# disk was at the cut-over.
teleport_through() {
    local from=$1 to=$2 files=$LAB/teleport
    mkdir -p "$files"
    rm -f "$files"/session.trace* "$files/final"
    code=0
    on "$from" "xl teleport --json $guest $relayed" > "$files/lines" 2> "$files/errors" || code=$?
    tail -n 1 "$files/lines" > "$files/report"
    assert_equal "the exit code ($(tail -n 3 "$files/errors"))" 0 "$code"
    assert_equal "the report's outcome" moved "$(report .outcome)"
    assert_equal "where $guest runs" "${to#host}" "$(guest_hosts $guest)"
    relay_end "$from"
    disks_equal "$from" "$to" $guest
    on "$from" 'cd /root/decoder && cat relay.said >&2 && tar -cf - session.trace*' | tar -C "$files" -xf -
    # The emulated network carries some MB/s.
    on "$from" "tar -Scf - '$(shadows "$from" $guest | cut -d' ' -f2)' 2> /dev/null | zstd -1 -q" | zstd -dcq | tar -xOf - > "$files/final"
}
decode() { python3 "$REPOSITORY/test/decoder/decode.py" "$@" || fail "the decoder does not follow $*"; }

pair_hosts
set_store directory
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop
# While the session that lost its link ends there, the answer is to ask again.
relay_start host1 host2 --sessions 9 --cut-before $go_result
teleport_through host1 host2
decode --final "$LAB/teleport/final" --broken "$LAB/teleport/session.trace"
decode "$(find "$LAB/teleport" -name 'session.trace.*' | sort -V | tail -n 1)" | tee "$LAB/teleport/fate"
grep -q running "$LAB/teleport/fate" || fail 'the source was not told that it runs there'
rm -f "$LAB"/teleport/session.trace* "$LAB/teleport/final"
witness_verdict host2 $guest
