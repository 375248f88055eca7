//! Health checks: who is asked, how, how often, and what the answers mean.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{Sandbox, eventually};

fn health(sandbox: &Sandbox, name: &str) -> String {
    sandbox.ok(&["inspect", "-f", "{{.State.Health.Status}}", name])
}

/// The results that are kept: exit codes and outputs.
fn log(sandbox: &Sandbox, name: &str) -> String {
    sandbox.ok(&["inspect", "-f", "{{range .State.Health.Log}}{{.ExitCode}} {{.Output}};{{end}}", name])
}

fn begin(sandbox: &Sandbox, name: &str, flags: &[&str]) {
    sandbox.ok(&[&["run", "-d", "--name", name], flags, &["workbench", "sleep", "1000"]].concat());
}

#[test]
fn who_is_well_is_seen_to_be_long_before_an_interval_is_over() {
    Sandbox::each(|sandbox| {
        begin(sandbox, "web", &["--health-cmd", "test -e /ok", "--health-interval", "1h"]);
        assert_eq!(health(sandbox, "web"), "starting");
        let shown = sandbox.ok(&["ps", "--format", "{{.Status}}"]);
        assert!(shown.ends_with(" (health: starting)"), "{shown}");
        assert_eq!(sandbox.ok(&["ps", "-q", "--filter", "health=healthy"]), "");
        eventually("a probe has failed", || !log(sandbox, "web").is_empty());
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.Health.FailingStreak}}", "web"]), "0", "it was early");
        sandbox.ok(&["exec", "web", "touch", "/ok"]);
        eventually("web is well", || health(sandbox, "web") == "healthy");
        let shown = sandbox.ok(&["ps", "--filter", "health=healthy", "--format", "{{.Status}}"]);
        assert!(shown.ends_with(" (healthy)"), "{shown}");
        assert_eq!(sandbox.ok(&["ps", "-q", "--filter", "health=none"]), "");
        let told = sandbox.ok(&["events", "--since", "1h", "--until", "0s", "--filter", "event=health_status"]);
        assert!(told.contains("container health_status: healthy"), "{told}");

        sandbox.ok(&["stop", "-t", "0", "web"]);
        assert_eq!(health(sandbox, "web"), "unhealthy", "who does not run is not well");
        sandbox.ok(&["start", "web"]);
        eventually("web is well again", || health(sandbox, "web") == "healthy");
        sandbox.ok(&["rm", "-f", "web"]);
    });
}

#[test]
fn failures_in_a_row_are_an_illness() {
    Sandbox::each(|sandbox| {
        let check = "test -e /ok || { echo not yet; exit 3; }";
        begin(sandbox, "web", &["--health-cmd", check, "--health-interval", "50ms", "--health-retries", "2"]);
        eventually("web is ill", || health(sandbox, "web") == "unhealthy");
        assert!(log(sandbox, "web").starts_with("3 not yet\n;3 not yet\n;"));
        eventually("five results are kept", || log(sandbox, "web").matches(';').count() == 5);
        sandbox.ok(&["exec", "web", "touch", "/ok"]);
        eventually("web is well", || health(sandbox, "web") == "healthy");
        assert_eq!(sandbox.ok(&["inspect", "-f", "{{.State.Health.FailingStreak}}", "web"]), "0");
        sandbox.ok(&["rm", "-f", "web"]);

        let patient = ["--health-cmd", "false", "--health-interval", "50ms", "--health-start-period", "1h"];
        begin(sandbox, "slow", &[&patient[..], &["--health-start-interval", "50ms", "--health-retries", "1"]].concat());
        eventually("it was asked often", || log(sandbox, "slow").matches(';').count() == 5);
        assert_eq!(health(sandbox, "slow"), "starting", "in the start period nothing counts");
        sandbox.ok(&["rm", "-f", "slow"]);
    });
}

#[test]
fn a_probe_that_takes_too_long_or_cannot_begin_has_failed() {
    Sandbox::each(|sandbox| {
        let every = ["--health-interval", "100ms", "--health-timeout", "300ms", "--health-retries", "1"];
        begin(sandbox, "slow", &[&["--health-cmd", "echo wait; exec sleep 1000"], &every[..]].concat());
        eventually("it is ill", || health(sandbox, "slow") == "unhealthy");
        assert!(log(sandbox, "slow").starts_with("-1 Health check exceeded timeout (300ms): wait\n;"));
        // One that is asked to end and does not listen is not left behind.
        let count =
            || sandbox.ok(&["exec", "slow", "sh", "-c", "ps | grep -c '[s]leep 1000'"]).parse::<usize>().unwrap();
        assert!(count() <= 2, "the container's own, and one probe's");
        sandbox.ok(&["rm", "-f", "slow"]);

        let dockerfile = "FROM workbench\nHEALTHCHECK --interval=1h CMD [\"/no-such-program\"]\nCMD sleep 1000\n";
        sandbox.kesako(&["build", "-qt", "broken", "-"]).write_stdin(dockerfile).assert().success();
        sandbox.ok(&["run", "-d", "--name", "broken", "broken"]);
        eventually("it was asked", || !log(sandbox, "broken").is_empty());
        let said = log(sandbox, "broken");
        assert!(said.starts_with("-1 OCI runtime exec failed: ") && said.contains("no-such-program"), "{said}");
        sandbox.ok(&["run", "-d", "--name", "unasked", "--no-healthcheck", "broken"]);
        assert_eq!(
            sandbox.ok(&["inspect", "-f", "{{if .State.Health}}asked{{else}}not asked{{end}}", "unasked"]),
            "not asked"
        );
        sandbox.ok(&["rm", "-f", "broken", "unasked"]);
        sandbox.ok(&["rmi", "broken"]);
    });
}

#[test]
fn who_is_paused_is_not_asked() {
    let sandbox = Sandbox::new();
    if !sandbox.is_root() {
        return support::not_run("who_is_paused_is_not_asked", "only root can pause everywhere");
    }
    begin(&sandbox, "web", &["--health-cmd", "true", "--health-interval", "20ms", "--health-timeout", "20ms"]);
    eventually("web is well", || health(&sandbox, "web") == "healthy");
    sandbox.ok(&["pause", "web"]);
    let last = || sandbox.ok(&["inspect", "-f", "{{json .State.Health.Log}}", "web"]);
    let before = last();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(last(), before);
    sandbox.ok(&["unpause", "web"]);
    eventually("it is asked again", || last() != before);
    assert_eq!(health(&sandbox, "web"), "healthy");
    sandbox.ok(&["rm", "-f", "web"]);
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let sandbox = Sandbox::new();
    for (flags, why) in [
        (&["--no-healthcheck", "--health-cmd", "true"][..], "--no-healthcheck conflicts with --health-* options"),
        (&["--health-interval", "-1s"], "--health-interval cannot be negative"),
        (&["--health-retries", "-1"], "--health-retries cannot be negative"),
        (&["--health-timeout", "soon"], "time: invalid duration \"soon\""),
        (&["--health-cmd", "x", "--health-interval", "1us"], "Interval in Healthcheck cannot be less than 1ms"),
    ] {
        let said = sandbox.fails(125, &[&["run"], flags, &["workbench"]].concat());
        assert!(said.contains(why), "{flags:?}: {said}");
    }
}
