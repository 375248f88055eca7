//! `--mount`: a mount in `key=value` pairs, as the command line reads it. What the pairs say is checked by the engine
//! ([`MountRequest::point`]); here it is only checked that they can be told to it.

use crate::request::MountRequest;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Reads a `--mount`. `here` is the folder that a source begins at that starts with a dot; `bytes` reads a size (`64m`).
///
/// # Errors
/// [`Error::Flag`], in the words of the docker command.
pub fn parse(text: &str, here: &Path, bytes: impl Fn(&str) -> Option<i64>) -> Result<MountRequest> {
    let mut mount = MountRequest { r#type: "volume".to_owned(), ..MountRequest::default() };
    for field in fields(text)? {
        add(&mut mount, &field, here, &bytes)?;
    }
    check(&mount)?;
    Ok(mount)
}

fn flag<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::Flag(text.into()))
}

/// The fields of one line of comma-separated values (RFC 4180): quotes keep a comma within a field together.
fn fields(text: &str) -> Result<Vec<String>> {
    if text.is_empty() {
        return flag("EOF");
    }
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(text, quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                if let Some(quote) = rest[..end].find('"') {
                    return malformed(text, &rest[quote..], "bare \" in non-quoted-field");
                }
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

/// As Go's encoding/csv words it: the column is that of what `at` begins with.
fn malformed<T>(text: &str, at: &str, why: &str) -> Result<T> {
    flag(format!("parse error on line 1, column {}: {why}", text.len() - at.len() + 1))
}

/// A field of `text` after its opening quote, and what follows its closing one; two quotes within it are one.
fn quoted_field<'a>(text: &str, quoted: &'a str) -> Result<(String, &'a str)> {
    const WRONG: &str = "extraneous or missing \" in quoted-field";
    let mut field = String::new();
    let mut rest = quoted;
    while let Some((before, after)) = rest.split_once('"') {
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None if after.is_empty() || after.starts_with(',') => return Ok((field, after)),
            None => return malformed(text, &rest[before.len()..], WRONG),
        }
    }
    malformed(text, "", WRONG)
}

/// The switches, which may stand without a value.
const SWITCHES: [&str; 4] = ["readonly", "ro", "volume-nocopy", "bind-create-src"];

fn add(mount: &mut MountRequest, field: &str, here: &Path, bytes: impl Fn(&str) -> Option<i64>) -> Result<()> {
    let (key, value) = field.split_once('=').map_or((field, None), |(key, value)| (key, Some(value)));
    let key = key.to_lowercase();
    if value.is_none() && key == "bind-nonrecursive" {
        return deprecated();
    }
    if value.is_none() && !SWITCHES.contains(&key.as_str()) {
        return flag(format!("invalid field '{field}' must be a key=value pair"));
    }
    let text = value.unwrap_or_default();
    let invalid = || flag(format!("invalid value for {key}: {text}"));
    match key.as_str() {
        "type" => mount.r#type = text.to_lowercase(),
        "source" | "src" => mount.source = source(text, here),
        "target" | "dst" | "destination" => text.clone_into(&mut mount.target),
        "readonly" | "ro" => mount.read_only = switch(&key, value)?,
        "consistency" => mount.consistency = text.to_lowercase(),
        "bind-propagation" => mount.bind_options_mut().propagation = text.to_lowercase(),
        "bind-nonrecursive" => return deprecated(),
        "bind-recursive" => recursive(mount, text)?,
        "bind-create-src" => mount.bind_options_mut().create_mountpoint = switch(&key, value)?,
        "volume-subpath" => text.clone_into(&mut mount.volume_options_mut().subpath),
        "volume-nocopy" => mount.volume_options_mut().no_copy = switch(&key, value)?,
        "volume-label" => set(&mut mount.volume_options_mut().labels, text),
        "volume-driver" => text.clone_into(&mut mount.driver_mut().name),
        "volume-opt" => set(&mut mount.driver_mut().options, text),
        "tmpfs-size" => match bytes(text) {
            Some(size) => mount.tmpfs_options_mut().size_bytes = size,
            None => return invalid(),
        },
        "tmpfs-mode" => match u32::from_str_radix(text, 8) {
            Ok(mode) => mount.tmpfs_options_mut().mode = mode,
            Err(_) => return invalid(),
        },
        _ => return flag(format!("unexpected key '{key}' in '{field}'")),
    }
    Ok(())
}

fn deprecated() -> Result<()> {
    flag("bind-nonrecursive is deprecated, use bind-recursive=disabled instead")
}

fn source(text: &str, here: &Path) -> String {
    match text.starts_with('.') {
        true => crate::clean(&here.join(text).to_string_lossy()),
        false => text.to_owned(),
    }
}

fn switch(key: &str, value: Option<&str>) -> Result<bool> {
    match value {
        None | Some("1" | "true") => Ok(true),
        Some("0" | "false") => Ok(false),
        Some(other) => flag(format!("invalid value for {key}: {other}")),
    }
}

/// How a bind mount treats what is mounted beneath its source.
fn recursive(mount: &mut MountRequest, value: &str) -> Result<()> {
    match value {
        // Taken along, and as read-only as the mount itself.
        "enabled" => {}
        "disabled" => mount.bind_options_mut().non_recursive = true,
        "writable" => mount.bind_options_mut().read_only_non_recursive = true,
        "readonly" => mount.bind_options_mut().read_only_force_recursive = true,
        _ => {
            return flag(format!(
                "invalid value for bind-recursive: {value} (must be \"enabled\", \"disabled\", \"writable\", or \
                 \"readonly\")"
            ));
        }
    }
    Ok(())
}

/// `key=value` into a map; without a key nothing is said.
fn set(map: &mut Option<BTreeMap<String, String>>, text: &str) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    if !key.is_empty() {
        map.get_or_insert_default().insert(key.to_owned(), value.to_owned());
    }
}

/// What can be seen to be wrong without asking the engine.
fn check(mount: &MountRequest) -> Result<()> {
    if mount.r#type.is_empty() {
        return flag("type is required");
    }
    if mount.target.is_empty() {
        return flag("target is required");
    }
    let strangers = [
        ("bind", mount.bind_options.is_some()),
        ("volume", mount.volume_options.is_some()),
        ("tmpfs", mount.tmpfs_options.is_some()),
    ];
    for (kind, given) in strangers {
        if given && mount.r#type != kind {
            return flag(format!("cannot mix '{kind}-*' options with mount type '{}'", mount.r#type));
        }
    }
    let Some(bind) = &mount.bind_options else { return Ok(()) };
    let needs = |option: &str, what: &str| {
        flag(format!("option 'bind-recursive={option}' requires '{what}' to be specified in conjunction"))
    };
    match mount.read_only {
        false if bind.read_only_non_recursive => needs("writable", "readonly"),
        false if bind.read_only_force_recursive => needs("readonly", "readonly"),
        _ if bind.read_only_force_recursive && bind.propagation != "rprivate" => {
            needs("readonly", "bind-propagation=rprivate")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<MountRequest> {
        let bytes = |text: &str| text.strip_suffix('m')?.parse::<i64>().ok().map(|mega| mega << 20);
        parse(text, Path::new("/home/ana"), bytes)
    }

    #[test]
    fn every_key_is_understood() {
        let json = |text| serde_json::to_string(&read(text).unwrap()).unwrap();
        let said = [
            "type=bind,src=./a,dst=/x,bind-propagation=RSLAVE,bind-recursive=disabled,bind-create-src,ro,consistency=cached",
            "type=bind,source=/a,destination=/x,readonly=1,bind-recursive=readonly,bind-propagation=rprivate",
            "type=bind,source=/a,target=/x,readonly,bind-recursive=writable",
            "source=v,target=/x,volume-nocopy,volume-label=a=b,volume-label=c,volume-subpath=d/e,volume-driver=local,volume-opt=type=none,volume-opt=o=bind",
            "type=tmpfs,target=/x,tmpfs-size=1m,tmpfs-mode=1777,readonly=false",
            "type=bind,\"source=/a,\"\"b\",target=/x",
        ];
        insta::assert_snapshot!(said.map(json).join("\n"), @r#"
        {"Type":"bind","Source":"/home/ana/a","Target":"/x","ReadOnly":true,"Consistency":"cached","BindOptions":{"Propagation":"rslave","NonRecursive":true,"CreateMountpoint":true}}
        {"Type":"bind","Source":"/a","Target":"/x","ReadOnly":true,"BindOptions":{"Propagation":"rprivate","ReadOnlyForceRecursive":true}}
        {"Type":"bind","Source":"/a","Target":"/x","ReadOnly":true,"BindOptions":{"ReadOnlyNonRecursive":true}}
        {"Type":"volume","Source":"v","Target":"/x","VolumeOptions":{"NoCopy":true,"Labels":{"a":"b","c":""},"Subpath":"d/e","DriverConfig":{"Name":"local","Options":{"o":"bind","type":"none"}}}}
        {"Type":"tmpfs","Target":"/x","TmpfsOptions":{"SizeBytes":1048576,"Mode":1023}}
        {"Type":"bind","Source":"/a,\"b","Target":"/x"}
        "#);
    }

    #[test]
    fn what_is_no_mount_is_told_in_the_words_of_the_docker_command() {
        let refusal = |text: &str| format!("{text}: {}", read(text).unwrap_err());
        let wrong = [
            "",
            "foo",
            "type=bind,foo=bar,target=/x",
            "type=bind, source=/tmp,target=/x",
            "source=v",
            "type=,target=/x",
            "target=/x,ro=maybe",
            "type=bind,source=/a,target=/x,volume-nocopy",
            "type=volume,target=/x,tmpfs-size=1m",
            "type=tmpfs,target=/x,bind-create-src",
            "type=tmpfs,target=/x,tmpfs-size=much",
            "type=tmpfs,target=/x,tmpfs-mode=9",
            "type=bind,source=/a,target=/x,bind-recursive=foo",
            "type=bind,source=/a,target=/x,bind-recursive=writable",
            "type=bind,source=/a,target=/x,bind-recursive=readonly",
            "type=bind,source=/a,target=/x,ro,bind-recursive=readonly",
            "type=bind,source=/a,target=/x,bind-nonrecursive",
            "x=1,y\"z",
            "\"a",
            "\"a\"\"b\"c",
        ];
        insta::assert_snapshot!(wrong.map(refusal).join("\n"), @r#"
        : EOF
        foo: invalid field 'foo' must be a key=value pair
        type=bind,foo=bar,target=/x: unexpected key 'foo' in 'foo=bar'
        type=bind, source=/tmp,target=/x: unexpected key ' source' in ' source=/tmp'
        source=v: target is required
        type=,target=/x: type is required
        target=/x,ro=maybe: invalid value for ro: maybe
        type=bind,source=/a,target=/x,volume-nocopy: cannot mix 'volume-*' options with mount type 'bind'
        type=volume,target=/x,tmpfs-size=1m: cannot mix 'tmpfs-*' options with mount type 'volume'
        type=tmpfs,target=/x,bind-create-src: cannot mix 'bind-*' options with mount type 'tmpfs'
        type=tmpfs,target=/x,tmpfs-size=much: invalid value for tmpfs-size: much
        type=tmpfs,target=/x,tmpfs-mode=9: invalid value for tmpfs-mode: 9
        type=bind,source=/a,target=/x,bind-recursive=foo: invalid value for bind-recursive: foo (must be "enabled", "disabled", "writable", or "readonly")
        type=bind,source=/a,target=/x,bind-recursive=writable: option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction
        type=bind,source=/a,target=/x,bind-recursive=readonly: option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction
        type=bind,source=/a,target=/x,ro,bind-recursive=readonly: option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction
        type=bind,source=/a,target=/x,bind-nonrecursive: bind-nonrecursive is deprecated, use bind-recursive=disabled instead
        x=1,y"z: parse error on line 1, column 6: bare " in non-quoted-field
        "a: parse error on line 1, column 3: extraneous or missing " in quoted-field
        "a""b"c: parse error on line 1, column 6: extraneous or missing " in quoted-field
        "#);
    }
}
