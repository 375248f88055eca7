#!/bin/sh
# PID 1 of the machine that v2.sh boots.
export PATH=/bin KESAKO_ROOT=/var/kesako HOME=/root
# The initramfs cannot be pivoted away from (pivot_root(2)): the machine moves to a root of its own first.
if [ ! -e /moved ]; then
  mkdir /new && mount -t tmpfs root /new
  cp -a $(ls -d /* | grep -vx /new) /new/ && : > /new/moved
  exec switch_root /new /init
fi
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /tmp
mount -t cgroup2 none /sys/fs/cgroup
insmod /modules/overlay.ko
ip link set lo up
failed=0
expect() { # WHAT WANTED COMMAND…
  what=$1 wanted=$2
  shift 2
  got=$("$@" 2>&1)
  if [ "$got" = "$wanted" ]; then echo "ok   $what"; else echo "FAIL $what: wanted '$wanted', got '$got'"; failed=1; fi
}
sh_in() { kesako run --rm "$@"; }
uname -r
cat /sys/fs/cgroup/cgroup.controllers
expect 'a container runs' hello kesako run --rm workbench echo hello
expect 'memory.max' 33554432 sh_in -m 32m workbench cat /sys/fs/cgroup/memory.max
expect 'pids.max' 7 sh_in --pids-limit 7 workbench cat /sys/fs/cgroup/pids.max
expect 'cpu.max' '50000 100000' sh_in --cpus 0.5 workbench cat /sys/fs/cgroup/cpu.max
expect 'it sees its own cgroup as the root' 0::/ sh_in workbench cat /proc/self/cgroup
kesako run --name hungry -m 16m workbench sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); echo survived' >/dev/null 2>&1
expect 'out of memory is told' true kesako inspect -f '{{.State.OOMKilled}}' hungry
kesako rm hungry >/dev/null
expect 'devices are refused' 'cat: can'"'"'t open '"'"'/tmp/d'"'"': Operation not permitted' sh_in workbench sh -c 'mknod /tmp/d b 254 0; cat /tmp/d'
kesako run -d --name sleeper workbench sleep 100 >/dev/null
kesako pause sleeper >/dev/null
expect 'pause' paused kesako inspect -f '{{.State.Status}}' sleeper
kesako unpause sleeper >/dev/null
expect 'unpause' running kesako inspect -f '{{.State.Status}}' sleeper
expect 'exec' yes kesako exec sleeper echo yes
kesako rm -f sleeper >/dev/null
# Before Linux 6.15, a part of a mount that is attached nowhere cannot be mounted by itself.
mkdir /context
printf 'FROM workbench AS a\nRUN echo of-a > /f\nFROM workbench\nRUN --mount=from=a,source=/f,target=/g cat /g > /h\nCMD cat /h\n' > /context/Dockerfile
expect 'a file of another stage is mounted' of-a sh -c 'kesako build -q -t built /context >/dev/null && kesako run --rm built'
expect 'no cgroup is left' '' sh -c 'find /sys/fs/cgroup -mindepth 2 -type d -path "*kesako/*"'
expect 'nothing is mounted' '' sh -c 'grep /var/kesako /proc/mounts'
[ $failed = 0 ] && echo 'ALL PASSED'
poweroff -f
