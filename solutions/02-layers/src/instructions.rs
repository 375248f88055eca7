//! `--change` of commit and import: Dockerfile instructions, those that alter the recipe only.

use crate::error::{Error, Result};
use crate::image::{Config, Empty, Healthcheck};
use crate::words::{expand, split};

/// What `CMD echo hi`, the shell form, runs with.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];
const MILLISECOND: i64 = 1_000_000;

/// Applies instructions to a recipe, in order: `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`, `HEALTHCHECK`, `LABEL`, `ONBUILD`,
/// `STOPSIGNAL`, `USER`, `VOLUME`, `WORKDIR`. Variables in their arguments (`ENV PATH=$PATH:/x`) come from the recipe.
///
/// # Errors
/// [`Error::Instruction`], in Docker's words; the recipe may then be half changed.
pub fn apply(config: &mut Config, changes: &[String]) -> Result<()> {
    let text = changes.join("\n").replace("\\\n", "");
    let mut change = Change { config, cmd_set: false };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        change.instruction(line)?;
    }
    Ok(())
}

struct Change<'a> {
    config: &'a mut Config,
    /// A new ENTRYPOINT forgets the CMD it inherits, not one that was given along with it.
    cmd_set: bool,
}

impl Change<'_> {
    fn instruction(&mut self, line: &str) -> Result<()> {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (name, rest) = (name.to_uppercase(), rest.trim());
        match name.as_str() {
            "CMD" | "ENTRYPOINT" | "ENV" | "EXPOSE" | "HEALTHCHECK" | "LABEL" | "ONBUILD" | "STOPSIGNAL" | "USER"
            | "VOLUME" | "WORKDIR" => {}
            _ => return refuse(format!("{} is not a valid change command", name.to_lowercase())),
        }
        if rest.is_empty() && !matches!(name.as_str(), "CMD" | "ENTRYPOINT") {
            let count = if matches!(name.as_str(), "USER" | "WORKDIR" | "STOPSIGNAL") { "exactly" } else { "at least" };
            return refuse(format!("{name} requires {count} one argument"));
        }
        match name.as_str() {
            "CMD" => {
                self.config.cmd = self.command(rest);
                self.cmd_set = true;
            }
            "ENTRYPOINT" => {
                self.config.entrypoint = self.command(rest);
                if !self.cmd_set {
                    self.config.cmd = None;
                }
            }
            "ENV" => self.env(rest)?,
            "EXPOSE" => self.expose(rest)?,
            "HEALTHCHECK" => self.healthcheck(rest)?,
            "LABEL" => self.label(rest)?,
            "ONBUILD" => self.onbuild(rest)?,
            "STOPSIGNAL" => self.config.stop_signal = signal(&self.one("STOPSIGNAL", rest)?)?,
            "USER" => self.config.user = self.one("USER", rest)?,
            "VOLUME" => self.volume(rest)?,
            _ => self.workdir(rest)?,
        }
        Ok(())
    }

    /// The exec form is a JSON list of strings; whatever is not is the shell form. An empty one is None.
    fn command(&self, rest: &str) -> Option<Vec<String>> {
        if let Some(exec) = json_list(rest) {
            return Some(exec).filter(|e| !e.is_empty());
        }
        let shell = match &self.config.shell {
            Some(shell) => shell.clone(),
            None => SHELL.map(str::to_owned).to_vec(),
        };
        (!rest.is_empty()).then(|| [shell, vec![rest.to_owned()]].concat())
    }

    fn expand(&self, word: &str) -> Result<String> {
        expand(word, self.config.env.as_deref().unwrap_or_default())
    }

    /// The values of one line are expanded with what was known before it.
    fn pairs(&self, name: &str, rest: &str) -> Result<Vec<(String, String)>> {
        let words = split(rest, '\\');
        let first = words.first().map(String::as_str).unwrap_or_default();
        if !first.contains('=') {
            // The old form: one name, and the rest of the line is the value.
            let Some((key, value)) = rest.split_once(char::is_whitespace) else {
                return refuse(format!("{name} must have two arguments"));
            };
            return Ok(vec![(self.expand(key)?, self.expand(value.trim_start())?)]);
        }
        words.iter().map(|word| self.pair(name, word)).collect()
    }

    fn pair(&self, name: &str, word: &str) -> Result<(String, String)> {
        let Some((key, value)) = word.split_once('=') else {
            return refuse(format!("Syntax error - can't find = in {word:?}. Must be of the form: name=value"));
        };
        match self.expand(key)? {
            key if key.is_empty() => refuse(format!("{name} names can not be blank")),
            key => Ok((key, self.expand(value)?)),
        }
    }

    fn env(&mut self, rest: &str) -> Result<()> {
        for (key, value) in self.pairs("ENV", rest)? {
            let env = self.config.env.get_or_insert_default();
            let entry = format!("{key}={value}");
            match env.iter_mut().find(|e| e.split('=').next() == Some(&key)) {
                Some(old) => *old = entry,
                None => env.push(entry),
            }
        }
        Ok(())
    }

    fn label(&mut self, rest: &str) -> Result<()> {
        let pairs = self.pairs("LABEL", rest)?;
        self.config.labels.get_or_insert_default().extend(pairs);
        Ok(())
    }

    fn expose(&mut self, rest: &str) -> Result<()> {
        for word in split(rest, '\\') {
            let ports = ports(&self.expand(&word)?)?;
            self.config.exposed_ports.get_or_insert_default().extend(ports.into_iter().map(|p| (p, Empty {})));
        }
        Ok(())
    }

    fn volume(&mut self, rest: &str) -> Result<()> {
        for word in json_list(rest).unwrap_or_else(|| split(rest, '\\')) {
            let path = self.expand(&word)?;
            if path.trim().is_empty() {
                return refuse("VOLUME specified can not be an empty string");
            }
            self.config.volumes.get_or_insert_default().insert(path, Empty {});
        }
        Ok(())
    }

    fn workdir(&mut self, rest: &str) -> Result<()> {
        let path = self.expand(rest)?;
        let from = if path.starts_with('/') { "" } else { self.config.working_dir.as_str() };
        let mut parts = Vec::new();
        for part in from.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        self.config.working_dir = format!("/{}", parts.join("/"));
        Ok(())
    }

    fn one(&self, name: &str, rest: &str) -> Result<String> {
        match split(rest, '\\').as_slice() {
            [word] => self.expand(word),
            _ => refuse(format!("{name} requires exactly one argument")),
        }
    }

    fn onbuild(&mut self, rest: &str) -> Result<()> {
        let trigger = rest.split(char::is_whitespace).next().unwrap_or_default().to_uppercase();
        match trigger.as_str() {
            "ONBUILD" => refuse("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
            "MAINTAINER" | "FROM" => refuse(format!("{trigger} isn't allowed as an ONBUILD trigger")),
            _ => {
                self.config.on_build.get_or_insert_default().push(rest.to_owned());
                Ok(())
            }
        }
    }

    fn healthcheck(&mut self, rest: &str) -> Result<()> {
        let mut check = Healthcheck::default();
        let mut rest = rest;
        while rest.starts_with("--") {
            let (flag, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            health_flag(&mut check, flag)?;
            rest = after.trim_start();
        }
        let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let command = command.trim();
        let list = |head: &str, tail: Vec<String>| Some([vec![head.to_owned()], tail].concat());
        check.test = match kind.to_uppercase().as_str() {
            "NONE" if command.is_empty() => list("NONE", vec![]),
            "NONE" => return refuse("HEALTHCHECK NONE takes no arguments"),
            "CMD" => match json_list(command) {
                Some(exec) if !exec.is_empty() => list("CMD", exec),
                None if !command.is_empty() => list("CMD-SHELL", vec![command.to_owned()]),
                _ => return refuse("Missing command after HEALTHCHECK CMD"),
            },
            other => return refuse(format!("Unknown type {other:?} in HEALTHCHECK (try CMD)")),
        };
        self.config.healthcheck = Some(check);
        Ok(())
    }
}

fn refuse<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::Instruction(text.into()))
}

fn json_list(text: &str) -> Option<Vec<String>> {
    text.starts_with('[').then(|| serde_json::from_str(text).ok())?
}

fn health_flag(check: &mut Healthcheck, flag: &str) -> Result<()> {
    let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
    let slot = match name {
        "--interval" => &mut check.interval,
        "--timeout" => &mut check.timeout,
        "--start-period" => &mut check.start_period,
        "--start-interval" => &mut check.start_interval,
        "--retries" => {
            check.retries = match value.parse() {
                Ok(n) if n >= 0 => n,
                Ok(n) => return refuse(format!("--retries cannot be negative ({n})")),
                Err(_) => return refuse(format!("--retries needs a number, not {value:?}")),
            };
            return Ok(());
        }
        _ => return refuse(format!("Unknown flag: {}", name.trim_start_matches('-'))),
    };
    *slot = match duration(value) {
        Ok(0) => 0,
        Ok(d) if d >= MILLISECOND => d,
        Ok(_) => return refuse(format!("Interval {:?} must not be less than 1ms", name.trim_start_matches('-'))),
        Err(why) => return refuse(why),
    };
    Ok(())
}

/// Go's durations in nanoseconds: `30s`, `1m30s`, `1.5h`, `-100ms`.
///
/// # Errors
/// It is none, in Go's words.
pub fn duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let unit =
            rest[number..].len() - rest[number..].trim_start_matches(|c: char| !c.is_ascii_digit() && c != '.').len();
        let value = rest[..number].parse::<f64>().map_err(|_| invalid())?;
        total += value
            * match &rest[number..number + unit] {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                "" => return Err(format!("time: missing unit in duration {text:?}")),
                unit => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
            };
        rest = &rest[number + unit..];
    }
    if total < i64::MAX as f64 { Ok((sign * total).round() as i64) } else { Err(invalid()) }
}

/// `80`, `80/udp`, `8000-8002/tcp`; a host's side (`8080:80`) is dropped, for an image cannot ask for it.
fn ports(spec: &str) -> Result<Vec<String>> {
    let bad = || Error::Instruction(format!("invalid containerPort: {spec}"));
    let (range, protocol) = spec.split_once('/').unwrap_or((spec, "tcp"));
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return refuse(format!("invalid proto: {protocol}"));
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
fn signal(text: &str) -> Result<String> {
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
    refuse(format!("Invalid signal: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> Result<Config> {
        let env = Some(vec!["PATH=/bin".to_owned(), "A=1".to_owned()]);
        let mut config = Config { cmd: Some(vec!["old".into()]), env, working_dir: "/srv".into(), ..Config::default() };
        apply(&mut config, &changes.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>())?;
        Ok(config)
    }

    #[test]
    fn every_instruction_alters_the_recipe() {
        let config = changed(&[
            r#"ENTRYPOINT ["/bin/app", "--flag"]"#,
            "cmd echo \"hi\" $A",
            "ENV PATH=$PATH:/x A=2 B=$A C='$A b'",
            "ENV D a \"b\"  c",
            "EXPOSE 80 53/udp 8000-8002",
            "LABEL a=b \"c d\"=\"e\\\nf\"",
            "USER 1000:1000",
            "VOLUME /data /more",
            r#"VOLUME ["/with space"]"#,
            "WORKDIR a/../b",
            "WORKDIR $B/./c",
            "STOPSIGNAL SIGRTMIN+3",
            "HEALTHCHECK --interval=1m30s --timeout=1.5s --retries=4 --start-period=100ms CMD curl -f http://localhost/",
            "ONBUILD RUN make",
        ]);
        insta::assert_json_snapshot!(config.unwrap());
    }

    #[test]
    fn an_entrypoint_forgets_the_command_it_inherits() {
        let config = changed(&["ENTRYPOINT x"]).unwrap();
        assert_eq!((config.entrypoint.unwrap().len(), config.cmd), (3, None));
        assert_eq!(changed(&["CMD a", "ENTRYPOINT x"]).unwrap().cmd.unwrap()[2], "a");
        assert_eq!(changed(&["CMD []"]).unwrap().cmd, None);
        assert_eq!(changed(&[r#"HEALTHCHECK CMD ["a"]"#]).unwrap().healthcheck.unwrap().test.unwrap(), ["CMD", "a"]);
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let texts: Vec<String> = [
            "RUN make",
            "ENV",
            "ENV A",
            "ENV A=1 B",
            "ENV =x",
            "LABEL",
            "EXPOSE x",
            "EXPOSE 90-80",
            "EXPOSE 1/icmp",
            "EXPOSE 70000",
            "USER a b",
            "STOPSIGNAL SIGX",
            "STOPSIGNAL 65",
            "HEALTHCHECK",
            "HEALTHCHECK NONE x",
            "HEALTHCHECK CMD",
            "HEALTHCHECK --interval=1us CMD a",
            "HEALTHCHECK --interval=x CMD a",
            "HEALTHCHECK --retries=-1 CMD a",
            "HEALTHCHECK --what=1 CMD a",
            "HEALTHCHECK RUN a",
            "ONBUILD ONBUILD a",
            "ONBUILD FROM a",
            "ENV A='b",
            "VOLUME \"\"",
        ]
        .iter()
        .map(|change| format!("{change}: {}", changed(&[change]).unwrap_err()))
        .collect();
        insta::assert_snapshot!(texts.join("\n"));
    }
}
