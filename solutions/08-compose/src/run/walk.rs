//! Through the services in their order, those that do not wait for each other at the same time.

use crate::error::{Error, Result};
use crate::order::Dependencies;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::cell::Cell;
use std::collections::BTreeSet;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Who is waited for comes first: a start.
    Up,
    /// Who waits comes first: a stop.
    Down,
}

/// Set once one service has failed: what still waits for something may stop waiting.
#[derive(Debug, Default)]
pub(super) struct Failed(Cell<bool>);

impl Failed {
    pub(super) fn is_set(&self) -> bool {
        self.0.get()
    }
}

/// Visits every service. Each one's visit begins as soon as all those are done that it has to come after. Once one has failed no
/// other begins, those that have begun are brought to their end, and the first error is the result.
pub(super) async fn walk(
    graph: &Dependencies,
    way: Way,
    failed: &Failed,
    visit: impl AsyncFn(&str) -> Result<()>,
) -> Result<()> {
    let mut waiting = graph.clone();
    if way == Way::Down {
        waiting.values_mut().for_each(BTreeSet::clear);
        for (name, on) in graph.iter().flat_map(|(name, on)| on.iter().map(move |on| (name, on))) {
            if let Some(others) = waiting.get_mut(on) {
                others.insert(name.clone());
            }
        }
    }
    for others in waiting.values_mut() {
        others.retain(|name| graph.contains_key(name));
    }
    let mut running = FuturesUnordered::new();
    let mut result = Ok(());
    loop {
        let ready: Vec<String> = match result {
            Ok(()) => waiting.iter().filter(|(_, on)| on.is_empty()).map(|(name, _)| name.clone()).collect(),
            Err(_) => Vec::new(),
        };
        for name in ready {
            waiting.remove(&name);
            let visit = &visit;
            running.push(async move {
                let outcome = visit(&name).await;
                (name, outcome)
            });
        }
        match running.next().await {
            Some((name, Ok(()))) => {
                for on in waiting.values_mut() {
                    on.remove(&name);
                }
            }
            Some((_, Err(error))) => {
                failed.0.set(true);
                result = result.and(Err(error));
            }
            None if result.is_ok() && !waiting.is_empty() => {
                let names: Vec<&str> = waiting.keys().map(String::as_str).collect();
                return Err(Error::Failed(format!("these services wait for each other: {}", names.join(", "))));
            }
            None => return result,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::time::Duration;

    fn graph(text: &str) -> Dependencies {
        let one = |line: &str| {
            let (name, on) = line.split_once(':').unwrap();
            (name.trim().to_owned(), on.split_whitespace().map(str::to_owned).collect())
        };
        text.split(',').map(one).collect()
    }

    /// What was begun and ended, each visit taking as many milliseconds as `took` says.
    async fn log(graph: &Dependencies, way: Way, took: impl Fn(&str) -> u64, fails: &str) -> (Vec<String>, Result<()>) {
        let log = RefCell::new(Vec::new());
        let failed = Failed::default();
        let result = walk(graph, way, &failed, async |name: &str| {
            log.borrow_mut().push(format!("+{name}"));
            tokio::time::sleep(Duration::from_millis(took(name))).await;
            log.borrow_mut().push(format!("-{name}"));
            if name == fails { Err(Error::Failed(name.to_owned())) } else { Ok(()) }
        });
        let result = result.await;
        (log.take(), result)
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_whom_they_need_not() {
        // `slow` has nothing to do with `web`, which needs `db` only.
        let graph = graph("web: db, db:, slow:, last: slow web");
        let took = |name: &str| if name == "slow" { 100 } else { 10 };
        let (up, result) = log(&graph, Way::Up, took, "").await;
        result.unwrap();
        assert_eq!(up, ["+db", "+slow", "-db", "+web", "-web", "-slow", "+last", "-last"]);
        let (down, result) = log(&graph, Way::Down, took, "").await;
        result.unwrap();
        assert_eq!(down, ["+last", "-last", "+slow", "+web", "-web", "+db", "-db", "-slow"]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_nothing_begins_and_what_has_begun_ends() {
        let (log, result) = log(
            &graph("web: db, db:, slow:, after: slow"),
            Way::Up,
            |name| if name == "slow" { 100 } else { 10 },
            "db",
        )
        .await;
        assert_eq!(result.unwrap_err().to_string(), "db");
        assert_eq!(log, ["+db", "+slow", "-db", "-slow"]);
    }

    #[tokio::test]
    async fn who_is_not_there_is_not_waited_for_and_a_circle_is_told() {
        let (log, result) = log(&graph("web: elsewhere"), Way::Up, |_| 0, "").await;
        result.unwrap();
        assert_eq!(log, ["+web", "-web"]);
        let circle = walk(&graph("a: b, b: a"), Way::Up, &Failed::default(), async |_: &str| Ok(())).await;
        assert_eq!(circle.unwrap_err().to_string(), "these services wait for each other: a, b");
    }
}
