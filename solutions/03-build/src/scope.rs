//! The variables of a stage: what `$NAME` means in its lines, and what its commands have in their environment.
//!
//! ENV sets a variable for the image, ARG for the build alone. Both are in the environment of a RUN, and so both decide
//! whether it can be reused. What an ARG is worth, [`crate::expand::Args`] knows.

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
