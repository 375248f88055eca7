#!/usr/bin/env bash
# Boots Debian's cloud kernel, which has cgroup v2 with every controller, and runs a few containers in it.
# usage: tests/vm/v2.sh path/to/kesako      needs: qemu-system-x86 linux-image-cloud-amd64 busybox-static cpio
# Emulated (-accel tcg): a machine within a machine seldom lends its own CPU. It takes half a minute.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: tests/vm/v2.sh path/to/kesako}
kernel=$(ls -v /boot/vmlinuz-*cloud* | tail -n 1)
modules=/lib/modules/${kernel#/boot/vmlinuz-}/kernel
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{bin,proc,sys,dev,tmp,etc,root,run,var,modules}
cp /bin/busybox "$root/bin/busybox"
for applet in $(/bin/busybox --list | grep -vx busybox); do ln -sf busybox "$root/bin/$applet"; done
cp "$binary" "$root/bin/kesako"
# The libraries that the binary was linked with.
for library in $(ldd "$binary" 2>/dev/null | grep -o '/[^ ]*' || true); do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
cp "$modules/fs/overlayfs/overlay.ko" "$root/modules/"
echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
cp "$here/init.sh" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) > "$root.cpio.gz"
trap 'rm -rf "$root" "$root.cpio.gz"' EXIT

timeout -s KILL "${VM_TIMEOUT:-300}" qemu-system-x86_64 -accel tcg -cpu max -m 1024 -nographic -no-reboot \
  -kernel "$kernel" -initrd "$root.cpio.gz" \
  -append "console=ttyS0 quiet panic=-1 systemd.unified_cgroup_hierarchy=1" | tee "$root/log"
grep -q 'ALL PASSED' "$root/log"
