//! A test that cannot run here says so loudly, and enters the list that CI holds against a pinned one
//! (`KESAKO_SKIPPED`). Shared by all suites, by `#[path]`.

/// Says that `test` did not run, and why.
pub(crate) fn not_run(test: &str, why: &str) {
    use std::io::Write;
    eprintln!("NOT RUN {test}: {why}");
    if let Some(list) = std::env::var_os("KESAKO_SKIPPED") {
        let entered = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&list)
            .and_then(|mut list| writeln!(list, "{test}"));
        assert!(entered.is_ok(), "{list:?} cannot be written: {entered:?}");
    }
}
