//! The restart policy: whether a container that ended is started again, and when.
//!
//! Docker waits 100 ms, then twice as long after each failure, up to a minute; a container that ran for ten seconds
//! begins anew.

use crate::api::RestartPolicy;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);
const STABLE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Restarts {
    policy: RestartPolicy,
    delay: Option<Duration>,
    /// Somebody has stopped it.
    cancelled: bool,
}

impl Restarts {
    pub(super) fn new(policy: &RestartPolicy) -> Self {
        Self { policy: policy.clone(), delay: None, cancelled: false }
    }

    /// The next end is the last.
    pub(super) fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// After an exit with this `code`, `done` restarts and `lived` so long: how long to wait, or None to leave it.
    pub(super) fn after(&mut self, code: i32, done: u32, manually_stopped: bool, lived: Duration) -> Option<Duration> {
        let wanted = !self.cancelled
            && match self.policy.name.as_str() {
                "always" => true,
                "unless-stopped" => !manually_stopped,
                "on-failure" => {
                    let most = self.policy.maximum_retry_count;
                    code != 0 && (most <= 0 || i64::from(done) < most)
                }
                _ => false,
            };
        let doubled = self.delay.filter(|_| lived < STABLE).map_or(FIRST, |delay| (delay * 2).min(LONGEST));
        self.delay = Some(doubled);
        wanted.then_some(doubled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restarts(name: &str, maximum_retry_count: i64) -> Restarts {
        Restarts::new(&RestartPolicy { name: name.to_owned(), maximum_retry_count })
    }

    #[test]
    fn the_delay_doubles_up_to_a_minute_and_a_stable_life_resets_it() {
        let mut always = restarts("always", 0);
        let mut delays = Vec::new();
        for n in 0..12 {
            delays.push(always.after(0, n, false, Duration::from_secs(1)).unwrap().as_millis());
        }
        assert_eq!(delays[..5], [100, 200, 400, 800, 1600]);
        assert_eq!(delays[11], 60_000);
        assert_eq!(always.after(1, 12, false, Duration::from_secs(10)).unwrap().as_millis(), 100);
    }

    #[test]
    fn each_policy_has_its_own_reasons() {
        let second = Duration::from_secs(1);
        assert!(restarts("no", 0).after(1, 0, false, second).is_none());
        assert!(restarts("", 0).after(1, 0, false, second).is_none());
        assert!(restarts("on-failure", 0).after(0, 0, false, second).is_none());
        assert!(restarts("on-failure", 2).after(1, 1, false, second).is_some());
        assert!(restarts("on-failure", 2).after(1, 2, false, second).is_none());
        assert!(restarts("unless-stopped", 0).after(0, 0, true, second).is_none());
        assert!(restarts("always", 0).after(0, 0, true, second).is_some());
        let mut stopped = restarts("always", 0);
        stopped.cancel();
        assert!(stopped.after(0, 0, true, second).is_none());
    }
}
