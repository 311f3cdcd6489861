# shellcheck shell=bash disable=SC2034
# tools/package/debian-root.sh: root file systems of a release of Debian. Each is
# made once, is kept as a tar file in the lab's cache, and is unpacked for one
# use. Sourced by in-release and by test/package/run.
#
#   read_sources SUITE        this machine's package sources, into $work
#   make_root TAR SUITE PACKAGE...   unless TAR is there
#   unpack_root TAR ROOT      with the package sources of today
#   in_root ROOT COMMAND...   as root of it, in namespaces of its own
#
# $work is a folder that the caller removes; mmdebstrap and root are needed.
: "${work:=}"
cache=${XL_TELEPORT_CACHE:-/var/cache/xl-teleport-lab}
apt_sources=$(dirname "${BASH_SOURCE[0]}")/../apt-sources
bootstrap=$(dirname "${BASH_SOURCE[0]}")/bootstrap

read_sources() {
  "$apt_sources" list "$1" >"$work/debian.sources" &&
    "$apt_sources" settings >"$work/apt.conf"
}

make_root() {
  local tar=$1 suite=$2
  shift 2
  [[ ! -e $tar ]] || return 0
  "$bootstrap" --variant=minbase --include="$(IFS=, && echo "$*")" \
    --dpkgopt=force-unsafe-io --aptopt="$work/apt.conf" \
    "$suite" "$work/root.tar" "$work/debian.sources" &&
    mv "$work/root.tar" "$tar"
}

unpack_root() {
  local tar=$1 root=$2 keyring
  mkdir -p "$root"
  tar -C "$root" -xf "$tar"
  cp /etc/resolv.conf "$root/etc/"
  # The tar may be older than what this machine says now.
  rm -rf "$root"/etc/apt/sources.list{,.d/*}
  cp "$work/debian.sources" "$root/etc/apt/sources.list.d/"
  cp "$work/apt.conf" "$root/etc/apt/apt.conf.d/50machine"
  while read -r keyring; do
    [[ -e $root$keyring ]] || install -D -m 644 "$keyring" "$root$keyring"
  done < <(sed -nE 's|^Signed-By: (/.*)|\1|p' "$work/debian.sources")
}

# in_root ROOT [NAME=VALUE...] COMMAND...: what is mounted ends with the
# namespaces, and so does every process. $mounts has commands for `sh` that mount
# more below "$root". The root is a mount of its own: without it `unshare` refuses
# to make a root within this root. With $by=exec, for a subshell, the process
# becomes unshare, whose end is the end of all that runs in the root.
in_root() {
  local root=$1
  shift
  ${by:-} unshare --mount --pid --fork --kill-child -- sh -ec '
    root=$1 mounts=$2
    shift 2
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    eval "$mounts"
    exec chroot "$root" "$@"' \
    sh "$root" "${mounts:-}" env -i HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive "$@"
}
