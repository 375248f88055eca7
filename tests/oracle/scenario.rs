//! The story. Every container has a name, and no network: what differs between hosts is left out, not smoothed over.

use super::step::{Step, step};

/// Ctrl-P Ctrl-Q.
const DETACH: &str = "\x10\x11";

pub(crate) fn steps() -> Vec<Step> {
    let parts = [images(), short_runs(), one_life(), many(), streams(), archives(), super::builds::steps(), refusals()];
    parts
        .into_iter()
        .chain([super::volumes::steps(), super::copies::steps(), super::health::steps(), the_end()])
        .flatten()
        .collect()
}

fn images() -> Vec<Step> {
    vec![
        step("import -c 'CMD [\"sh\"]' -c 'ENV GREETING=hello' -m 'a box' {tmp}/box.tar box"),
        step("images"),
        step("image ls --quiet"),
        step("system df"),
        step("system df -v").containing("Build cache usage: 0B"),
        step("system df --format '{{.Type}}: {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}'"),
        step("system df --format nope"),
        step("system df extra"),
        step("history --format '{{.Comment}} {{.Size}}' box"),
        step("image inspect --format '{{.RepoTags}} {{.Os}} {{.Config.Cmd}} {{.Config.Env}}' box"),
        step("tag box other/box:1.0"),
        step("images --format '{{.Repository}}:{{.Tag}} {{.Size}}' --filter reference=other/*"),
        step("rmi other/box:1.0"),
        step("rmi nope"),
        step("inspect nope"),
        step("image inspect nope"),
    ]
}

fn short_runs() -> Vec<Step> {
    vec![
        step("run --rm --network none box echo hello"),
        step("run --rm --network none box sh -c 'echo out; echo err >&2; exit 3'"),
        step("run --rm --network none -i box cat").stdin("through\n"),
        step("run --rm --network none -e A=1 -e B= -w /tmp box sh -c 'echo $A $B $GREETING; pwd'"),
        step("run --rm --network none -u ana box id"),
        step("run --rm --network none -u 4321:10 box id"),
        step("run --rm --network none -h here box sh -c 'cat /etc/hostname; echo $HOSTNAME'"),
        step("run --rm --network none --read-only box touch /x"),
        step("run --rm --network none --tmpfs /t box touch /t/x"),
        step("run --rm --network none --entrypoint echo box entry"),
        step("run --rm --network none -t box stty size"),
        step("run --rm --network none box sh -c 'kill -9 $$'"),
        step("run --rm --network none box no-such-command").containing("executable file not found in $PATH"),
        step("run --rm --network none box /etc/passwd").containing("permission denied"),
        step("run --rm --network none -w /etc/passwd box true").containing("not a directory"),
        step("run --rm --network none -u nobody box true").containing("unable to find user nobody"),
        step("run --rm --network none no-such-image true")
            .containing("Unable to find image 'no-such-image:latest' locally"),
        step("run --rm --network none --no-such-flag box true"),
    ]
}

/// From create to remove.
fn one_life() -> Vec<Step> {
    vec![
        step("create --name web --network none --label tier=front -e A=1 box sh -c 'echo up; exec sleep 1000'"),
        step("ps -a"),
        step(
            "inspect --format '{{.State.Status}} {{.State.Running}} {{.Name}} {{.Path}} {{.Args}} {{.Config.Labels}}' web",
        ),
        step("start web"),
        step("start web"),
        step("ps"),
        step("ps --format '{{.Names}} {{.Image}} {{.State}}' --filter label=tier=front"),
        step("inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.HostConfig.NetworkMode}}' web"),
        step("exec web echo within"),
        step("logs web"),
        step("exec -i web cat").stdin("more\n"),
        step("exec -e B=2 -w /etc -u ana web sh -c 'echo $A$B; pwd; id -u'"),
        step("exec web sh -c 'exit 5'"),
        step("exec web no-such-command").containing("executable file not found in $PATH").code(127),
        step("exec web touch /made"),
        step("top web -o pid,args").containing("sleep 1000"),
        step("top web -o args"),
        step("pause web"),
        step("ps --format '{{.Names}} {{.Status}}'"),
        step("pause web"),
        step("exec web true"),
        step("unpause web"),
        step("unpause web").containing("is not paused"),
        step("diff web"),
        step("rename web site"),
        step("rm site"),
        step("commit -m 'made it' -a ana -c 'CMD [\"ls\", \"/made\"]' site made:1"),
        step("run --rm --network none made:1"),
        step("image inspect --format '{{.Comment}} {{.Author}} {{.Config.Cmd}} {{len .RootFS.Layers}}' made:1"),
        step("stop -t 0 site"),
        step("stop site"),
        step("ps -a --format '{{.Names}} {{.Status}}'"),
        step("inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' site"),
        step("wait site"),
        step("exec site true"),
        step("kill site"),
        step("restart -t 0 site"),
        step("kill -s KILL site"),
        step("wait site"),
        step("logs site"),
        step("logs --tail 1 site"),
        step("rm site"),
        step("rm site"),
        step("rmi made:1"),
        step("events --since 1 --until {now} --filter container=site --format '{{.Type}} {{.Action}}'"),
        step("events --since 1 --until {now} --filter container=web --format '{{.Type}} {{.Action}}'"),
        step("events --since 1 --until {now} --filter type=image --format '{{.Type}} {{.Action}}'"),
    ]
}

fn many() -> Vec<Step> {
    vec![
        step("run -d --name one --network none box sleep 1000"),
        step("run -d --name two --network none box sh -c 'exit 4'"),
        step("wait two"),
        step("ps -a --format '{{.Names}} {{.Status}}' --filter status=exited"),
        step("ps -aq --filter exited=4"),
        step("ps -n 1 --format '{{.Names}}'"),
        step("ps --filter name=^one$ --format '{{.Names}}'"),
        step("ps -a --filter bogus=1"),
        step("kill -s TERM two"),
        step("rm -f one two nope"),
        step("run -d --name policy --network none --restart on-failure:2 box sh -c 'exit 9'"),
        step("wait policy"),
        step(
            "inspect --format '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' policy",
        ),
        step("rm -f policy"),
    ]
}

fn streams() -> Vec<Step> {
    vec![
        step("run -it --name term --network none box sh")
            .keys(&[("/ #", "echo it $((40+2))\n"), ("it 42", "exit 6\n")])
            .containing("it 42"),
        step("rm term"),
        step("run -it --name away --network none box sh").keys(&[("/ #", DETACH)]).containing("/ #"),
        step("ps --format '{{.Names}}'"),
        step("exec -d away touch /made"),
        step("exec -it away sh").keys(&[("/ #", "echo exec $((1+1)); exit 3\n")]).containing("exec 2"),
        step("attach away").keys(&[("", "\n"), ("/ #", "echo back $((1+1)); exit 8\n")]).containing("back 2"),
        step("wait away"),
        step("rm away"),
        step("run --rm -it --network none box sh")
            .keys(&[("/ #", "stty size\n"), ("24 80", "exit\n")])
            .containing("24 80"),
        step("run -it --name other --detach-keys ctrl-a,x --network none box sh")
            .keys(&[("/ #", "\x01x")])
            .containing("/ #"),
        step("ps --format '{{.Names}} {{.Command}}' --no-trunc"),
        step("rm -f other"),
        step("create --name later --network none -i box cat"),
        step("start -ai later").stdin("given at start\n"),
        step("logs later"),
        step("logs -t later"),
        step("logs -f later"),
        step("rm later"),
        step("run -d --name slow --network none box sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done'"),
        step("logs -f slow"),
        step("attach slow").containing("cannot attach to a stopped container"),
        step("rm slow"),
    ]
}

fn archives() -> Vec<Step> {
    vec![
        step("create --name full --network none box true"),
        step("export -o {tmp}/full.tar full"),
        step("import {tmp}/full.tar again:1"),
        step("run --rm --network none again:1 echo imported"),
        step("rm full"),
        step("save -o {tmp}/box.saved box again:1"),
        step("rmi box again:1"),
        step("load -i {tmp}/box.saved").in_any_order(),
        step("load -q -i {tmp}/box.saved").in_any_order(),
        step("images --format '{{.Repository}}:{{.Tag}}'").in_any_order(),
        step("run --rm --network none box echo loaded"),
        // dockerd finds it out after it has answered 200, and the text is of the program that it unpacks with.
        step("load").stdin("this is no archive").containing(""),
        step("save -o {tmp}/x nope"),
    ]
}

fn refusals() -> Vec<Step> {
    vec![
        step("create --name twice --network none box true"),
        step("create --name twice --network none box true").containing("is already in use by container"),
        step("rename twice twice"),
        step("create --name 'no good' --network none box true"),
        step("start nope"),
        step("stop nope"),
        step("logs nope"),
        step("exec nope true"),
        step("attach nope"),
        step("wait nope"),
        step("top twice"),
        step("pause twice"),
        step("kill twice"),
        step("rmi box"),
        step("rm twice"),
        step("run --rm --network none --memory 1 box true"),
        step("run --rm --network none --cap-add NOPE box true").containing("NOPE"),
        step("run --network none --rm --restart always box true"),
    ]
}

fn the_end() -> Vec<Step> {
    vec![
        step("version --format '{{.Server.Os}} {{.Server.Arch}}'"),
        step("info --format '{{.OSType}} {{.ContainersRunning}}'"),
        step("run --name old --network none box true"),
        step("container prune -f --filter label=none").containing("Total reclaimed space: 0B"),
        step("container prune -f").containing("Deleted Containers:"),
        step(
            "events --since 1 --until {now} --filter type=container --filter container=old --format '{{.Type}} {{.Action}}'",
        ),
        step("rmi -f again:1"),
        step("image prune -f").containing("Total reclaimed space:"),
        step("rmi box"),
        step("images -q"),
        step("ps -aq"),
    ]
}
