//! The variables of a stage: what `$NAME` means in its lines, and what its commands have in their environment.
//!
//! ENV sets a variable for the image, ARG for the build alone. Both are in the environment of a RUN, and so both decide
//! whether it can be reused. What an ARG is worth, [`crate::expand::Args`] knows.

use crate::error::{Error, Result};

/// However large its stack may be, a program is started with no more arguments and variables than this (execve(2), "Limits on size
/// of arguments and environment": three quarters of 8 MiB).
const MAX_ENVIRONMENT: usize = 6 << 20;

/// Variables in the order they were set; setting one again moves it to the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    variables: Vec<Variable>,
    /// ARGs in the order they were declared, for the history: with the values they have without ENV.
    declared: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Variable {
    name: String,
    value: String,
    /// Where it was set; None: by the base image.
    line: Option<usize>,
}

impl Scope {
    /// What ENV lines of an image set: `NAME=value`.
    #[must_use]
    pub fn of_image(env: &[String]) -> Self {
        let mut scope = Self::default();
        for entry in env {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            scope.set(name, value, None);
        }
        scope
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.find(name).map(|variable| variable.value.clone())
    }

    /// Where it was set, if that was a line of this Dockerfile.
    #[must_use]
    pub fn line(&self, name: &str) -> Option<usize> {
        self.find(name)?.line
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str, line: Option<usize>) {
        self.variables.retain(|variable| variable.name != name);
        self.variables.push(Variable { name: name.to_owned(), value: value.to_owned(), line });
    }

    /// Whether all of it, of which `name` was set last, can be the environment of a process.
    ///
    /// # Errors
    /// [`Error::Expand`].
    pub fn fits(&self, name: &str) -> Result<()> {
        let size: usize = self.variables.iter().map(|variable| variable.name.len() + variable.value.len() + 2).sum();
        if size <= MAX_ENVIRONMENT {
            return Ok(());
        }
        let why = format!("with it the environment has {size} bytes; that of a process may have {MAX_ENVIRONMENT}");
        Err(Error::Expand { word: name.to_owned(), why })
    }

    /// Declares an ARG, which may be worth nothing.
    pub fn declare(&mut self, name: &str, value: Option<String>, line: usize) {
        if let Some(value) = &value {
            self.set(name, value, Some(line));
        }
        match self.declared.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.declared.push((name.to_owned(), value)),
        }
    }

    /// All of it, as the environment of a command: `NAME=value`.
    #[must_use]
    pub fn environment(&self) -> Vec<String> {
        self.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|variable| (variable.name.as_str(), variable.value.as_str()))
    }

    /// `|2 A=1 B=2 `, as the history shows before a command which ARGs it had; nothing without any.
    #[must_use]
    pub fn told_in_history(&self) -> String {
        if self.declared.is_empty() {
            return String::new();
        }
        let told = self.declared.iter().map(|(name, value)| {
            let value = self.get(name).or_else(|| value.clone()).unwrap_or_default();
            format!("{name}={value} ")
        });
        format!("|{} {}", self.declared.len(), told.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_last_counts() {
        let mut scope = Scope::of_image(&["PATH=/bin".to_owned(), "A=1".to_owned(), "EMPTY".to_owned()]);
        scope.declare("A", Some("2".to_owned()), 3);
        assert_eq!((scope.get("A").as_deref(), scope.line("A")), (Some("2"), Some(3)));
        scope.set("A", "3", Some(4));
        assert_eq!(scope.environment(), ["PATH=/bin", "EMPTY=", "A=3"]);
        assert_eq!((scope.line("A"), scope.line("PATH")), (Some(4), None));
    }

    #[test]
    fn an_environment_that_no_process_can_have_is_refused() {
        let mut scope = Scope::default();
        let value = "x".repeat(100_000);
        (0..62).for_each(|number| scope.set(&format!("A{number:02}"), &value, None));
        assert!(scope.fits("A61").is_ok());
        // Set anew, it takes no more room.
        scope.set("A61", &value, None);
        assert!(scope.fits("A61").is_ok());
        scope.set("A62", &value, None);
        let error = scope.fits("A62").unwrap_err().to_string();
        assert!(
            error.ends_with("with it the environment has 6300315 bytes; that of a process may have 6291456"),
            "{error}"
        );
    }

    #[test]
    fn the_history_tells_the_arguments_of_a_command() {
        let mut scope = Scope::default();
        assert_eq!(scope.told_in_history(), "");
        scope.declare("A", Some("1".to_owned()), 1);
        scope.declare("B", None, 2);
        scope.set("A", "env", Some(3));
        assert_eq!(scope.told_in_history(), "|2 A=env B= ");
        scope.declare("A", Some("2".to_owned()), 4);
        assert_eq!(scope.told_in_history(), "|2 A=2 B= ");
    }
}
