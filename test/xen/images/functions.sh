# shellcheck shell=bash
# The steps of build: root file systems, what is laid over them, disk images, kernels and initrds.
# build sets these two: where the scripts are, and a directory that goes at the end.
: "${here:?}" "${work:=}"

# make_rootfs TAR VARIANT PACKAGE...: a Debian, unless that very one is cached already.
make_rootfs() {
    local tar=$1 variant=$2 packages
    shift 2
    [ -e "$tar" ] && return
    packages=$(IFS=,; echo "$*")
    # INITRD=No: nobody needs Debian's initramfs, which takes long to make
    INITRD=No mmdebstrap --quiet --mode=root --variant="$variant" --include="$packages" \
        --aptopt='APT::Install-Recommends "false"' --aptopt="$work/apt.conf" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$SUITE" "${tar%.tar}.part.tar" "$work/debian.sources"
    mv "${tar%.tar}.part.tar" "$tar"
}

# make_dom0 DIR TAR OUT: dom0's root, with the lab's init and a throw-away key that lets root in.
make_dom0() {
    local dir=$1 out=$3
    tar -C "$dir" -xf "$2"
    # Kernel drivers for hardware that no emulated host has.
    rm -rf "$dir"/lib/modules/*/kernel/{sound,drivers/{gpu,media,infiniband,staging,iio,hid,usb,scsi,input,platform,bluetooth,ata,hwmon,mtd,isdn}} \
        "$dir"/lib/modules/*/kernel/drivers/net/{ethernet,wireless,usb,can,wwan}
    mkdir "$work/guest-kernel"
    mv "$dir"/boot/vmlinuz-*-cloud-* "$work/guest-kernel"
    mkdir -p "$work/guest-kernel/lib/modules"
    mv "$dir"/lib/modules/*-cloud-* "$work/guest-kernel/lib/modules"
    depmod -b "$dir" "$(ls "$dir/lib/modules")"
    depmod -b "$work/guest-kernel" "$(ls "$work/guest-kernel/lib/modules")"
    install -m 755 "$here/dom0/rc" "$here/dom0/rc.stop" "$dir/etc/"
    install -m 644 "$here/dom0/inittab" "$dir/etc/inittab"
    ln -s ../bin/busybox "$dir/sbin/init"
    install -m 755 "$work/witness" "$dir/usr/local/bin/witness"
    printf '127.0.0.1 localhost\n10.77.0.1 host1\n10.77.0.2 host2\n' > "$dir/etc/hosts"
    install -d -m 700 "$dir/root/.ssh"
    cp "$out/id.pub" "$dir/root/.ssh/authorized_keys"
    install -m 600 "$out/id" "$dir/root/.ssh/id_ed25519"
    cp "$out/id.pub" "$dir/root/.ssh/id_ed25519.pub"
    rm -f "$dir"/etc/ssh/ssh_host_*
    ssh-keygen -q -t ed25519 -N '' -C lab-host -f "$dir/etc/ssh/ssh_host_ed25519_key"
    sed 's/^/host1,host2,10.77.0.1,10.77.0.2 /' "$dir/etc/ssh/ssh_host_ed25519_key.pub" > "$dir/root/.ssh/known_hosts"
    sed 's/^/* /' "$dir/etc/ssh/ssh_host_ed25519_key.pub" > "$out/known_hosts"
    printf 'UseDNS no\nUsePAM no\nMaxSessions 100\nMaxStartups 100\nPrintMotd no\nPrintLastLog no\n' > "$dir/etc/ssh/sshd_config.d/lab.conf"
    mkdir -p "$dir/srv/lab" "$dir/var/log/xen/console"
}

# make_boot_files DOM0 OUT: what the emulator loads, and what dom0 loads into guests.
make_boot_files() {
    local dom0=$1 out=$2 release
    release=$(ls "$dom0/lib/modules")
    gunzip -c "$dom0"/boot/xen-*-amd64.gz > "$out/xen"
    unpack_kernel "$dom0/boot/vmlinuz-$release" > "$out/vmlinux-dom0"
    # libxl unpacks this one itself: its lz4 is quick even in emulation
    cp "$work"/guest-kernel/vmlinuz-* "$out/vmlinuz-guest"
    cp "$dom0/bin/busybox" "$work/busybox"
    make_initrd "$dom0" "$out/initrd-dom0" virtio_pci virtio_blk crc32c_generic ext4
    make_initrd "$work/guest-kernel" "$out/initrd-guest" xen-blkfront xen-netfront crc32c_generic ext4
}

# The ELF kernel out of a bzImage: emulation would need long to unpack it at each boot.
unpack_kernel() {
    local offset
    offset=$(LC_ALL=C grep -abo -m1 -P '\xFD7zXZ\x00' "$1" | head -1 | cut -d: -f1)
    [ -n "$offset" ] || { echo "$1: no xz-compressed kernel inside" >&2; return 1; }
    # The payload is followed by other bytes, which xz takes for damage: judge the result instead.
    tail -c "+$((offset + 1))" "$1" | xz -dc --single-stream 2> /dev/null > "$work/vmlinux" || true
    [ "$(head -c 4 "$work/vmlinux" | tail -c 3)" = ELF ] || { echo "$1: cannot unpack" >&2; return 1; }
    cat "$work/vmlinux"
}

# make_initrd ROOT OUT MODULE...: busybox, the modules in the order of need, and an init.
make_initrd() {
    local root=$1 out=$2 dir=$work/initrd release module line
    shift 2
    release=$(ls "$root/lib/modules")
    rm -rf "$dir"
    mkdir -p "$dir"/{bin,proc,sys,dev,root,modules}
    cp "$work/busybox" "$dir/bin/busybox"
    touch "$dir/modules/order"
    for module; do
        # Lines "insmod /path/to/module.ko", dependencies first; "builtin" lines are of no interest.
        modprobe -d "$root" -S "$release" --show-depends "$module" | while read -r verb line _; do
            [ "$verb" = insmod ] || continue
            cp -n "$line" "$dir/modules/"
            grep -qx "${line##*/}" "$dir/modules/order" || echo "${line##*/}" >> "$dir/modules/order"
        done
    done
    cat > "$dir/init" << 'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod /modules/$module || echo "initrd: $module failed"; done < /modules/order
for word in $(cat /proc/cmdline); do
    case $word in root=*) root=${word#root=} ;; esac
done
until [ -b "$root" ]; do usleep 50000; done
mount -t ext4 "$root" /root || exec sh
mount --move /dev /root/dev
umount /proc /sys
exec switch_root /root /sbin/init
EOF
    chmod 755 "$dir/init"
    (cd "$dir" && find . | LC_ALL=C sort | cpio --quiet -o -H newc) | gzip -1 > "$out"
}

# file_system LABEL DIRECTORY IMAGE SIZE: with the blocks that larger disks have; below 512 MiB mke2fs makes smaller ones.
file_system() { mke2fs -q -t ext4 -b 4096 -i 16384 -L "$1" -m 0 -d "$2" "$3" "$4" > /dev/null; }

# unpack_debian TAR DIR: without what no scenario uses, half of a minimal Debian. Emulated processors read all of a disk
# many times.
unpack_debian() {
    tar -C "$2" -xf "$1"
    rm -rf "$2"/usr/share/{doc,i18n,info,perl,zoneinfo} "$2"/usr/lib/*/{gconv,perl} "$2"/usr/lib/*/libperl* \
        "$2"/var/cache/apt/* "$2"/var/lib/apt/lists/*
}

# make_guest WORK TAR IMAGE: the witness's own Debian, with data that no other disk has.
make_guest() {
    local dir=$1/guest image=$3
    mkdir -p "$dir" "$(dirname "$image")"
    unpack_debian "$2" "$dir"
    install -m 755 "$here/guest/init" "$here/guest/poweroff" "$dir/sbin/"
    install -m 755 "$work/witness" "$dir/usr/local/bin/witness"
    install -d "$dir/var/lib/witness" "$dir/srv/data" "$dir/srv/private"
    # 8 MiB that nothing compresses and 8 MiB of text, the same in every build.
    openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in /dev/zero 2> /dev/null |
        head -c 8M > "$dir/srv/private/random" || true
    seq -f 'customer %012g pays an invoice' 1 240000 | head -c 8M > "$dir/srv/private/text" || true
    echo witness > "$dir/etc/hostname"
    file_system guest "$dir" "$image" "$GUEST_MIB"M
    rm -rf "$dir"
}

# make_donor WORK TAR IMAGE SIZE: another guest's disk. A file of its own comes first, so that what it
# shares with the guest lies elsewhere.
make_donor() {
    local dir=$1/donor image=$3
    mkdir -p "$dir" "$(dirname "$image")"
    unpack_debian "$2" "$dir"
    head -c 5M /dev/urandom > "$dir/.own"
    file_system donor "$dir" "$image" "$4"
    rm -rf "$dir"
}

# measure_rsync IMAGE DONOR: what rsync sends and receives to bring the image to where nothing is, and to where it is
# told of the donor that has most in common with it. As rsync counts, so without the headers of ssh and TCP.
measure_rsync() {
    local name basis
    for name in alone with_donor; do
        mkdir "$work/rsync"
        basis=$work/rsync/$(basename "$1")
        [ $name = alone ] || cp --sparse=always "$2" "$basis"
        rsync --compress --sparse --no-whole-file --stats "$1" "$basis" |
            sed -n 's/^Total bytes \(sent\|received\): //p' | tr -d , |
            jq -s --arg name $name '{($name): add}'
        rm -r "$work/rsync"
    done | jq -s add
}
