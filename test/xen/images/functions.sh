# shellcheck shell=bash
# The steps of build: root file systems, what is laid over them, disk images, kernels and initrds.
# build sets these two: where the scripts are, and a directory that goes at the end.
: "${here:?}" "${work:=}"

# make_rootfs SUITE TAR VARIANT PACKAGE...: a Debian, unless that very one is cached already.
make_rootfs() {
    local suite=$1 tar=$2 variant=$3 packages
    shift 3
    [ -e "$tar" ] && return
    packages=$(IFS=,; echo "$*")
    "$here/../../../tools/apt-sources" list "$suite" > "$work/debian-$suite-$variant.sources"
    "$here/../../../tools/package/bootstrap" --variant="$variant" --include="$packages" --aptopt="$work/apt.conf" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$suite" "${tar%.tar}.part.tar" "$work/debian-$suite-$variant.sources"
    mv "${tar%.tar}.part.tar" "$tar"
}

# make_keys OUT: a throw-away key that lets root into every host, and the hosts' own.
make_keys() {
    local out=$1
    ssh-keygen -q -t ed25519 -N '' -C xl-teleport-lab -f "$out/id"
    ssh-keygen -q -t ed25519 -N '' -C lab-host -f "$out/host_key"
    sed 's/^/* /' "$out/host_key.pub" > "$out/known_hosts"
}

# make_dom0 DIR TAR COMMON: dom0's root, with the lab's keys and the witness; nothing starts it yet.
make_dom0() {
    local dir=$1 common=$3
    tar -C "$dir" -xf "$2"
    # Kernel drivers for hardware that no emulated host has.
    rm -rf "$dir"/lib/modules/*-cloud-* "$dir"/boot/*-cloud-* \
        "$dir"/lib/modules/*/kernel/{sound,drivers/{gpu,media,infiniband,staging,iio,hid,usb,scsi,input,platform,bluetooth,ata,hwmon,mtd,isdn}} \
        "$dir"/lib/modules/*/kernel/drivers/net/{ethernet,wireless,usb,can,wwan}
    depmod -b "$dir" "$(ls "$dir/lib/modules")"
    install -m 755 "$here/dom0/devices" "$dir/etc/lab-devices"
    install -m 755 "$common/witness" "$dir/usr/local/bin/witness"
    printf '127.0.0.1 localhost\n10.77.0.1 host1\n10.77.0.2 host2\n' > "$dir/etc/hosts"
    install -d -m 700 "$dir/root/.ssh"
    cp "$common/id.pub" "$dir/root/.ssh/authorized_keys"
    install -m 600 "$common/id" "$dir/root/.ssh/id_ed25519"
    cp "$common/id.pub" "$dir/root/.ssh/id_ed25519.pub"
    rm -f "$dir"/etc/ssh/ssh_host_*
    install -m 600 "$common/host_key" "$dir/etc/ssh/ssh_host_ed25519_key"
    cp "$common/host_key.pub" "$dir/etc/ssh/ssh_host_ed25519_key.pub"
    sed 's/^/host1,host2,10.77.0.1,10.77.0.2 /' "$common/host_key.pub" > "$dir/root/.ssh/known_hosts"
    printf 'UseDNS no\nUsePAM no\nMaxSessions 100\nMaxStartups 100\nPrintMotd no\nPrintLastLog no\n' > "$dir/etc/ssh/sshd_config.d/lab.conf"
    mkdir -p "$dir/srv/lab" "$dir/var/log/xen/console"
}

# start_by_script DIR: busybox and the lab's rc.
start_by_script() {
    install -m 755 "$here/dom0/rc" "$here/dom0/rc.stop" "$1/etc/"
    install -m 644 "$here/dom0/inittab" "$1/etc/inittab"
    ln -s ../bin/busybox "$1/sbin/init"
}

# start_by_systemd DIR: Debian's own start, its init scripts of Xen and xendomains among it; the lab's are the names of the
# network's cards, and the word on the console when all is up.
start_by_systemd() {
    local dir=$1 unit
    printf '/dev/vda / ext4 defaults 0 1\n/dev/vdb /srv/lab ext4 defaults 0 2\n' > "$dir/etc/fstab"
    echo 'XENCONSOLED_ARGS=--log=all' >> "$dir/etc/default/xen"
    for unit in lab-devices lab-up; do
        install -m 644 "$here/dom0/$unit.service" "$dir/etc/systemd/system/"
        mkdir -p "$dir/etc/systemd/system/multi-user.target.wants"
        ln -s "../$unit.service" "$dir/etc/systemd/system/multi-user.target.wants/"
    done
    # What only takes an emulated processor's time.
    for unit in getty.target systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service; do
        ln -sf /dev/null "$dir/etc/systemd/system/$unit"
    done
}

# make_boot_files DOM0 OUT: what the emulator loads.
make_boot_files() {
    local dom0=$1 out=$2 release
    release=$(ls "$dom0/lib/modules")
    gunzip -c "$dom0"/boot/xen-*-amd64.gz > "$out/xen"
    unpack_kernel "$dom0/boot/vmlinuz-$release" > "$out/vmlinux-dom0"
    make_initrd "$dom0" "$out/initrd-dom0" virtio_pci virtio_blk crc32c_generic ext4
}

# make_guest_kernel TAR OUT: what dom0 loads into guests: the cloud kernel of a dom0's root.
make_guest_kernel() {
    local dir=$work/guest-kernel out=$2
    mkdir -p "$dir"
    tar -C "$dir" -xf "$1" --wildcards './boot/vmlinuz-*-cloud-*' './usr/lib/modules/*-cloud-*' ./usr/bin/busybox
    ln -s usr/lib "$dir/lib"
    depmod -b "$dir" "$(ls "$dir/lib/modules")"
    # libxl unpacks this one itself: its lz4 is quick even in emulation
    cp "$dir"/boot/vmlinuz-* "$out/vmlinuz-guest"
    make_initrd "$dir" "$out/initrd-guest" xen-blkfront xen-netfront crc32c_generic ext4
    rm -rf "$dir"
}

# unpack_kernel BZIMAGE: the ELF kernel in it: emulation would need long to unpack it at each boot. Where it lies is in the
# header (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length); its last four bytes are its size.
unpack_kernel() {
    local image=$1 sectors offset length unpack
    field() { od -An -v -t "u$2" -j $(($1)) -N "$2" "$image" | tr -d ' '; }
    sectors=$(field 0x1f1 1)
    offset=$(($(field 0x248 4) + (sectors + 1) * 512))
    length=$(($(field 0x24c 4) - 4))
    case $(od -An -v -t x1 -j $offset -N 4 "$image" | tr -d ' ') in
        fd377a58) unpack='xz -dc' ;;
        28b52ffd) unpack='zstd -dcq' ;;
        *) echo "$image: packed neither by xz nor by zstd" >&2; return 1 ;;
    esac
    dd if="$image" bs=1M iflag=skip_bytes,count_bytes skip=$offset count=$length status=none | $unpack > "$work/vmlinux"
    [ "$(head -c 4 "$work/vmlinux" | tail -c 3)" = ELF ] || { echo "$image: cannot unpack" >&2; return 1; }
    cat "$work/vmlinux"
}

# make_initrd ROOT OUT MODULE...: busybox, the modules in the order of need, and an init.
make_initrd() {
    local root=$1 out=$2 dir=$work/initrd release module line name
    shift 2
    release=$(ls "$root/lib/modules")
    rm -rf "$dir"
    mkdir -p "$dir"/{bin,proc,sys,dev,root,modules}
    cp "$root/usr/bin/busybox" "$dir/bin/busybox"
    touch "$dir/modules/order"
    for module; do
        # Lines "insmod /path/to/module.ko", dependencies first; "builtin" lines are of no interest.
        modprobe -d "$root" -S "$release" --show-depends "$module" | while read -r verb line _; do
            [ "$verb" = insmod ] || continue
            name=${line##*/}
            # busybox loads no packed ones, as Debian has them from 13 on
            case $name in
                *.xz) name=${name%.xz} && xz -dc "$line" > "$dir/modules/$name" ;;
                *) cp "$line" "$dir/modules/" ;;
            esac
            grep -qx "$name" "$dir/modules/order" || echo "$name" >> "$dir/modules/order"
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

# make_guest TAR COMMON IMAGE: the witness's own Debian, with data that no other disk has.
make_guest() {
    local dir=$work/guest image=$3
    mkdir -p "$dir" "$(dirname "$image")"
    unpack_debian "$1" "$dir"
    install -m 755 "$here/guest/init" "$here/guest/poweroff" "$dir/sbin/"
    install -m 755 "$2/witness" "$dir/usr/local/bin/witness"
    install -d "$dir/var/lib/witness" "$dir/srv/data" "$dir/srv/private"
    # 8 MiB that nothing compresses and 8 MiB of text, the same in every build.
    openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in /dev/zero 2> /dev/null |
        head -c 8M > "$dir/srv/private/random" || true
    seq -f 'customer %012g pays an invoice' 1 240000 | head -c 8M > "$dir/srv/private/text" || true
    echo witness > "$dir/etc/hostname"
    file_system guest "$dir" "$image" "$GUEST_MIB"M
}

# make_bootable COMMON IMAGE: the same Debian on a disk with a partition and a boot loader (grub, or pygrub of dom0),
# as an installer makes it, with the guest's kernel in it. Ends with the guest's directory removed.
make_bootable() {
    local dir=$work/guest common=$1 image=$2 start=2048 sector=512
    mkdir -p "$dir/boot/grub"
    cp "$common/vmlinuz-guest" "$common/initrd-guest" "$dir/boot/"
    cp "$here/guest/grub.cfg" "$dir/boot/grub/"
    truncate -s $((GUEST_MIB + 32))M "$image"
    echo "start=$start, type=83, bootable" | sfdisk --quiet "$image"
    file_system guest "$dir" "$image.part" $((GUEST_MIB + 31))M
    dd if="$image.part" of="$image" bs=1M seek=$((start * sector / 1048576)) conv=notrunc,sparse status=none
    rm "$image.part"
    # The boot sector's code ends before the partition table; it loads what lies from sector 1 on.
    grub-mkimage -O i386-pc -o "$work/core.img" -p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 normal linux serial terminal echo
    dd if=/usr/lib/grub/i386-pc/boot.img of="$image" bs=440 count=1 conv=notrunc status=none
    dd if="$work/core.img" of="$image" bs=$sector seek=1 conv=notrunc status=none
    rm -rf "$dir"
}

# make_donor TAR IMAGE SIZE: another guest's disk. A file of its own comes first, so that what it
# shares with the guest lies elsewhere.
make_donor() {
    local dir=$work/donor image=$2
    mkdir -p "$dir" "$(dirname "$image")"
    unpack_debian "$1" "$dir"
    head -c 5M /dev/urandom > "$dir/.own"
    file_system donor "$dir" "$image" "$3"
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
