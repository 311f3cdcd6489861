# shellcheck shell=bash
# Hosts that are kept as files, so that their boot, that of some guests and an installation are waited for once. They are
# kept once for each choice of ready guests: "none", "pvh", "hvm", "pvh+hvm".

# ready_guest pvh|hvm: name and options of a guest that kept hosts may have booted, on host1. guest_create goes on with it
# where it is asked for the same options: one on loop devices gets the name that is asked for, others keep theirs.
# No option has a blank.
ready_guest() {
    case $1 in
        pvh) echo ready loop --idle ;;
        # grub takes four minutes of an emulated processor to load a kernel.
        hvm) echo hvm1 lv --idle --type hvm --boot disk --memory 160 --vif --cdrom --option vcpus=2 --option vnc=1 --option 'serial="pty"' ;;
    esac
}

# lab_up: two hosts without guests in a new directory. Ends with both reachable by ssh.
lab_up() {
    local started
    started=$(now_ms)
    lab_new
    booted_hosts none
    lab_resume "$BOOTED"
    say "two hosts ($LAB_HOST1, $LAB_HOST2) up in $(seconds_since "$started") s, in $LAB"
}

# booted_hosts GUESTS: sets BOOTED to where hosts of the releases LAB_HOST1 and LAB_HOST2 are kept with these ready guests.
# They are booted first if they are not there; those that run end then.
booted_hosts() {
    local guests=$1 guest place started
    "$LAB_ROOT/images/build" "$LAB_HOST1" "$LAB_HOST2" > /dev/null || fail "no images"
    place=$(booted_place)
    BOOTED=$place/$guests
    exec 8> "$LAB_IMAGES/lock"
    flock 8
    started=$(now_ms)
    # those of other processors or memory, when no lab has used them for a day
    find "$LAB_IMAGES" -maxdepth 1 -name 'booted-*' ! -path "$place" -mmin +1440 -exec rm -rf {} +
    mkdir -p "$place"
    touch "$place"
    if [ ! -e "$place/none" ]; then
        lab_boot
        say "two hosts booted in $(seconds_since "$started") s"
        lab_snapshot "$place/none"
    fi
    if [ ! -e "$BOOTED" ]; then
        lab_resume "$place/none"
        for guest in ${guests//+/ }; do
            # shellcheck disable=SC2046
            guest_create 1 $(ready_guest "$guest") --ready
        done
        lab_snapshot "$BOOTED"
        say "hosts with guests ($guests) are kept after $(seconds_since "$started") s"
    fi
    exec 8>&-
}

# booted_place: for all that booted hosts depend on.
booted_place() {
    echo "$LAB_IMAGES/booted-$({
        qemu-system-x86_64 --version
        echo "$LAB_CPU $LAB_VCPUS $LAB_MEMORY $LAB_DOM0_MEMORY $(host_images 1) $(host_images 2)"
        declare -f host_power_on lab_boot host_save ready_guest
        cat "$LAB_ROOT/dom0/guest-create"
    } | sha256sum | cut -c1-16)"
}

# kept_without DIRECTORY/GUESTS FEWER: sets KEPT to DIRECTORY/FEWER, where the same hosts are kept with fewer ready guests.
kept_without() {
    local more=$1 fewer=$2 guest
    KEPT=${more%/*}/$fewer
    [ ! -e "$KEPT" ] || return 0
    lab_resume "$more" paused
    more=${more##*/}
    for guest in ${more//+/ }; do
        [[ +$fewer+ == *+$guest+* ]] || guest_destroy "$(ready_guest "$guest" | cut -d' ' -f1)"
    done
    lab_snapshot "$KEPT"
}
