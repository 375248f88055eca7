//! Which words of an instruction are expanded, and which are left to somebody else.
//!
//! Dockerfile reference, "Environment replacement". All words of one instruction see the same values: `ENV a=1 b=$a` gives
//! `b` what `a` was before.

use super::{Expanded, Lexer, Lookup, Quotes};
use crate::dockerfile::mount;
use crate::error::{Error, Result};
use crate::instruction::{Copy, Instruction, Run};
use std::collections::BTreeSet;

/// An instruction without variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Expansion {
    pub instruction: Instruction,
    /// The variables that its words have and that are set: it depends on them. (A RUN may depend on all there are.)
    pub used: BTreeSet<String>,
    /// Those that are not set.
    pub unmatched: BTreeSet<String>,
}

/// Expands what the builder expands.
///
/// Left alone are the commands of RUN, CMD, ENTRYPOINT and HEALTHCHECK, which a shell will expand when they run; an ARG,
/// whose default may not be needed ([`super::Args::declared`]); `--from` and `--exclude`; a trigger, until it is its turn.
///
/// # Errors
/// [`Error::Expand`], or [`Error::Instruction`]: a `--mount` or a volume that turns out to be none.
pub fn instruction(instruction: &Instruction, lookup: Lookup, escape: char) -> Result<Expansion> {
    let mut all = All { lookup, escape, used: BTreeSet::new(), unmatched: BTreeSet::new() };
    let instruction = match instruction {
        Instruction::Add(copy) => Instruction::Add(all.copy(copy)?),
        Instruction::Copy(copy) => Instruction::Copy(all.copy(copy)?),
        Instruction::Env(pairs) => {
            let pairs = all.pairs(pairs)?;
            pairs.iter().try_for_each(|(name, value)| super::fits(name, value))?;
            Instruction::Env(pairs)
        }
        Instruction::Label(pairs) => Instruction::Label(all.pairs(pairs)?),
        Instruction::Expose(ports) => Instruction::Expose(all.ports(ports)?),
        Instruction::Run(run) => Instruction::Run(all.run(run)?),
        Instruction::Stopsignal(signal) => Instruction::Stopsignal(all.word(signal)?),
        Instruction::User(user) => Instruction::User(all.word(user)?),
        Instruction::Volume(paths) => {
            let paths = all.each(paths)?;
            if paths.iter().any(String::is_empty) {
                return Err(Error::Instruction("VOLUME specified can not be an empty string".to_owned()));
            }
            Instruction::Volume(paths)
        }
        Instruction::Workdir(path) => Instruction::Workdir(all.word(path)?),
        Instruction::Arg(_)
        | Instruction::Cmd(_)
        | Instruction::Entrypoint(_)
        | Instruction::Healthcheck(_)
        | Instruction::Maintainer(_)
        | Instruction::Onbuild(_)
        | Instruction::Shell(_) => instruction.clone(),
    };
    Ok(Expansion { instruction, used: all.used, unmatched: all.unmatched })
}

/// All words of an instruction.
struct All<'a> {
    lookup: Lookup<'a>,
    escape: char,
    used: BTreeSet<String>,
    unmatched: BTreeSet<String>,
}

impl All<'_> {
    fn noted(&mut self, expanded: Expanded) -> String {
        self.used.extend(expanded.used);
        self.unmatched.extend(expanded.unmatched);
        expanded.text
    }

    fn word(&mut self, text: &str) -> Result<String> {
        super::word(text, self.lookup, self.escape).map(|expanded| self.noted(expanded))
    }

    fn each(&mut self, texts: &[String]) -> Result<Vec<String>> {
        texts.iter().map(|text| self.word(text)).collect()
    }

    /// A flag of which nothing is left was not given.
    fn option(&mut self, text: Option<&String>) -> Result<Option<String>> {
        Ok(text.map(|text| self.word(text)).transpose()?.filter(|text| !text.is_empty()))
    }

    fn pairs(&mut self, pairs: &[(String, String)]) -> Result<Vec<(String, String)>> {
        pairs.iter().map(|(name, value)| Ok((self.word(name)?, self.word(value)?))).collect()
    }

    /// `$PORTS` may be several.
    fn ports(&mut self, ports: &[String]) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for port in ports {
            let (words, expanded) = super::words(port, self.lookup, self.escape)?;
            self.noted(expanded);
            all.extend(words);
        }
        Ok(all)
    }

    fn copy(&mut self, copy: &Copy) -> Result<Copy> {
        let mut copy = Copy {
            sources: self.each(&copy.sources)?,
            destination: self.word(&copy.destination)?,
            chown: self.option(copy.chown.as_ref())?,
            chmod: self.option(copy.chmod.as_ref())?,
            checksum: self.option(copy.checksum.as_ref())?,
            ..copy.clone()
        };
        for heredoc in copy.heredocs.iter_mut().filter(|heredoc| heredoc.expand) {
            // As a shell would: quotes are ordinary, and a backslash escapes, whatever the escape directive says.
            let lexer = Lexer { quotes: Quotes::Ordinary, ..Lexer::new('\\') };
            let expanded = lexer.word(&heredoc.content, self.lookup)?;
            heredoc.content = self.noted(expanded);
        }
        Ok(copy)
    }

    /// Only its mounts: the rest is the shell's.
    fn run(&mut self, run: &Run) -> Result<Run> {
        let mut mounts = Vec::new();
        for mount in &run.mounts {
            let mount =
                mount::expanded(&mount.written, &mut |value| self.word(value).map_err(|error| error.to_string()));
            mounts.push(mount.map_err(Error::Instruction)?);
        }
        Ok(Run { mounts, ..run.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;

    /// The instruction of a line, expanded; `A` is `one` and `N` is `1 2`.
    fn expanded(line: &str) -> Result<Expansion> {
        let parsed = dockerfile::parse("Dockerfile", format!("FROM scratch\n{line}").as_bytes())?;
        let value = |name: &str| match name {
            "A" => Some("one".to_owned()),
            "N" => Some("1 2".to_owned()),
            _ => None,
        };
        instruction(&parsed.dockerfile.stages[0].steps[0].instruction, &value, '\\')
    }

    #[test]
    fn what_the_builder_expands_and_what_it_leaves_alone() {
        let lines = [
            "ENV a$A=\"x $A\" b='$A' c=\\$A d=$a",
            "ENV a $A \"b\"",
            "LABEL $A=${A:-x}",
            "COPY --chown=$A:$A --chmod=$M --exclude=$A $A 'b'c /$A/",
            "COPY [\"$A\", \"b c\", \"/$A\"]",
            "ADD --checksum=$A https://$A/x /$N",
            "COPY <<EOF /x\n'$A' \\$A \\\\ ${X:-y}\nEOF",
            "COPY <<'EOF' /x\n$A \\$A\nEOF",
            "WORKDIR /$A/'b'",
            "USER $A:${G:-staff}",
            "VOLUME $A /b",
            "VOLUME [\"/$N\"]",
            "EXPOSE $N 80 \"$N\"",
            "STOPSIGNAL SIG$A",
            "RUN --mount=type=cache,id=$A,target=/$A,sharing=${S:-locked} echo $A",
            "CMD echo $A",
            "ENTRYPOINT [\"$A\"]",
            "HEALTHCHECK CMD echo $A",
            "ONBUILD ENV a=$A",
            "MAINTAINER $A",
            "ARG a=$A",
            "SHELL [\"$A\"]",
        ];
        let say = |line: &&str| {
            let Expansion { instruction, used, unmatched } = expanded(line).unwrap();
            format!("{line}\n=> {instruction:?}\n   used {used:?}, not set {unmatched:?}\n")
        };
        insta::assert_snapshot!(lines.iter().map(say).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn what_is_wrong_only_once_it_is_expanded() {
        for (line, error) in [
            ("USER ${U:?who}", "failed to process \"${U:?who}\": U: who"),
            ("RUN --mount=type=$A x", "unsupported mount type \"one\""),
            ("RUN --mount=type=tmpfs,size=$A,target=/x x", "invalid value for size: one"),
            ("VOLUME /a $X", "VOLUME specified can not be an empty string"),
            ("RUN --mount=target=/${A x", "failed to process \"/${A\": syntax error: missing '}'"),
        ] {
            assert_eq!(expanded(line).unwrap_err().to_string(), error);
        }
    }
}
