//! Whether a container is well: what its check asks, when, and what the answers mean. (Who asks is the shim.)

use crate::api::{ContainerConfig, Health, HealthConfig, HealthStatus, HealthcheckResult};
use crate::{Error, Kind, Result};
use std::time::Duration;

/// So many results are kept.
const KEPT: usize = 5;
/// Docker's, for those that are not given.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const START_INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: i64 = 3;
/// After so long a container that has just started is asked for the first time, then after twice as long, and so on until it is well.
const EARLY: Duration = Duration::from_millis(100);

/// A health check, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub command: Vec<String>,
    pub timeout: Duration,
    interval: Duration,
    start_period: Duration,
    start_interval: Duration,
    retries: i64,
}

impl Check {
    /// The one that a container has, if it has one.
    pub(crate) fn of(config: &ContainerConfig) -> Option<Self> {
        let health = config.healthcheck.as_ref()?;
        let (kind, words) = health.test.as_deref()?.split_first()?;
        let command = match kind.as_str() {
            "CMD" => words.to_vec(),
            "CMD-SHELL" => {
                let shell = config.shell.clone().filter(|shell| !shell.is_empty());
                let shell = shell.unwrap_or_else(|| ["/bin/sh", "-c"].map(str::to_owned).to_vec());
                [&shell[..], words].concat()
            }
            _ => return None,
        };
        let or = |nanoseconds: i64, default| match u64::try_from(nanoseconds) {
            Ok(0) | Err(_) => default,
            Ok(nanoseconds) => Duration::from_nanos(nanoseconds),
        };
        Some(Self {
            command,
            timeout: or(health.timeout, TIMEOUT),
            interval: or(health.interval, INTERVAL),
            start_period: or(health.start_period, Duration::ZERO),
            start_interval: or(health.start_interval, START_INTERVAL),
            retries: if health.retries > 0 { health.retries } else { RETRIES },
        })
    }

    /// How long after a probe the next one follows, in a container that has lived so long.
    pub(crate) fn interval(&self, status: HealthStatus, lived: Duration) -> Duration {
        match status == HealthStatus::Starting && lived < self.start_period {
            true => self.start_interval,
            false => self.interval,
        }
    }

    /// Docker asks for the first time when an interval is over, which is half a minute if nothing else was said; and all who depend on this container
    /// wait. So while it is starting it is asked in between, too: after so long, with so many of such probes done. Nothing that they find counts against it.
    pub(crate) fn early(done: u32) -> Duration {
        EARLY * 2_u32.saturating_pow(done.min(16))
    }

    /// Takes a result in. `lived`: how long the container had lived when the probe began; `early`: it was one in between.
    pub(crate) fn judge(&self, health: &mut Health, result: HealthcheckResult, lived: Duration, early: bool) {
        let well = result.exit_code == 0;
        let spared = early || (health.status == HealthStatus::Starting && lived < self.start_period);
        let surplus = (health.log.len() + 1).saturating_sub(KEPT);
        health.log.drain(..surplus);
        health.log.push(result);
        if well {
            health.failing_streak = 0;
            health.status = HealthStatus::Healthy;
        } else if !spared {
            health.failing_streak += 1;
            if health.failing_streak >= self.retries {
                health.status = HealthStatus::Unhealthy;
            }
        }
    }
}

impl Health {
    /// That of a container which starts. What was found in an earlier life is kept, as Docker keeps it.
    pub(crate) fn starting(before: Option<Self>) -> Self {
        Self { status: HealthStatus::Starting, failing_streak: 0, ..before.unwrap_or_default() }
    }

    /// Who does not run is not well.
    pub(crate) fn stopped(self) -> Self {
        Self { status: HealthStatus::Unhealthy, ..self }
    }
}

/// Refuses what makes no sense, in Docker's words.
pub(crate) fn validate(health: &HealthConfig) -> Result<()> {
    let durations = [
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
        ("StartInterval", health.start_interval),
    ];
    for (name, nanoseconds) in durations {
        if nanoseconds != 0 && nanoseconds < 1_000_000 {
            return Err(Error::new(Kind::Invalid, format!("{name} in Healthcheck cannot be less than 1ms")));
        }
    }
    if health.retries < 0 {
        return Err(Error::new(Kind::Invalid, "Retries in Healthcheck cannot be negative"));
    }
    match health.test.as_deref().and_then(<[String]>::first).map(String::as_str) {
        None | Some("" | "NONE" | "CMD" | "CMD-SHELL") => Ok(()),
        Some(other) => Err(Error::new(Kind::Invalid, format!("Unknown healthcheck type '{other}' (expected 'CMD')"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(health: HealthConfig) -> Option<Check> {
        Check::of(&ContainerConfig { healthcheck: Some(health), ..Default::default() })
    }

    fn test(words: &[&str]) -> HealthConfig {
        HealthConfig { test: Some(words.iter().map(ToString::to_string).collect()), ..Default::default() }
    }

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn what_is_run() {
        assert_eq!(check(test(&["CMD", "a", "b"])).unwrap().command, ["a", "b"]);
        assert_eq!(check(test(&["CMD-SHELL", "a || b"])).unwrap().command, ["/bin/sh", "-c", "a || b"]);
        assert_eq!(check(test(&["NONE"])), None);
        assert_eq!(check(test(&[])), None);
        let shell = Some(vec!["/bin/bash".to_owned(), "-ec".to_owned()]);
        let config = ContainerConfig { healthcheck: Some(test(&["CMD-SHELL", "x"])), shell, ..Default::default() };
        assert_eq!(Check::of(&config).unwrap().command, ["/bin/bash", "-ec", "x"]);
    }

    #[test]
    fn three_failures_in_a_row_are_an_illness_and_one_success_is_a_cure() {
        let check = check(test(&["CMD", "x"])).unwrap();
        let mut health = Health::starting(None);
        let mut story = String::new();
        for (exit_code, early) in
            [(1, true), (1, false), (1, false), (0, false), (1, false), (1, false), (7, false), (0, false)]
        {
            let result = HealthcheckResult { exit_code, ..Default::default() };
            check.judge(&mut health, result, Duration::from_secs(40), early);
            story += &format!(
                "{exit_code}{} {} {}\n",
                if early { " early" } else { "" },
                health.status.as_str(),
                health.failing_streak
            );
        }
        insta::assert_snapshot!(story, @r"
        1 early starting 0
        1 starting 1
        1 starting 2
        0 healthy 0
        1 healthy 1
        1 healthy 2
        7 unhealthy 3
        0 healthy 0
        ");
        assert_eq!(health.log.len(), 5);
        assert_eq!(health.log[3].exit_code, 7);
    }

    #[test]
    fn in_the_start_period_failures_do_not_count() {
        let health =
            HealthConfig { start_period: 60 * SECOND, start_interval: 2 * SECOND, retries: 1, ..test(&["CMD", "x"]) };
        let check = check(health).unwrap();
        let [during, after] = [30, 61].map(Duration::from_secs);
        assert_eq!(check.interval(HealthStatus::Starting, during), Duration::from_secs(2));
        assert_eq!(check.interval(HealthStatus::Healthy, during), Duration::from_secs(30));
        assert_eq!(check.interval(HealthStatus::Starting, after), Duration::from_secs(30));
        let mut health = Health::starting(None);
        let failed = HealthcheckResult { exit_code: 1, ..Default::default() };
        check.judge(&mut health, failed.clone(), during, false);
        assert_eq!(health.status, HealthStatus::Starting);
        check.judge(&mut health, failed, after, false);
        assert_eq!(health.status, HealthStatus::Unhealthy);
    }

    #[test]
    fn nonsense_is_refused() {
        let refusal = |health: HealthConfig| validate(&health).unwrap_err().to_string();
        let texts = [
            refusal(HealthConfig { interval: 5, ..test(&["CMD", "x"]) }),
            refusal(HealthConfig { start_period: -1, ..test(&["CMD", "x"]) }),
            refusal(HealthConfig { retries: -1, ..test(&["CMD", "x"]) }),
            refusal(test(&["RUN", "x"])),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r"
        Interval in Healthcheck cannot be less than 1ms
        StartPeriod in Healthcheck cannot be less than 1ms
        Retries in Healthcheck cannot be negative
        Unknown healthcheck type 'RUN' (expected 'CMD')
        ");
    }
}
