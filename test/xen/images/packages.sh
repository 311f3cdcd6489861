# shellcheck shell=bash disable=SC2034
# What Debian packages each root file system of the lab is made of. Sourced by build.

# They are fetched from where this machine has its own packages from: tools/apt-sources.
# The guests, and the host that their kernel is from, are of this release; hosts may be of others.
SUITE=bookworm

# dom0_packages KIND: Xen and its tools, an emulator for HVM guests, what our programs link to, and what scenarios use.
# Kind: a release of Debian, whose host is started by a script of ours in two seconds; or "bookworm-systemd", which boots
# as an administrator's does.
DOM0_VARIANT=apt
dom0_packages() {
    local xen libraries init=systemd-standalone-sysusers
    [ "$1" = "${1%-systemd}" ] || init='systemd-sysv init-system-helpers'
    case ${1%-systemd} in
        bookworm) xen=4.17 libraries='libssl3 libfmt9 libspdlog1.10' ;;
        trixie) xen=4.20 libraries='libssl3t64 libfmt10 libspdlog1.15' ;;
        *)
            echo "images/build: no host of the lab can be of '$1': bookworm and trixie are known" >&2
            return 1
            ;;
    esac
    # shellcheck disable=SC2086
    printf '%s\n' linux-image-amd64 xen-hypervisor-$xen-amd64 xen-utils-$xen libxenmisc$xen $libraries \
        xenstore-utils libxencall1 qemu-system-xen seabios \
        udev kmod procps mount hostname util-linux e2fsprogs busybox-static iproute2 iputils-ping bridge-utils \
        ethtool netbase openssh-server openssh-client rsync lvm2 thin-provisioning-tools dmsetup \
        liblmdb0 lmdb-utils libxxhash0 xxhash libzstd1 zstd openssl libbpf1 libseccomp2 $init \
        python3 jq strace less btrfs-progs xfsprogs
    # The guests run Debian's cloud kernel, taken from here too: half the size, and it boots in half the time.
    [ "$1" != "$SUITE" ] || echo linux-image-cloud-amd64
}

# The guest, and two other Debian guests whose disks are the donors. All share the base system; guest
# and donor-rich share some packages more; vim, rsync and curl are in the guest alone.
GUEST_VARIANT=minbase
# Of the guest's disk: emulated processors read each byte some ten times in a teleport there and back. guest-create knows
# it too.
GUEST_MIB=192
GUEST_PACKAGES=(procps iproute2 kmod busybox-static python3-minimal openssl vim-tiny rsync curl)
DONOR_PLAIN_PACKAGES=(procps iproute2)
DONOR_RICH_PACKAGES=(procps iproute2 kmod python3-minimal openssl sqlite3 nginx-light)
