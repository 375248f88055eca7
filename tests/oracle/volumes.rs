//! The part of the story that is about what stays: volumes, and folders of the host.

use super::step::{Step, step};

pub(crate) fn steps() -> Vec<Step> {
    [lesson(), copies(), host(), lives(), listed(), refused()].into_iter().flatten().collect()
}

/// What a newcomer is shown: the file that is still there, and the one that is not.
fn lesson() -> Vec<Step> {
    vec![
        step("run --name pinger --network none box sh -c 'echo test >> test.txt; cat test.txt'"),
        step("start -a pinger"),
        step("run --rm --network none box cat test.txt"),
        step("rm pinger"),
        step("run --rm --network none -v my-volume:/my-data box sh -c 'ls -d /my-data; echo test > /my-data/test.txt'"),
        step("run --rm --network none -v my-volume:/my-data box cat /my-data/test.txt"),
        step("volume ls"),
        step("volume create my-volume"),
        step("inspect --format '{{.Name}} {{.Driver}} {{.Scope}} {{json .Labels}} {{json .Options}}' my-volume"),
        step("volume rm my-volume"),
        step("volume inspect my-volume"),
        step("run --rm --network none -v {tmp}/mapped:/my-data box touch /my-data/made"),
        step("run --rm --network none -v {tmp}/mapped:/my-data box ls /my-data"),
    ]
}

fn copies() -> Vec<Step> {
    let look = "busybox stat -c '%a %u:%g' /data; cd /data; ls -1R; cat again; busybox stat -c %h again";
    vec![
        step(
            "run --name maker --network none box sh -c 'busybox mkdir -p /data/deep; echo kept > /data/file; busybox ln /data/file \
             /data/again; busybox ln -s file /data/link; busybox chown 7:8 /data; busybox chmod 2750 /data'",
        ),
        step("commit -c 'VOLUME /data' maker full").containing("<id>"),
        step("rm maker"),
        Step {
            args: vec!["run", "--rm", "--network", "none", "-v", "named:/data", "full", "sh", "-c", look],
            ..step("")
        },
        Step { args: vec!["run", "--rm", "--network", "none", "full", "sh", "-c", look], ..step("") },
        step("run --rm --network none -v named:/data full sh -c 'rm /data/*; echo mine > /data/file'")
            .containing("is a directory"),
        step("run --rm --network none -v named:/data full cat /data/file"),
        step("run --rm --network none -v bare:/data:nocopy full ls -A /data"),
        step("run --rm --network none --mount type=volume,source=bare,target=/data,volume-nocopy full ls -A /data"),
        step("run --rm --network none -v {tmp}/mapped:/data full ls /data"),
        step("run --rm --network none --tmpfs /data full ls -A /data"),
        step("run --rm --network none --mount type=tmpfs,target=/data,tmpfs-mode=711 box busybox stat -c %a /data"),
        step("run --rm --network none --tmpfs /data full busybox stat -c %a /data"),
        step("volume ls"),
        step("volume rm named bare"),
    ]
}

fn host() -> Vec<Step> {
    vec![
        step("run --rm --network none -v {tmp}/mapped:/m:ro box touch /m/x"),
        step("run --rm --network none --mount type=bind,source={tmp}/mapped,target=/m,readonly box touch /m/x"),
        step("run --rm --network none -v {tmp}/mapped/made:/etc/one box ls /etc/one"),
        step("run --rm --network none -v {tmp}/mapped/made:/etc/hosts box cat /etc/hosts"),
        step("run --rm --network none -v {tmp}/new/folders:/m box true"),
        step("run --rm --network none -v {tmp}/new:/m box ls /m"),
        step(
            "run --rm --network none -v {tmp}/mapped:/a -v inner:/a/b/c --tmpfs /a/b box sh -c 'echo > /a/b/c/x; ls -R /a'",
        ),
        step("volume rm inner"),
        step("run --rm --network none -v {tmp}/mapped/made:/etc box true")
            .containing("Are you trying to mount a directory onto a file"),
        step("run --rm --network none -v {tmp}/mapped:/m:rshared box true").containing("is not a shared mount"),
        step("run --rm --network none -v {tmp}/mapped:/m:rslave box true").containing("is not a shared or slave mount"),
        step("run --rm --network none --mount type=bind,source={tmp}/nope,target=/m box true"),
        step("run --rm --network none -v {tmp}/mapped:/proc/x box true")
            .containing("cannot be mounted because it is inside /proc"),
        step("run --rm --network none -v {tmp}/mapped:/proc box true")
            .containing("cannot be mounted because it is not of type proc"),
    ]
}

fn lives() -> Vec<Step> {
    vec![
        step("create --name one --network none -v /cache -v named:/data:ro box sleep 1000"),
        step(
            "inspect --format '{{range .Mounts}}{{if eq .Name \"named\"}}{{.Type}} {{.Destination}} {{.Driver}} {{.Mode}} {{.RW}}{{end}}{{end}}' one",
        ),
        step("inspect --format '{{.HostConfig.Binds}} {{.Config.Volumes}} {{len .Mounts}}' one"),
        step("volume rm named"),
        step("ps -a --filter volume=named --format '{{.Names}} {{.LocalVolumes}}'"),
        step("ps -aq --filter volume=/cache"),
        step("ps -aq --filter volume=/nope"),
        step("create --name two --network none --volumes-from one:ro box sh -c 'touch /cache/x'"),
        step("start -a two"),
        step(
            "inspect --format '{{range .Mounts}}{{if eq .Name \"named\"}}{{.Destination}} [{{.Mode}}] {{.RW}}{{end}}{{end}}' two",
        ),
        step("rm -v one"),
        step("volume ls --format '{{.Driver}} {{.Name}}'"),
        step("rm -v two"),
        step("volume ls --format '{{.Driver}} {{.Name}}'"),
        step("start one"),
        step("volume rm named"),
        step(
            "create --name three --network none -v {tmp}/mapped:/m --mount type=tmpfs,target=/t,tmpfs-size=1m box true",
        ),
        step("inspect --format '{{range .Mounts}}{{if eq .Type \"bind\"}}{{json .}}{{end}}{{end}}' three"),
        step(
            "inspect --format '{{range .Mounts}}{{if eq .Type \"tmpfs\"}}{{json .}}{{end}}{{end}} {{json .HostConfig.Mounts}}' three",
        ),
        step("ps -a --format '{{.Names}}: {{.LocalVolumes}}'"),
        step("rm three"),
        step("create --name four --network none -v /gone box true"),
        step("rm four"),
        step("volume prune -f --filter label=nope"),
        step("volume prune -f"),
        step(
            "events --since 1 --until {now} --filter volume=named --filter event=mount --filter event=unmount --filter event=destroy --format '{{.Type}} {{.Action}} {{.Actor.ID}}'",
        ),
    ]
}

fn listed() -> Vec<Step> {
    vec![
        step("volume create --label tier=data --label empty disk10"),
        step("volume create --name disk9"),
        step("volume create"),
        step("volume ls --filter name=disk"),
        step("volume ls -q --filter label=tier=data"),
        step(
            "volume ls --filter dangling=true --filter label=empty --format '{{.Name}} {{.Label \"tier\"}} {{.Links}} {{.Size}} {{.Status}}'",
        ),
        step("volume ls --filter name=disk --format 'table {{.Name}}\\t{{.Scope}}'"),
        step("volume ls --filter name=disk9 --format raw"),
        step("volume ls --format '{{.Nope}}'"),
        step("volume inspect --format '{{.Labels}} {{.Driver}}' disk10 disk9"),
        step("volume inspect --format '{{.Nope}}' disk10").containing("at <.Nope>"),
        step("inspect --type volume --format '{{.Name}}' disk10"),
        step("inspect --type volume nope"),
        step("volume rm disk9 nope disk10"),
        step("volume rm -f nope"),
        step("volume prune -f").containing("Deleted Volumes:"),
        step("volume"),
        step("volume nope").containing("unknown command"),
        step("volume ls --help").containing("Only display volume names"),
        step("volume inspect --help"),
        step("volume prune --help").containing("Do not prompt for confirmation"),
        step("volume create a b").containing("requires at most 1 argument"),
        step("volume rm"),
    ]
}

fn refused() -> Vec<Step> {
    vec![
        step("volume create a"),
        step("volume create 'a b'"),
        step("volume create -o foo=bar wrong"),
        step("volume create -o type=tmpfs wrong"),
        step("volume create -d nope wrong"),
        step("volume create -o size=1m wrong"),
        step("volume create --name x y"),
        step("volume ls --filter colour=red"),
        step("volume ls --filter dangling=perhaps"),
        step("run --rm --network none -v foo:data box true"),
        step("run --rm --network none -v {tmp}:/ box true"),
        step("run --rm --network none -v aa:bb:cc:dd box true"),
        step("run --rm --network none -v vv:/x:foo box true"),
        step("run --rm --network none -v vv:/x:rshared box true"),
        step("run --rm --network none -v {tmp}:/x:nocopy box true"),
        step("run --rm --network none -v vv:rw box true"),
        step("run --rm --network none -v '' box true"),
        step("run --rm --network none -v 'v v:/x' box true"),
        step("run --rm --network none -v ~x:/x box true"),
        step("run --rm --network none -v v1:/x -v {tmp}:/x/ box true"),
        step("run --rm --network none -v v1:/x --tmpfs /x box true"),
        step("run --rm --network none -v {tmp}:/x:ro,rw box true"),
        step("run --rm --network none --mount type=bind,target=/x box true"),
        step("run --rm --network none --mount type=foo,source=/tmp,target=/x box true"),
        step("run --rm --network none --mount type=tmpfs,source=/tmp,target=/x box true"),
        step("run --rm --network none --mount type=volume,source=v1 box true"),
        step("run --rm --network none --mount source=/v1,target=/x box true"),
        step("run --rm --network none --mount source=v1,target=x box true"),
        step("run --rm --network none --mount type=bind,source=/tmp,target=/x,bind-propagation=foo box true"),
        step("run --rm --network none --mount type=bind,source=/tmp,target=/x,volume-nocopy box true"),
        step("run --rm --network none --mount type=bind,source=/tmp,target=/x,bind-recursive=readonly box true"),
        step("run --rm --network none --mount type=bind,source=/tmp,target=/x,foo=bar box true"),
        step("run --rm --network none --mount '' box true"),
        step("run --rm --network none --mount 'a\"b' box true"),
        step("run --rm --network none --volumes-from nope box true"),
        step("run --rm --network none --volumes-from '' box true"),
        step("run --rm --network none --volumes-from nope:rshared box true"),
        // (Docker has made v1 before it finds that something else is wrong.)
        step("volume rm -f v1 vv"),
        step("rmi full").containing("Deleted: <id>"),
        step("volume ls"),
    ]
}
