# shellcheck shell=bash
# by hand
# long
# The XAPI plugin on a real host, called by one argument of XML-RPC as XAPI calls it: a teleport's id in under 2 s, its
# status polled to the end; and a cancel midway, which leaves the guest at home.

guest=plugin1

# plugin_call FUNCTION [KEY=VALUE...]: the value of its answer; fails when it is a failure
on_input 1 'cat > /usr/local/lib/lab/plugin-call' << 'END'
import subprocess, sys, xmlrpc.client
request = xmlrpc.client.dumps(("OpaqueRef:lab", dict(a.split("=", 1) for a in sys.argv[2:])), sys.argv[1])
done = subprocess.run(["/etc/xapi.d/plugins/teleport.py", request], stdout=subprocess.PIPE, check=True)
(answer,), _ = xmlrpc.client.loads(done.stdout)
print(answer.get("Value") or answer["ErrorDescription"])
sys.exit(answer["Status"] != "Success")
END
plugin_call() { host1 "python3 /usr/local/lib/lab/plugin-call $*"; }
status() { plugin_call status "id=$1" | jq -r "$2"; }
is_over() { [ "$(status "$1" .state)" != running ]; }
is_in_bulk() { [ "$(status "$1" 'select(.phase == "bulk" and .percent > 5) | .state')" = running ]; }

assert "python3 is in the lab's hosts" host1 'command -v python3'
pair_hosts
set_store directory
gate_digests off
guest_create host1 $guest loop
assert_equal "the preflight" true "$(plugin_call plan vm=$guest to=host2 | jq -r .possible)"

# ---- cancelled midway ----
link_set 8mbit 20ms
id=$(plugin_call teleport vm=$guest to=host2 | jq -r .id)
wait_for "the bulk" 120 is_in_bulk "$id"
plugin_call cancel "id=$id"
wait_for "the end of job $id" 120 is_over "$id"
assert_equal "the job" 'cancelled 1 failed' "$(status "$id" '"\(.state) \(.exit_code) \(.report.outcome)"')"
assert_equal "where it runs" 1 "$(guest_hosts $guest)"
guest_alive host1 $guest

# ---- to the end ----
link_set 100mbit 20ms
began=$(now_ms)
id=$(plugin_call teleport vm=$guest to=host2 | jq -r .id)
took=$(($(now_ms) - began))
say "measured: the job's id after $took ms, of which the emulated host's ssh and python take most"
at_most "ms until the job's id" 2000 "$took"
assert_equal "a second job for it" 1 "$(plugin_call teleport vm=$guest to=host2 | grep -c TELEPORT_BUSY)"
wait_for "the end of job $id" 300 is_over "$id"
assert_equal "the job" 'done 0 moved' "$(status "$id" '"\(.state) \(.exit_code) \(.report.outcome)"')"
assert_equal "where it runs" 2 "$(guest_hosts $guest)"
guest_alive host2 $guest
assert_equal "jobs" 'cancelled done' "$(plugin_call jobs | jq -r 'map(.state) | join(" ")')"
link_free
witness_verdict host2 $guest
