#!/bin/bash
# make install puts everything in its place, overwrites nothing of the
# administrator's or of Xen's, and make uninstall takes away what it brought.
. "$(dirname "$0")/functions.sh"
requires make pod2man pkg-config

root=$tmp/root
run_make() {
  env -u MAKEFLAGS make -C "$TELEPORT_SOURCE" --no-print-directory \
    DESTDIR="$root" "$@"
}
files() { (cd "$root" && find . ! -type d | sort); }
sbin=$root/usr/local/sbin
conf=$root/etc/xen/teleport.conf

expect_exit 0 run_make install
for program in xl-teleport teleportd teleport-listen teleportctl teleport-evacuate; do
  [[ -x $sbin/$program ]] || fail "$program is not there"
done
[[ -x $sbin/xl ]] || fail 'the wrapper is not there'
sh -n "$sbin/xl" || fail 'the wrapper is broken'
expect_text "$sbin/xl" "xlt_teleport='/usr/local/sbin/xl-teleport'"
expect_text "$sbin/xl" "xlt_diverted=''"
cmp "$TELEPORT_SOURCE/xl-teleport/setup/teleport.conf" "$conf"
expect_text "$root/usr/local/lib/systemd/system/teleportd.service" \
  'ExecStart=/usr/local/sbin/teleportd '
expect_text "$root/usr/local/lib/systemd/system/teleport-evacuate.service" \
  'ExecStart=/usr/local/sbin/teleport-evacuate '
[[ -s $root/usr/local/lib/systemd/system/teleport-evacuate.timer ]] ||
  fail 'the timer is not there'
plugin=$(readlink "$root/etc/xapi.d/plugins/teleport.py") || fail 'no plugin'
[[ -x $root$plugin ]] || fail "XAPI cannot run $plugin"
expect_text "$root/usr/local/lib/xl-teleport/teleport_jobs.py" \
  "JOBS = '/var/lib/xl-teleport/jobs'"
for page in man1/xl-teleport.1 man8/teleportd.8 man8/teleport-listen.8 man8/teleportctl.8 \
  man8/teleport-evacuate.8 man7/teleport-xapi.7 \
  man5/teleport.conf.5 man5/teleport-report.5 man5/teleport-files.5 \
  man7/xl-teleport-guests.7 man7/xl-teleport-troubleshooting.7; do
  [[ -s $root/usr/local/share/man/$page ]] || fail "no man page $page"
done
completions=$root/usr/local/share/bash-completion/completions
for program in xl xl-teleport teleportd teleport-listen teleportctl teleport-evacuate; do
  [[ -s $completions/$program ]] || fail "no completion for $program"
  [[ -s $root/usr/local/share/fish/vendor_completions.d/$program.fish ]] ||
    fail "no completion by fish for $program"
done
# zsh and fish run bash's file, where it is installed.
for file in zsh/site-functions/_xl-teleport fish/vendor_completions.d/xl-teleport.fish; do
  expect_text "$root/usr/local/share/$file" \
    'bash /usr/local/share/bash-completion/completions/xl-teleport '
done
[[ $(stat -c %a "$root/etc/xen/teleport") = 700 ]] ||
  fail 'the folder of the keys is open to others'
if grep -rlE '@(SBINDIR|LIBDIR|STATEDIR|DIVERTED_XL|COMPLETIONDIR)@' "$root"; then
  fail 'a place was not filled in'
fi
files >first
expect_exit 0 run_make install
files | diff first - || fail 'a second install left other files'

# A configuration that was changed stays.
echo 'port = 1' >>"$conf"
cp "$conf" mine
expect_exit 0 run_make install
cmp "$conf" mine
cmp "$TELEPORT_SOURCE/xl-teleport/setup/teleport.conf" "$conf.new"
expect_text out 'is there already and stays'

# So does a key, and nothing else is left behind.
echo secret >"$root/etc/xen/teleport/host.key"
expect_exit 0 run_make uninstall
files >left
printf '%s\n' ./etc/xen/teleport.conf ./etc/xen/teleport/host.key |
  diff - left || fail 'uninstall left the wrong files'
rm -r "$root"
expect_exit 0 run_make install
expect_exit 0 run_make uninstall
[[ -z $(files) ]] || fail "uninstall left: $(files)"

# Xen's own xl in our place, a program or a link, stays through both.
for kind in program link; do
  rm -rf "$root"
  mkdir -p "$sbin"
  if [[ $kind = program ]]; then
    echo "xen's" >"$sbin/xl"
  else
    ln -s ../lib/xen-common/bin/xen-utils-wrapper "$sbin/xl"
  fi
  stat -c '%N %s %i' "$sbin/xl" >before
  expect_exit 0 run_make install
  expect_text out "is Xen's own and stays"
  expect_exit 0 run_make uninstall
  stat -c '%N %s %i' "$sbin/xl" | diff before - || fail "Xen's xl changed"
done

# The library, for other programs.
rm -rf "$root"
expect_exit 0 run_make install-dev
export PKG_CONFIG_PATH=$root/usr/local/lib/pkgconfig
[[ $(pkg-config --variable=libdir teleport) = /usr/local/lib ]] ||
  fail 'teleport.pc names another folder'
for archive in libteleport.a libteleport-index.a; do
  [[ -s $root/usr/local/lib/$archive ]] || fail "no $archive"
done
[[ -s $root/usr/local/include/xl-teleport/libteleport/base/error.hpp ]] ||
  fail 'no headers'
expect_exit 0 run_make uninstall-dev
[[ -z $(files) ]] || fail "uninstall-dev left: $(files)"

# A package's tree.
rm -rf "$root"
expect_exit 0 run_make PREFIX=/usr install
diverted=/usr/lib/xl-teleport/xens-xl/xl
expect_text "$root/usr/sbin/xl" "xlt_diverted='$diverted'"
[[ $(readlink "$root$diverted") = /usr/sbin/xl.distrib ]] ||
  fail "$diverted does not lead to the diverted xl"

# Of the machine's own programs, with its places in this test's folder: while a
# teleport needs them they stay, and teleportd runs on.
rm -rf "$root"
cat >systemctl <<END
#!/bin/sh
echo "\$*" >>$tmp/asked
END
chmod 755 systemctl
of_this_machine() {
  run_make DESTDIR= PREFIX="$root/usr" SYSCONFDIR="$root/etc" STATEDIR="$root/state" \
    IMAGEDIR="$root/images" RUNDIR="$root/run" PINDIR="$root/pins" SYSTEMD="$tmp" \
    SYSTEMCTL="$tmp/systemctl" SYSUSERSCTL=true "$@"
}
expect_exit 0 of_this_machine install
sbin=$root/usr/sbin
mkdir "$root/pins"
for left in 'underway web1' 'go web1'; do
  printf '#!/bin/sh\necho "%s"\n' "$left" >"$sbin/teleportctl"
  files >before
  : >asked
  expect_exit 2 of_this_machine uninstall
  expect_text err "$left"
  files | diff before - || fail 'what a teleport needs was removed'
  [[ -d $root/pins ]] || fail 'what follows the disks is detached'
  [[ $(tail -n 1 asked) = 'start teleportd.service' ]] || fail "asked: $(cat asked)"
  if grep -q disable asked; then fail 'units are disabled'; fi
done
printf '#!/bin/sh\necho "cannot be read" >&2; exit 1\n' >"$sbin/teleportctl"
expect_exit 2 of_this_machine uninstall
expect_text err 'what the journal has cannot be read: cannot be read'
# shellcheck disable=SC2016 # it is of another shell
printf '#!/bin/sh\n[ "$*" = "teleports --needed" ]\n' >"$sbin/teleportctl"
expect_exit 0 of_this_machine uninstall
grep -q '^disable --now .*teleportd.service' asked || fail "asked: $(cat asked)"
[[ -z $(files) && ! -e $root/pins ]] || fail "uninstall left: $(files)"
# The record of what is not there any more asks for nothing.
expect_exit 0 of_this_machine uninstall
