//! Health checks. What depends on the moment is given time.

use super::step::{Step, step};

pub(crate) fn steps() -> Vec<Step> {
    vec![
        step("run -d --network none --health-interval 300ms --name well --health-cmd 'echo $GREETING' box sleep 1000"),
        step(
            "run -d --network none --health-interval 300ms --name ill --health-retries 2 --health-cmd 'echo ouch >&2; exit 2' box sleep 1000",
        ),
        step(
            "run -d --network none --health-interval 300ms --name spared --health-retries 1 --health-start-period 1h --health-cmd 'exit 4' box sleep 1000",
        ),
        step("run -d --network none --name unasked --no-healthcheck box sleep 1000"),
        step("exec well sleep 6"),
        step(
            "inspect -f '{{.State.Health.Status}} {{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}} {{json .Config.Healthcheck}}' well",
        ),
        step(
            "inspect -f '{{.State.Health.Status}} {{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}} {{json .Config.Healthcheck}}' ill",
        ),
        step("inspect -f '{{json .Config.Healthcheck}} {{json .State.Health}}' unasked"),
        step("ps --format '{{.Names}}' --filter health=healthy"),
        step("ps --format '{{.Names}}' --filter health=unhealthy"),
        step("ps --format '{{.Names}}' --filter health=none --filter name=unasked"),
        step("stop -t 0 well"),
        step("inspect -f '{{.State.Health.Status}}' well"),
        step("run --rm --no-healthcheck --health-cmd true box true"),
        step("run --rm --health-interval 1us --health-cmd true box true"),
        step("run --rm --health-timeout -1s box true"),
        step("run --rm --health-timeout soon box true"),
        step("run --rm --health-retries -1 box true"),
        step("rm -f well ill spared unasked"),
    ]
}
