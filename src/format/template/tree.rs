//! The tree that a template is read into, and how Go prints its parts in error texts.

use std::fmt;

/// A piece of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Break,
    Continue,
}

/// `{{if pipe}} body {{else}} otherwise {{end}}`, and so `with` and `range`.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// `$a, $b := command | command`.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    /// `=` and not `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A function or a value, and its arguments.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) words: Vec<Operand>,
}

#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) kind: OperandKind,
}

#[derive(Clone, Debug)]
pub(super) enum OperandKind {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// As written, and its value.
    String(String, String),
    Character(String, char),
    /// `.A.B`
    Field(Vec<String>),
    /// `$x.A.B`
    Variable(String, Vec<String>),
    /// `(pipe).A.B`
    Pipe(Box<Pipe>, Vec<String>),
    Function(String),
}

/// As Go prints a node in its error texts.
impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dotted = |path: &[String]| path.iter().map(|p| format!(".{p}")).collect::<String>();
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Bool(b) => write!(f, "{b}"),
            OperandKind::Int(i) => write!(f, "{i}"),
            OperandKind::Float(x) => write!(f, "{x}"),
            OperandKind::String(written, _) | OperandKind::Character(written, _) => f.write_str(written),
            OperandKind::Field(path) => f.write_str(&dotted(path)),
            OperandKind::Variable(name, path) => write!(f, "{name}{}", dotted(path)),
            OperandKind::Pipe(pipe, path) => write!(f, "({pipe}){}", dotted(path)),
            OperandKind::Function(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            write!(f, "{} {} ", self.variables.join(", "), if self.assigns { "=" } else { ":=" })?;
        }
        f.write_str(&self.commands.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "))
    }
}
