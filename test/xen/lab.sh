# shellcheck shell=bash
# The lab as a library: two emulated Xen hosts, an emulated wide-area link, guests with a witness.
# Sourced by run, up, down and do. See README.md for the functions.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$LAB_ROOT/lib/hosts.sh"
. "$LAB_ROOT/lib/snapshot.sh"
. "$LAB_ROOT/lib/kept.sh"
. "$LAB_ROOT/lib/link.sh"
. "$LAB_ROOT/lib/guest.sh"
. "$LAB_ROOT/lib/install.sh"
. "$LAB_ROOT/lib/teleport.sh"
. "$LAB_ROOT/lib/evacuation.sh"
. "$LAB_ROOT/lib/relay.sh"
