//! `--ulimit nofile=1024:2048`.

use engine::api::Ulimit;

const NAMES: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// A limit: soft, and hard (the same where it is not given). -1 is no limit.
pub fn parse(text: &str) -> Result<Ulimit, String> {
    let (name, values) = text.split_once('=').ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
    if !NAMES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let parts: Vec<_> = values.split(':').collect();
    let (soft, hard) = match *parts.as_slice() {
        [soft] => (crate::arguments::integer(soft)?, None),
        [soft, hard] => (crate::arguments::integer(soft)?, Some(crate::arguments::integer(hard)?)),
        _ => {
            return Err(format!("too many limit value arguments - {values}, can only have up to two, `soft[:hard]`"));
        }
    };
    let hard = hard.unwrap_or(soft);
    if hard != -1 && soft == -1 {
        return Err(format!(
            "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {hard}"
        ));
    }
    if hard != -1 && soft > hard {
        return Err(format!("ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"));
    }
    Ok(Ulimit { name: name.to_owned(), hard, soft })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let limit = |soft, hard| Ulimit { name: "nofile".into(), soft, hard };
        assert_eq!(parse("nofile=512:1024"), Ok(limit(512, 1024)));
        assert_eq!(parse("nofile=512"), Ok(limit(512, 512)));
        assert_eq!(parse("nofile=512:-1"), Ok(limit(512, -1)));
        assert_eq!(parse("foo"), Err("invalid ulimit argument: foo".into()));
        assert_eq!(parse("foo=1"), Err("invalid ulimit type: foo".into()));
        assert!(parse("nofile=2:1").is_err() && parse("nofile=1:2:3").is_err() && parse("nofile=x").is_err());
    }
}
