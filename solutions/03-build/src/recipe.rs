//! Instructions that alter the recipe of an image and none of its files. All variables in them are expanded already.

use crate::error::{Error, Result};
use crate::instruction::{Command, Healthcheck, Instruction};
use layers::ImageConfig;
use layers::image::{self, Config, Empty};
use std::time::Duration;

/// What a shell form runs with.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// Where programs are looked for where nobody says so.
pub const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Alters a recipe. Returns how the history tells it, as BuildKit writes it; None for an instruction that changes files, or
/// that the history does not tell.
///
/// # Errors
/// A port, a signal or a volume that is none.
pub fn apply(image: &mut ImageConfig, cmd_set: &mut bool, instruction: &Instruction) -> Result<Option<String>> {
    let config = &mut image.config;
    let told = match instruction {
        Instruction::Cmd(command) => {
            let args = command_line(config, command);
            *cmd_set = true;
            let told = format!("CMD {}", quoted(&args));
            // An empty one takes away what was inherited.
            config.cmd = Some(args).filter(|args| !args.is_empty());
            // Docker writes it for every CMD, of whatever form.
            config.args_escaped = true;
            told
        }
        Instruction::Entrypoint(command) => {
            let args = command_line(config, command);
            // It forgets the CMD that was inherited, not one that was given along with it.
            if !*cmd_set {
                config.cmd = None;
            }
            let told = format!("ENTRYPOINT {}", quoted(&args));
            config.entrypoint = Some(args).filter(|args| !args.is_empty());
            told
        }
        Instruction::Env(pairs) => {
            for (name, value) in pairs {
                set_env(config.env.get_or_insert_default(), name, value);
            }
            format!("ENV{}", assignments(pairs))
        }
        Instruction::Label(pairs) => {
            config.labels.get_or_insert_default().extend(pairs.iter().cloned());
            format!("LABEL{}", assignments(pairs))
        }
        Instruction::Expose(list) => {
            let mut exposed = Vec::new();
            for port in list {
                exposed.extend(ports(port)?);
            }
            exposed.sort();
            let told = format!("EXPOSE [{}]", exposed.join(" "));
            config.exposed_ports.get_or_insert_default().extend(exposed.into_iter().map(|port| (port, Empty {})));
            told
        }
        Instruction::Healthcheck(check) => {
            let check = healthcheck(check);
            let told = format!("HEALTHCHECK {}", told_check(&check));
            config.healthcheck = Some(check);
            told
        }
        Instruction::Maintainer(name) => {
            image.author.clone_from(name);
            format!("MAINTAINER {name}")
        }
        Instruction::Onbuild(trigger) => {
            config.on_build.get_or_insert_default().push(trigger.clone());
            return Ok(None);
        }
        Instruction::Shell(shell) => {
            config.shell = Some(shell.clone());
            format!("SHELL [{}]", shell.join(" "))
        }
        Instruction::Stopsignal(signal) => {
            config.stop_signal = check_signal(signal)?;
            format!("STOPSIGNAL {signal}")
        }
        Instruction::User(user) => {
            config.user.clone_from(user);
            format!("USER {user}")
        }
        Instruction::Volume(paths) => {
            for path in paths {
                if path.is_empty() {
                    return Err(Error::Recipe("VOLUME specified can not be an empty string".to_owned()));
                }
                config.volumes.get_or_insert_default().insert(path.clone(), Empty {});
            }
            format!("VOLUME [{}]", paths.join(" "))
        }
        Instruction::Add(_)
        | Instruction::Arg(_)
        | Instruction::Copy(_)
        | Instruction::Run(_)
        | Instruction::Workdir(_) => return Ok(None),
    };
    Ok(Some(told))
}

/// The words that a command is executed with.
#[must_use]
pub fn command_line(config: &Config, command: &Command) -> Vec<String> {
    match command {
        Command::Exec(args) => args.clone(),
        Command::Shell(text) => {
            let shell = config.shell.clone().filter(|shell| !shell.is_empty());
            let mut args = shell.unwrap_or_else(|| SHELL.map(str::to_owned).to_vec());
            args.push(text.clone());
            args
        }
    }
}

/// Sets a variable, in the place it has.
pub fn set_env(env: &mut Vec<String>, name: &str, value: &str) {
    let entry = format!("{name}={value}");
    match env.iter_mut().find(|known| known.split('=').next() == Some(name)) {
        Some(known) => *known = entry,
        None => env.push(entry),
    }
}

/// What the working directory becomes.
#[must_use]
pub fn workdir(current: &str, path: &str) -> String {
    let from = if path.starts_with('/') { "" } else { current };
    let mut parts = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn healthcheck(check: &Healthcheck) -> image::Healthcheck {
    let list = |head: &str, tail: Vec<String>| Some([vec![head.to_owned()], tail].concat());
    let nanoseconds =
        |time: &Option<Duration>| time.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
    match check {
        Healthcheck::None => image::Healthcheck { test: list("NONE", vec![]), ..Default::default() },
        Healthcheck::Command { command, interval, timeout, start_period, start_interval, retries } => {
            image::Healthcheck {
                test: match command {
                    Command::Exec(args) => list("CMD", args.clone()),
                    Command::Shell(text) => list("CMD-SHELL", vec![text.clone()]),
                },
                interval: nanoseconds(interval),
                timeout: nanoseconds(timeout),
                start_period: nanoseconds(start_period),
                start_interval: nanoseconds(start_interval),
                retries: retries.map_or(0, i64::from),
            }
        }
    }
}

fn assignments(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!(" {name}={value}")).collect()
}

/// As Go's `%q` writes a list of strings.
fn quoted(args: &[String]) -> String {
    let quoted: Vec<String> = args.iter().map(|arg| go_quoted(arg)).collect();
    format!("[{}]", quoted.join(" "))
}

/// As Go's `%q` writes a string.
pub(crate) fn go_quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// As Go's `%+v` writes the structure.
fn told_check(check: &image::Healthcheck) -> String {
    format!(
        "{{Test:[{}] Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
        check.test.iter().flatten().cloned().collect::<Vec<_>>().join(" "),
        crate::duration::format(check.interval),
        crate::duration::format(check.timeout),
        crate::duration::format(check.start_period),
        crate::duration::format(check.start_interval),
        check.retries
    )
}

/// `80`, `80/udp`, `8000-8002/tcp`; a host's side (`8080:80`) is dropped, for an image cannot ask for it.
fn ports(spec: &str) -> Result<Vec<String>> {
    let bad = || Error::Recipe(format!("invalid containerPort: {spec}"));
    let (range, protocol) = spec.split_once('/').unwrap_or((spec, "tcp"));
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(Error::Recipe(format!("invalid proto: {protocol}")));
    }
    let range = range.rsplit(':').next().unwrap_or_default();
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| text.parse::<u16>().map_err(|_| bad());
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(bad());
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

/// `SIGTERM`, `term`, `15`, `RTMIN+3`: kept as it was written, once it is known to be a signal (signal(7)).
fn check_signal(text: &str) -> Result<String> {
    const NAMES: [&str; 33] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
        "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
        "PROF", "WINCH", "IO", "POLL", "PWR", "SYS",
    ];
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |prefix: &str, sign: char| {
        let offset = name.strip_prefix(prefix)?;
        let offset = if offset.is_empty() { Some("0") } else { offset.strip_prefix(sign) };
        offset?.parse::<u8>().ok().filter(|n| *n <= 15)
    };
    let number = text.parse::<u8>().is_ok_and(|n| (1..=64).contains(&n));
    if number || NAMES.contains(&name) || real_time("RTMIN", '+').is_some() || real_time("RTMAX", '-').is_some() {
        return Ok(text.to_owned());
    }
    Err(Error::Recipe(format!("invalid signal: {text}")))
}
