# shellcheck shell=bash
# ready pvh
# The XAPI plugin on a real host, called by one argument of XML-RPC as XAPI calls it: a teleport's id comes at once, its
# status is polled to the end; and a cancel midway leaves the guest at home. (That the id comes in under 2 s, and what
# each failure is told as, is tested in test/cli/xapi_plugin.sh.) The teleport that is not cancelled crosses a relay that
# has the keys of both hosts, and is judged by the independent decoder, which knows PROTOCOL.md alone. The relay loses the
# link with GO_RESULT in its hands: the guest runs there already, the source does not know it, asks, and gives its copy
# up. (Whole sessions, and the decoder's eye for damage, are tried without Xen.)

guest=plugin1
go_result=17
jobs=/var/lib/xl-teleport/jobs

# What calls it on host1. "call FUNCTION [KEY=VALUE...]" prints the value of its answer, or its failure and ends with
# 1; "time ..." prints the milliseconds before it, without those that ssh and this caller take.
on_input 1 'mkdir -p /usr/local/lib/lab && cat > /usr/local/lib/lab/plugin' << 'END'
import subprocess, sys, time, xmlrpc.client
how, *words = sys.argv[1:]
call = xmlrpc.client.dumps(("OpaqueRef:lab", dict(word.split("=", 1) for word in words[1:])), words[0])
began = time.monotonic()
done = subprocess.run(["/etc/xapi.d/plugins/teleport.py", call], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
took = (time.monotonic() - began) * 1000
if (done.returncode, done.stderr) != (0, b""):
    sys.exit("exit code %s, on stderr: %s" % (done.returncode, done.stderr))
(answer,), _ = xmlrpc.client.loads(done.stdout)
if how == "time":
    print("%d" % took)
print(answer["Value"] if answer["Status"] == "Success" else " ".join(answer["ErrorDescription"]))
sys.exit(answer["Status"] != "Success")
END
plugin() { host1 "python3 /usr/local/lib/lab/plugin $*"; }
plugin_call() { plugin call "$@"; }
# refused CODE WORD...: a call that fails with this code
refused() {
    local code=$1 answer
    shift
    if answer=$(plugin "$@"); then fail "not refused: $*: $answer"; fi
    assert_equal "the failure of $*" "$code" "${answer%% *}"
}
# start_teleport: sets id, and ms to how long its answer took. For that time dom0 has the hosts' one processor, as it has
# one on a real host; for longer the guest would not get to answer when it is to suspend.
start_teleport() {
    local answer
    dom0_weight 4096
    answer=$(plugin time teleport vm=$guest to="$1")
    dom0_weight 256
    ms=${answer%%$'\n'*}
    id=$(jq -r .id <<< "${answer#*$'\n'}")
    say "measured: the job's id after $ms ms, on an emulated processor"
}
status() { plugin_call status "id=$1" | jq -r "$2"; }
is_over() { [ "$(status "$1" .state)" != running ]; }
is_in_bulk() { [ "$(status "$1" 'select(.phase == "bulk" and .percent > 5) | .state')" = running ]; }

host1 rm -rf $jobs
trap 'dom0_weight 256' EXIT
pair_hosts
set_store directory
gate_digests on
index_donors host2 /srv/lab/donors
# An idle one appends ten acknowledged records a second too, and leaves the host's one processor to the plugin.
guest_create host1 $guest loop
assert_equal "the preflight" true "$(plugin_call plan vm=$guest to=host2 | jq -r .possible)"
assert_equal "what stands in the way of nobody" not_found "$(plugin_call plan vm=nobody to=host2 | jq -r '.problems[0].code')"
assert_equal "the index" object "$(plugin_call index_stat | jq -r type)"

# ---- cancelled midway ----
link_set 4mbit 20ms
start_teleport host2
assert_equal "the job, when its id is told" running "$(status "$id" .state)"
wait_for "the bulk" 180 is_in_bulk "$id"
say "measured: midway: $(plugin_call status "id=$id")"
refused TELEPORT_BUSY call teleport vm=$guest to=host2
plugin_call cancel "id=$id"
wait_for "the end of job $id" 120 is_over "$id"
assert_equal "the job" 'cancelled 1 failed' "$(status "$id" '"\(.state) \(.exit_code) \(.report.outcome)"')"
assert_equal "where it runs" 1 "$(guest_hosts $guest)"
refused TELEPORT_JOB_OVER call cancel "id=$id"
guest_alive host1 $guest

# ---- to the end ----
link_set 100mbit 20ms
# While the session that lost its link ends there, the answer is to ask again.
relay_start host1 host2 --sessions 9 --cut-before $go_result
start_teleport "$RELAYED"
phases=''
while read -r state phase < <(status "$id" '"\(.state) \(.phase // "")"') && [ "$state" = running ]; do
    phases+="$phase "
    sleep 3 # as often as a client would look
done
say "measured: phases seen: $(tr ' ' '\n' <<< "$phases" | uniq | xargs)"
assert_equal "the job" 'done 0 moved 100' "$(status "$id" '"\(.state) \(.exit_code) \(.report.outcome) \(.percent | floor)"')"
mkdir -p "$LAB/teleport"
status "$id" '.report | tojson' > "$LAB/teleport/report"
assert_equal "where it runs" 2 "$(guest_hosts $guest)"
relay_end host1
disks_equal host1 host2 $guest
relay_traces host1 $guest
decode --final "$LAB/teleport/final" --broken "$LAB/teleport/session.trace"
decode "$(find "$LAB/teleport" -name 'session.trace.*' | sort -V | tail -n 1)" | tee "$LAB/teleport/fate"
grep -q running "$LAB/teleport/fate" || fail 'the source was not told that it runs there'
rm -f "$LAB"/teleport/session.trace* "$LAB/teleport/final"
guest_alive host2 $guest
assert_equal "jobs" 'cancelled done' "$(plugin_call jobs | jq -r 'map(.state) | join(" ")')"

# ---- an evacuation, of a host that is empty by now ----
id=$(plugin_call evacuate to=host2 dry_run=true | jq -r .id)
wait_for "the end of job $id" 120 is_over "$id"
assert_equal "an empty host" 'done 0' "$(status "$id" '"\(.state) \(.exit_code)"')"

# ---- a disk by its path, as for a guest that XAPI runs ----
host1 'truncate -s 8M /srv/lab/guests/by-path.img; printf seed | dd of=/srv/lab/guests/by-path.img conv=notrunc status=none'
id=$(plugin_call seed disk=/srv/lab/guests/by-path.img to=host2 | jq -r .id)
wait_for "the end of job $id" 120 is_over "$id"
assert_equal "the seed" 'done 0' "$(status "$id" '"\(.state) \(.exit_code)"')"
link_free

witness_verdict host2 $guest
