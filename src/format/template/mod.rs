//! `--format`: Go's template language, as much of it as the Docker command offers. A template is text with actions in
//! `{{ }}`: `.Field` of what is being printed, pipelines, `if`, `with`, `range`, variables and functions.
//! Reference: <https://pkg.go.dev/text/template>. Error texts are Go's, since scripts have learnt to read them.

mod eval;
mod functions;
mod lex;
mod parse;
mod printf;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use value::{Kind, Object, Value};

/// A template that was understood.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    nodes: Vec<tree::Node>,
}

/// A template that was not understood, or does not fit the data. Its text is Go's.
#[derive(Debug, PartialEq, Eq)]
pub struct Error(String);

impl Template {
    /// Reads a template.
    pub fn parse(source: &str) -> Result<Self, Error> {
        Ok(Self { source: source.to_owned(), nodes: parse::parse(source)? })
    }

    /// What `--format` asks for where one object is shown: None is the text for people, `json` is all of it.
    pub fn of_object(format: Option<&str>) -> Result<Option<Self>, Error> {
        match format {
            None | Some("") => Ok(None),
            Some("json") => Self::parse("{{json .}}").map(Some),
            Some(source) => Self::parse(source).map(Some),
        }
    }

    /// What it prints for this value.
    pub fn execute(&self, data: &Value) -> Result<String, Error> {
        eval::run(&self.source, &self.nodes, data, false)
    }

    /// What it prints for the line of column names: functions that would change them do not.
    pub fn heading(&self, names: &Value) -> Result<String, Error> {
        eval::run(&self.source, &self.nodes, names, true)
    }
}

impl Error {
    /// While reading: only the line is known.
    fn parse(source: &str, at: usize, message: impl std::fmt::Display) -> Self {
        let line = source[..at.min(source.len())].matches('\n').count() + 1;
        Self(format!("template: :{line}: {message}"))
    }

    /// While running: the line, the byte in it, and the node (its first 20 characters).
    fn execution(source: &str, at: usize, node: &str, message: impl std::fmt::Display) -> Self {
        let before = &source[..at.min(source.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |i| i + 1);
        let short: String = node.chars().take(20).collect();
        let node = if node.len() > 20 { format!("{short}...") } else { short };
        Self(format!("template: :{line}:{column}: executing \"\" at <{node}>: {message}"))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
