//! Subordinate IDs: the users an ordinary user may be (subuid(5), newuidmap(1)).

use std::path::Path;

use crate::{Error, Result};

/// IDs of the host: the first, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    first: u32,
    count: u32,
}

/// The user's subordinate uids and gids. None if he has none, or newuidmap is not installed to make use of them.
pub(super) fn ranges(uid: u32) -> Result<Option<(Vec<Range>, Vec<Range>)>> {
    if !["newuidmap", "newgidmap"].iter().all(|program| installed(program)) {
        return Ok(None);
    }
    let name = user_name(uid);
    let read = |path: &str| match std::fs::read_to_string(path) {
        Ok(text) => Ok(parse(&text, uid, name.as_deref())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::System { step: format!("read {path}"), source }),
    };
    let (uids, gids) = (read("/etc/subuid")?, read("/etc/subgid")?);
    Ok((!uids.is_empty() && !gids.is_empty()).then_some((uids, gids)))
}

/// Lines of `user:first:count`, where the user is a name or a number.
fn parse(text: &str, uid: u32, name: Option<&str>) -> Vec<Range> {
    let line = |line: &str| {
        let mut fields = line.trim().split(':');
        let user = fields.next()?;
        let range = Range { first: fields.next()?.parse().ok()?, count: fields.next()?.parse().ok()? };
        let ours = Some(user) == name || user.parse() == Ok(uid);
        (ours && range.count > 0).then_some(range)
    };
    text.lines().filter_map(line).collect()
}

/// `0 own 1  1 first count …`: oneself is root, the subordinate IDs follow from 1 on.
pub(super) fn map_arguments(own: u32, ranges: &[Range]) -> Vec<String> {
    let mut arguments = vec![0, own, 1];
    let mut next = 1;
    for range in ranges {
        arguments.extend([next, range.first, range.count]);
        next = next.saturating_add(range.count);
    }
    arguments.iter().map(u32::to_string).collect()
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// From the host's /etc/passwd; users that come from elsewhere (LDAP) are found in /etc/subuid by number.
fn user_name(uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string(Path::new("/etc/passwd")).ok()?;
    let line = passwd.lines().find(|line| line.split(':').nth(2).is_some_and(|id| id.parse() == Ok(uid)))?;
    line.split(':').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_by_name_and_by_number() {
        let text = "root:1:2\nlearner:100000:65536\n1001:300000:10\n# no\nlearner:x:y\nlearner:5:0\n";
        let ranges = parse(text, 1001, Some("learner"));
        assert_eq!(ranges, [Range { first: 100_000, count: 65_536 }, Range { first: 300_000, count: 10 }]);
        assert_eq!(map_arguments(1001, &ranges).join(" "), "0 1001 1 1 100000 65536 65537 300000 10");
        assert_eq!(parse(text, 7, None), []);
    }
}
