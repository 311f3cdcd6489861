# shellcheck shell=bash disable=SC2034
# What Debian packages each root file system of the lab is made of. Sourced by build.

# They are fetched from where this machine has its own packages from: tools/apt-sources.
SUITE=bookworm

# dom0: Xen and its tools, what our programs link to, and what scenarios use. The guests run Debian's
# cloud kernel, taken from here too: half the size, and it boots in half the time.
DOM0_VARIANT=apt
DOM0_PACKAGES=(
    linux-image-amd64 linux-image-cloud-amd64 xen-hypervisor-4.17-amd64 xen-utils-4.17
    xenstore-utils libxenmisc4.17 libxencall1
    udev kmod procps mount hostname util-linux e2fsprogs busybox-static iproute2 iputils-ping bridge-utils
    ethtool netbase
    openssh-server openssh-client rsync lvm2 thin-provisioning-tools dmsetup
    liblmdb0 lmdb-utils libxxhash0 xxhash libzstd1 zstd libssl3 openssl libbpf1 libfmt9 libspdlog1.10
    python3 jq strace less
)

# The guest, and two other Debian guests whose disks are the donors. All share the base system; guest
# and donor-rich share some packages more; vim, rsync and curl are in the guest alone.
GUEST_VARIANT=minbase
# Of the guest's disk: emulated processors read each byte some ten times in a teleport there and back. guest-create knows
# it too.
GUEST_MIB=192
GUEST_PACKAGES=(procps iproute2 kmod busybox-static python3-minimal openssl vim-tiny rsync curl)
DONOR_PLAIN_PACKAGES=(procps iproute2)
DONOR_RICH_PACKAGES=(procps iproute2 kmod python3-minimal openssl sqlite3 nginx-light)
