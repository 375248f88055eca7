//! Build checks: told before anything is built, of the stages that will be.

use super::Site;
use crate::{Error, Kind, Result};
use build::checks::{self, Image, Known, Warning};
use build::context::Tree;
use build::dockerfile::Parsed;
use build::expand::Args;
use build::progress::Event;
use multi_stage::{Base, Graph};
use std::path::Path;

impl Site<'_> {
    /// Tells what the checks find.
    ///
    /// # Errors
    /// The Dockerfile says that warnings are errors, and there are some.
    pub(super) fn check(&self, parsed: &Parsed, graph: &Graph, args: &Args, context: &Tree) -> Result<()> {
        let image = |stage: usize| {
            let Some(Base::Image(name)) = graph.stages.get(stage).map(|node| &node.base) else {
                return Image::default();
            };
            // That there is no such image is told where it is needed.
            let config = self.engine.image(name).map(|image| image.config.config).unwrap_or_default();
            Image { env: config.env.unwrap_or_default(), shell: config.shell.is_some() }
        };
        let ignore = context.ignore();
        let ignored = |path: &str| {
            let path = path.trim_start_matches('/');
            ignore.verdict_of(Path::new(path)).excluded && !ignore.has_exception_in(path.as_bytes())
        };
        let known = Known { args, image: &image, ignored: &ignored };
        let mut warnings = parsed.warnings.clone();
        warnings.extend(checks::with_values(parsed, &known));
        warnings.retain(|warning| warning.stage.is_none_or(|stage| graph.reached.contains(&stage)));
        warnings.sort_by_key(|warning| *warning.lines.start());
        warnings.iter().for_each(|warning| (self.listener)(told(warning, parsed)));
        unconsumed(args, parsed).into_iter().for_each(self.listener);
        match checks::violation(&parsed.directives.check, &warnings) {
            Some(error) => Err(Error::new(Kind::Invalid, error)),
            None => Ok(()),
        }
    }
}

/// What was given and nobody asks for; no rule speaks of it.
fn unconsumed(args: &Args, parsed: &Parsed) -> Option<Event> {
    let names = args.unconsumed(&parsed.dockerfile);
    (!names.is_empty()).then(|| Event::Warning {
        rule: String::new(),
        message: format!("One or more build-args [{}] were not consumed", names.join(" ")),
        url: String::new(),
        file: String::new(),
        line: 0,
        text: String::new(),
    })
}

fn told(warning: &Warning, parsed: &Parsed) -> Event {
    let line = *warning.lines.start();
    let text = parsed.source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    Event::Warning {
        rule: warning.rule.name().to_owned(),
        message: warning.message.clone(),
        url: warning.rule.url(),
        file: parsed.source.name.clone(),
        line,
        text: text.to_owned(),
    }
}
