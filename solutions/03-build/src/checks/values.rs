//! The checks that need to know what variables are worth: they go through the stages as a build does.

use super::{Findings, Rule, Warning};
use crate::dockerfile::{Parsed, suggest};
use crate::expand::{self, Args};
use crate::instruction::{Command, Copy, Instruction, Stage, Step};
use crate::{error, ignore};
use layers::reference::Reference;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::rc::Rc;

/// What is known beside the Dockerfile.
pub struct Known<'a> {
    pub args: &'a Args,
    /// The image that a stage is from, if that is none of the file's own stages. Where it is not known, the default.
    pub image: &'a dyn Fn(usize) -> Image,
    /// Whether the `.dockerignore` hides this path of the context; never, if it has exceptions: then a folder that is hidden
    /// may be in it all the same.
    pub ignored: &'a dyn Fn(&str) -> bool,
}

/// What the checks ask about a base image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// `NAME=value`.
    pub env: Vec<String>,
    /// It has a SHELL of its own.
    pub shell: bool,
}

/// Of variables that are not set, so many are told of a line, and so many names are looked at for what was meant.
const TOLD: usize = 10;
const NAMES: usize = 1000;
/// Bytes of variables: more are no use to any process (execve(2), "Limits on size of arguments and environment").
const MAX_ENV: usize = 16 << 20;

/// What a stage has come to.
#[derive(Default)]
struct State {
    /// The stage it is from. (Thousands of stages may be from one that has thousands of variables.)
    base: Option<Rc<State>>,
    /// What it set itself.
    env: BTreeMap<String, String>,
    /// Its ARGs so far, also those without a value.
    args: BTreeSet<String>,
    shell: bool,
    workdir: bool,
}

/// Makes them, for all stages. What cannot be expanded is passed over: the build will say so.
pub fn with_values(parsed: &Parsed, known: &Known) -> Vec<Warning> {
    let mut findings = Findings::new(&parsed.checks);
    let mut states: BTreeMap<String, Rc<State>> = BTreeMap::new();
    let mut room = MAX_ENV;
    for (number, stage) in parsed.dockerfile.stages.iter().enumerate() {
        from(stage, parsed, known.args, &mut findings);
        let base = known.args.base(stage, parsed).ok();
        let state = match base.and_then(|base| states.get(&base.from.text).cloned()) {
            Some(base) => State::upon(base),
            None => State::of((known.image)(number)),
        };
        let mut walk = Walk { number, state, parsed, known, findings: &mut findings, room: &mut room };
        for step in &stage.steps {
            // The rest of the stage would be judged by wrong values.
            if walk.step(step).is_err() || *walk.room == 0 {
                break;
            }
        }
        let state = Rc::new(walk.state);
        states.extend(stage.name.clone().map(|name| (name, state)));
    }
    findings.sorted()
}

fn from(stage: &Stage, parsed: &Parsed, args: &Args, findings: &mut Findings) {
    let expand = |text: &str, lookup: expand::Lookup| expand::word(text, lookup, parsed.directives.escape);
    for text in [Some(&stage.from), stage.platform.as_ref()].into_iter().flatten() {
        let Ok(expanded) = expand(text, &|name| args.global(name)) else { continue };
        for name in expanded.unmatched.iter().filter(|name| !args.is_declared(name)).take(TOLD) {
            let message = format!("FROM argument '{name}' is not declared");
            let message = suggest::suggested(message, name, args.names().take(NAMES));
            findings.add(Rule::UndefinedArgInFrom, &stage.lines, None, message);
        }
    }
    // Whoever builds without arguments should get an image, too.
    let defaults = expand(&stage.from, &|name| args.default(name));
    if defaults.is_ok_and(|image| Reference::parse(&image.text).is_err()) {
        let message = format!("Default value for ARG {} results in empty or invalid base image name", stage.from);
        findings.add(Rule::InvalidDefaultArgInFrom, &stage.lines, None, message);
    }
}

impl State {
    fn of(image: Image) -> Self {
        let pair = |entry: &String| entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut env: BTreeMap<_, _> = image.env.iter().filter_map(pair).collect();
        // A build has one always.
        env.entry("PATH".to_owned()).or_default();
        Self { env, shell: image.shell, ..Self::default() }
    }

    fn upon(base: Rc<Self>) -> Self {
        Self { shell: base.shell, workdir: base.workdir, base: Some(base), ..Self::default() }
    }

    /// This stage, and those it is from.
    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |state| state.base.as_deref())
    }

    fn value(&self, name: &str) -> Option<String> {
        self.chain().find_map(|state| state.env.get(name)).cloned()
    }
}

/// On the way through a stage.
struct Walk<'a, 'b> {
    number: usize,
    state: State,
    parsed: &'a Parsed,
    known: &'a Known<'a>,
    findings: &'a mut Findings<'b>,
    /// For more variables.
    room: &'a mut usize,
}

impl Walk<'_, '_> {
    fn add(&mut self, rule: Rule, lines: &RangeInclusive<usize>, message: String) {
        self.findings.add(rule, lines, Some(self.number), message);
    }

    fn step(&mut self, step: &Step) -> error::Result<()> {
        let escape = self.parsed.directives.escape;
        if let Instruction::Arg(names) = &step.instruction {
            for (name, default) in names {
                let env = &self.state.env;
                let value =
                    self.known.args.declared(name, default.as_deref(), &|name| env.get(name).cloned(), escape)?;
                if let Some(value) = value {
                    self.undefined(&value.unmatched, step);
                    self.state.env.insert(name.clone(), value.text);
                }
                self.state.args.insert(name.clone());
            }
            return Ok(());
        }
        let expanded = expand::instruction(&step.instruction, &|name| self.state.value(name), escape)?;
        self.undefined(&expanded.unmatched, step);
        match &expanded.instruction {
            Instruction::Env(pairs) => pairs.iter().for_each(|(name, value)| self.set(name, value.clone())),
            Instruction::Shell(_) => self.state.shell = true,
            Instruction::Workdir(path) => self.workdir(path, step),
            Instruction::Cmd(Command::Shell(_)) | Instruction::Entrypoint(Command::Shell(_)) => self.shell_form(step),
            Instruction::Expose(ports) => self.expose(ports, step),
            Instruction::Copy(copy) if copy.from.is_none() => self.sources("Copy", copy, step),
            Instruction::Add(copy) => self.sources("Add", copy, step),
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: String) {
        *self.room = self.room.saturating_sub(name.len() + value.len());
        self.state.env.insert(name.to_owned(), value);
    }

    fn undefined(&mut self, unmatched: &BTreeSet<String>, step: &Step) {
        let undeclared = |name: &&String| !self.state.chain().any(|state| state.args.contains(*name));
        for name in unmatched.iter().filter(undeclared).take(TOLD).cloned().collect::<Vec<_>>() {
            let names = self.state.chain().flat_map(|state| state.env.keys()).map(String::as_str).take(NAMES);
            let hint = suggest::nearest(&name, names).map(|near| format!(" (did you mean ${near}?)"));
            let message = format!("Usage of undefined variable '${name}'{}", hint.unwrap_or_default());
            self.add(Rule::UndefinedVar, &step.lines, message);
        }
    }

    fn workdir(&mut self, path: &str, step: &Step) {
        // The first one decides: what comes after it stands on it.
        if !std::mem::replace(&mut self.state.workdir, true) && !path.starts_with('/') {
            let message = format!("Relative workdir {path:?} can have unexpected results if the base image changes");
            self.add(Rule::WorkdirRelativePath, &step.lines, message);
        }
    }

    fn shell_form(&mut self, step: &Step) {
        if !self.state.shell {
            let name = step.text.split_whitespace().next().unwrap_or_default();
            let message =
                format!("JSON arguments recommended for {name} to prevent unintended behavior related to OS signals");
            self.add(Rule::JsonArgsRecommended, &step.lines, message);
        }
    }

    fn expose(&mut self, ports: &[String], step: &Step) {
        for port in ports {
            let protocol =
                port.rsplit(':').next().and_then(|port| port.split_once('/')).map_or("", |(_, protocol)| protocol);
            if protocol.to_lowercase() != protocol {
                let message = format!("Defined protocol '{port}' in EXPOSE instruction should be lowercase");
                self.add(Rule::ExposeProtoCasing, &step.lines, message);
            }
            if port.contains(':') {
                let message =
                    format!("EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'");
                self.add(Rule::ExposeInvalidFormat, &step.lines, message);
            }
        }
    }

    /// Files of the context that are not there because they are hidden.
    fn sources(&mut self, name: &str, copy: &Copy, step: &Step) {
        for source in copy.sources.iter().filter(|source| !source.contains("://") && !source.starts_with("git@")) {
            let path = String::from_utf8_lossy(&ignore::clean(source.as_bytes())).into_owned();
            let hidden = match path.trim_start_matches('/') {
                // The context itself is hidden if whatever it may have is.
                "" | "." => (self.known.ignored)("whatever the name of a file may be"),
                path => (self.known.ignored)(path),
            };
            if hidden {
                let message = format!("Attempting to {name} file {path:?} that is excluded by .dockerignore");
                self.add(Rule::CopyIgnoredFile, &step.lines, message);
            }
        }
    }
}
