//! `RUN --mount=type=cache,target=/root/.cache`.

use super::csv;
use super::suggest::suggested;
use crate::expand;
use crate::instruction::{Mount, MountKind, Sharing};

const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

/// Reads what follows the `=`. Where it has variables, only its `from` is known as yet, and the rest after [`expanded`].
pub(super) fn read(written: &str) -> Result<Mount, String> {
    let mut from = None;
    for field in fields(written)? {
        if let Some((key, value)) = field.split_once('=').filter(|(key, _)| key.eq_ignore_ascii_case("from")) {
            // The graph of the stages has to be known before any variable is.
            if value.find('$').is_some_and(|at| at + 1 < value.len()) {
                let key = key.to_lowercase();
                return Err(format!("'{key}' doesn't support variable expansion, define alias stage instead"));
            }
            from = Some(value.to_owned());
        }
    }
    if written.contains('$') {
        return Ok(Mount { written: written.to_owned(), from, ..Mount::default() });
    }
    expanded(written, &mut |value| {
        expand::word(value, &|_| None, '\\').map(|expanded| expanded.text).map_err(|error| error.to_string())
    })
}

/// Reads it once its variables are known: `expand` replaces them in a value.
pub(crate) fn expanded(written: &str, expand: &mut dyn FnMut(&str) -> Result<String, String>) -> Result<Mount, String> {
    let mut mount = Mount { written: written.to_owned(), ..Mount::default() };
    let mut sharing = None;
    for field in fields(written)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(expand(value)?)),
            None => (field.to_lowercase(), None),
        };
        set(&mut mount, &mut sharing, &key, value.as_deref(), &field)?;
    }
    check(&mount, sharing)?;
    mount.sharing = sharing.unwrap_or_default();
    Ok(mount)
}

fn set(
    mount: &mut Mount,
    sharing: &mut Option<Sharing>,
    key: &str,
    value: Option<&str>,
    field: &str,
) -> Result<(), String> {
    let Some(value) = value else {
        match key {
            "readonly" | "ro" => mount.readonly = Some(true),
            "readwrite" | "rw" => mount.readonly = Some(false),
            "required" => {
                secret_or_ssh(mount)?;
                mount.required = true;
            }
            _ => return Err(format!("invalid field '{field}' must be a key=value pair")),
        }
        return Ok(());
    };
    let text = || Some(value.to_owned()).filter(|value| !value.is_empty());
    match key {
        "type" => mount.kind = kind(value)?,
        "from" => mount.from = text(),
        "source" | "src" => mount.source = text(),
        "target" | "dst" | "destination" => mount.target = text(),
        "readonly" | "ro" => mount.readonly = Some(boolean(key, value)?),
        "readwrite" | "rw" => mount.readonly = Some(!boolean(key, value)?),
        "required" => {
            secret_or_ssh(mount)?;
            mount.required = boolean(key, value)?;
        }
        "size" if mount.kind == MountKind::Tmpfs => {
            mount.size = Some(size(value).ok_or_else(|| format!("invalid value for {key}: {value}"))?);
        }
        "size" => return Err(unexpected(key, mount)),
        "id" => mount.id = text(),
        "sharing" => *sharing = Some(shared(value)?),
        "mode" => mount.mode = Some(number(key, value, 8)?),
        "uid" => mount.uid = Some(number(key, value, 10)?),
        "gid" => mount.gid = Some(number(key, value, 10)?),
        "env" => mount.env = Some(value.to_owned()),
        _ => return Err(suggested(format!("unexpected key '{key}' in '{field}'"), key, KEYS)),
    }
    Ok(())
}

fn fields(written: &str) -> Result<Vec<String>, String> {
    csv::fields(written).map_err(|why| format!("failed to parse csv mounts: {why}"))
}

/// What does not go together.
fn check(mount: &Mount, sharing: Option<Sharing>) -> Result<(), String> {
    let name = name(mount.kind);
    if matches!(mount.kind, MountKind::Bind | MountKind::Tmpfs) {
        for (key, given) in [("mode", mount.mode), ("uid", mount.uid), ("gid", mount.gid)] {
            if given.is_some() {
                return Err(format!("{key} not allowed for {name:?} type mounts"));
            }
        }
    }
    if mount.kind == MountKind::Secret {
        let wrong = match mount {
            Mount { from: Some(_), .. } => "secret mount should not have a from",
            _ if sharing.is_some() => "secret mount should not define sharing",
            Mount { source: None, target: None, id: None, .. } => {
                "invalid secret mount. one of source, target required"
            }
            Mount { source: Some(_), id: Some(_), .. } => "both source and id can't be set",
            _ => return Ok(()),
        };
        return Err(wrong.to_owned());
    }
    if sharing.is_some() && mount.kind != MountKind::Cache {
        return Err(format!("invalid cache sharing set for {name} mount"));
    }
    Ok(())
}

const KINDS: [(&str, MountKind); 5] = [
    ("bind", MountKind::Bind),
    ("cache", MountKind::Cache),
    ("tmpfs", MountKind::Tmpfs),
    ("secret", MountKind::Secret),
    ("ssh", MountKind::Ssh),
];

fn kind(value: &str) -> Result<MountKind, String> {
    let found = KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
    let unsupported = || suggested(format!("unsupported mount type {value:?}"), value, KINDS.map(|(name, _)| name));
    found.map(|(_, kind)| *kind).ok_or_else(unsupported)
}

fn name(kind: MountKind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| name)
}

fn shared(value: &str) -> Result<Sharing, String> {
    match value.to_lowercase().as_str() {
        "shared" => Ok(Sharing::Shared),
        "private" => Ok(Sharing::Private),
        "locked" => Ok(Sharing::Locked),
        _ => Err(suggested(format!("unsupported sharing value {value:?}"), value, ["shared", "private", "locked"])),
    }
}

fn secret_or_ssh(mount: &Mount) -> Result<(), String> {
    match mount.kind {
        MountKind::Secret | MountKind::Ssh => Ok(()),
        _ => Err(unexpected("required", mount)),
    }
}

/// The type has to come before what only some have.
fn unexpected(key: &str, mount: &Mount) -> String {
    format!("unexpected key '{key}' for mount type '{}'", name(mount.kind))
}

/// As Go's strconv reads it.
fn boolean(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("invalid value for {key}: {value}")),
    }
}

fn number(key: &str, value: &str, radix: u32) -> Result<u32, String> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    u32::from_str_radix(value, radix).ok().filter(|_| digits).ok_or_else(|| format!("invalid value {value} for {key}"))
}

/// `64m`, `1.5g`, `100`: by powers of 1024, with or without `b` or `ib` after.
fn size(value: &str) -> Option<u64> {
    let lower = value.to_ascii_lowercase();
    let end = lower.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(lower.len());
    let (number, unit) = (lower[..end].strip_suffix(' ').unwrap_or(&lower[..end]), &lower[end..]);
    let unit = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(unit);
    let power = match unit {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let number: f64 = number.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
    Some((number * 1024_f64.powi(power)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_keys() {
        let mount =
            read("type=cache,id=a,dst=/x,sharing=private,mode=0750,uid=1,gid=2,ro=false,from=s,src=/y").unwrap();
        assert_eq!((mount.kind, mount.sharing, mount.mode), (MountKind::Cache, Sharing::Private, Some(0o750)));
        assert_eq!((mount.uid, mount.gid, mount.readonly), (Some(1), Some(2), Some(false)));
        assert_eq!(
            (mount.from.as_deref(), mount.source.as_deref(), mount.target.as_deref()),
            (Some("s"), Some("/y"), Some("/x"))
        );
        let mount = read("TYPE=Secret,id=a,env=TOKEN,required=1,target=").unwrap();
        assert_eq!(
            (mount.kind, mount.env.as_deref(), mount.required, mount.target),
            (MountKind::Secret, Some("TOKEN"), true, None)
        );
        assert_eq!(read("target=/x,rw").unwrap().readonly, Some(false));
        assert_eq!(read("target=/x,readwrite=false").unwrap().readonly, Some(true));
        assert_eq!(
            read("\"source=a,b\",target=\"/x").map(|mount| mount.source),
            Err(r#"failed to parse csv mounts: parse error on line 1, column 21: bare " in non-quoted field"#
                .to_owned())
        );
        assert_eq!(read("\"source=a,b\",target=/x").unwrap().source.as_deref(), Some("a,b"));
        for (size, bytes) in [("10", 10), ("64k", 64 << 10), ("1.5g", 3 << 29), ("2MiB", 2 << 20), ("1tb", 1 << 40)] {
            assert_eq!(read(&format!("type=tmpfs,target=/x,size={size}")).unwrap().size, Some(bytes), "{size}");
        }
    }

    #[test]
    fn with_variables_only_where_it_is_from_is_known() {
        let mount = read("type=$T,from=stage,target=$X").unwrap();
        assert_eq!((mount.kind, mount.from.as_deref(), mount.target), (MountKind::Bind, Some("stage"), None));
        let known =
            expanded(&mount.written, &mut |value| Ok(value.replace("$T", "cache").replace("$X", "/x"))).unwrap();
        assert_eq!((known.kind, known.target.as_deref()), (MountKind::Cache, Some("/x")));
    }

    #[test]
    fn refusals_are_dockers() {
        let refused = [
            "",
            "x",
            "type=bin,target=/x",
            "traget=/x",
            "from=$x",
            "readonly=maybe",
            "required",
            "required=1,type=secret,id=a",
            "size=1",
            "type=tmpfs,size=1x",
            "type=tmpfs,size=-1",
            "type=cache,sharing=lockd",
            "sharing=shared",
            "mode=0755",
            "type=tmpfs,uid=0",
            "type=cache,mode=8",
            "type=cache,gid=-1",
            "type=cache,uid=5000000000",
            "type=secret",
            "type=secret,id=a,source=b",
            "type=secret,id=a,from=b",
            "type=secret,id=a,sharing=locked",
            "target=\"a",
            "\"target=a\"b",
            "\"target=a",
        ];
        let say = |written: &&str| format!("{written}\n=> {}", read(written).unwrap_err());
        insta::assert_snapshot!(refused.iter().map(say).collect::<Vec<_>>().join("\n"));
    }
}
