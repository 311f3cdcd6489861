# shellcheck shell=bash
# The XAPI plugin on a real host, called by one argument of XML-RPC as XAPI calls it: calls that mean harm or are
# wrong get a failure's code; a teleport's id comes at once; a cancel midway leaves the guest at home; the next one is
# polled to its end. (That the id comes in under 2 s is tested in test/cli: here the processor is emulated.)

guest=plugin1

# plugin-call FUNCTION [KEY=VALUE...]: the value of its answer; fails when it is a failure. /run/plugin-ms has how
# long the plugin took, without what ssh and this caller take on an emulated processor.
on_input 1 'cat > /usr/local/lib/lab/plugin-call' << 'END'
import subprocess, sys, time, xmlrpc.client
def call(name, *arguments):
    return xmlrpc.client.dumps(("OpaqueRef:lab", dict(a.split("=", 1) for a in arguments)), name)
request = sys.argv[2] if sys.argv[1] == "raw" else call(*sys.argv[1:])
began = time.monotonic()
done = subprocess.run(["/etc/xapi.d/plugins/teleport.py", request], stdout=subprocess.PIPE, check=True)
with open("/run/plugin-ms", "w") as file:
    file.write("%d" % ((time.monotonic() - began) * 1000))
(answer,), _ = xmlrpc.client.loads(done.stdout)
print(answer.get("Value") or " ".join(answer["ErrorDescription"]))
sys.exit(answer["Status"] != "Success")
END
plugin_call() { host1 "python3 /usr/local/lib/lab/plugin-call $*"; }
# plugin_fails CODE FUNCTION [KEY=VALUE...]
plugin_fails() {
    local code=$1 answer
    shift
    if answer=$(plugin_call "$@"); then fail "no failure of $*: $answer"; fi
    assert_equal "the code of $*" "$code" "${answer%% *}"
}
status() { plugin_call status "id=$1" | jq -r "$2"; }
is_over() { [ "$(status "$1" .state)" != running ]; }
is_in_bulk() { [ "$(status "$1" 'select(.phase == "bulk" and .percent > 5) | .state')" = running ]; }
# start_teleport: sets id, and ms to how long its answer took
start_teleport() {
    id=$(plugin_call teleport vm=$guest to=host2 | jq -r .id)
    ms=$(host1 cat /run/plugin-ms)
    say "measured: the job's id after $ms ms, on an emulated processor"
}

pair_hosts
set_store directory
gate_digests off
guest_create host1 $guest loop

# ---- calls that mean harm, or are wrong; a host that misses parts ----
plugin_fails TELEPORT_BAD_REQUEST raw hello
plugin_fails TELEPORT_BAD_REQUEST raw "'<!DOCTYPE a [<!ENTITY b \"c\">]><methodCall/>'"
plugin_fails UNKNOWN_XENAPI_PLUGIN_FUNCTION os.system
plugin_fails TELEPORT_MISSING_ARGUMENT teleport vm=$guest
plugin_fails TELEPORT_UNKNOWN_ARGUMENT teleport vm=$guest to=host2 --config=/etc/shadow
plugin_fails TELEPORT_BAD_ARGUMENT teleport vm=--help to=host2
plugin_fails TELEPORT_BAD_ARGUMENT teleport vm=$guest "'to=host2;touch /run/caught'"
plugin_fails TELEPORT_BAD_ARGUMENT status id=../../../etc
plugin_fails TELEPORT_UNKNOWN_JOB status id=20260101000000-0123456789ab
host1 mv /usr/local/sbin/xl-teleport /usr/local/sbin/aside
plugin_fails TELEPORT_NOT_INSTALLED teleport vm=$guest to=host2
host1 mv /usr/local/sbin/aside /usr/local/sbin/xl-teleport
host1 'mv /etc/xen/teleport.conf /etc/xen/aside; echo "[no" > /etc/xen/teleport.conf'
plugin_fails TELEPORT_PROGRAM_FAILED plan vm=$guest to=host2
host1 mv /etc/xen/aside /etc/xen/teleport.conf
host1 'mkdir -p /var/lib/xl-teleport/jobs; mv /var/lib/xl-teleport/jobs /var/lib/xl-teleport/aside; touch /var/lib/xl-teleport/jobs'
plugin_fails TELEPORT_STATE_UNUSABLE teleport vm=$guest to=host2
host1 'rm /var/lib/xl-teleport/jobs; mv /var/lib/xl-teleport/aside /var/lib/xl-teleport/jobs; rm -rf /var/lib/xl-teleport/jobs/*'
assert "a call ran a command of its own" host1 '! test -e /run/caught'

# ---- at once: the preflight ----
assert_equal "the preflight" true "$(plugin_call plan vm=$guest to=host2 | jq -r .possible)"
assert_equal "the preflight of nobody" false "$(plugin_call plan vm=nobody to=host2 | jq -r .possible)"

# ---- cancelled midway ----
link_set 8mbit 20ms
start_teleport
assert_equal "the job, when its id is told" running "$(status "$id" .state)"
wait_for "the bulk" 120 is_in_bulk "$id"
plugin_fails TELEPORT_BUSY teleport vm=$guest to=host2
plugin_call cancel "id=$id"
wait_for "the end of job $id" 120 is_over "$id"
assert_equal "the job" 'cancelled 1 failed' "$(status "$id" '"\(.state) \(.exit_code) \(.report.outcome)"')"
assert_equal "where it runs" 1 "$(guest_hosts $guest)"
plugin_fails TELEPORT_JOB_OVER cancel "id=$id"
guest_alive host1 $guest

# ---- to the end ----
link_set 100mbit 20ms
start_teleport
wait_for "the end of job $id" 300 is_over "$id"
assert_equal "the job" 'done 0 moved' "$(status "$id" '"\(.state) \(.exit_code) \(.report.outcome)"')"
assert_equal "where it runs" 2 "$(guest_hosts $guest)"
guest_alive host2 $guest
assert_equal "jobs" 'cancelled done' "$(plugin_call jobs | jq -r 'map(.state) | join(" ")')"
link_free
witness_verdict host2 $guest
