//! The tree against a value.

use super::Error;
use super::functions::{self, Call};
use super::tree::{Branch, Command, Node, Operand, OperandKind, Pipe};
use super::value::{Kind, Value};
use std::rc::Rc;

/// Runs the tree with `data` as its dot.
pub(super) fn run(source: &str, nodes: &[Node], data: &Value, header: bool) -> Result<String, Error> {
    let untyped = matches!(data, Value::Object(object) if object.kind == Kind::Struct);
    let mut machine =
        Machine { source, header, untyped, out: String::new(), variables: vec![("$".to_owned(), data.clone())] };
    machine.list(nodes, data)?;
    Ok(machine.out)
}

/// What happens after a node.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Machine<'a> {
    source: &'a str,
    /// The line of column names, on which functions that change case or shape leave the name as it is.
    header: bool,
    untyped: bool,
    out: String,
    variables: Vec<(String, Value)>,
}

impl Machine<'_> {
    fn error(&self, at: usize, node: impl ToString, message: impl std::fmt::Display) -> Error {
        Error::execution(self.source, at, &node.to_string(), message)
    }

    fn list(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, Error> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, Error> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    match value {
                        Value::Nil => self.out.push_str("<no value>"),
                        value => self.out.push_str(&value.to_string()),
                    }
                }
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::If(branch) | Node::With(branch) => {
                let scope = self.variables.len();
                let value = self.pipe(&branch.pipe, dot)?;
                let is_with = matches!(node, Node::With(_));
                let flow = match value.is_true() {
                    true => self.list(&branch.body, if is_with { &value } else { dot })?,
                    false => self.list(&branch.otherwise, dot)?,
                };
                self.variables.truncate(scope);
                return Ok(flow);
            }
            Node::Range(branch) => return self.range(branch, dot),
        }
        Ok(Flow::Next)
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, Error> {
        let scope = self.variables.len();
        let over = self.pipe(&branch.pipe, dot)?;
        let items: Vec<(Value, Value)> = match &over {
            Value::Nil | Value::Null(_) => Vec::new(),
            Value::List(items) => items.iter().enumerate().map(|(i, v)| (Value::Int(i as i64), v.clone())).collect(),
            Value::Int(n) => (0..*n).map(|i| (Value::Int(i), Value::Int(i))).collect(),
            Value::Object(object) => object.sorted().into_iter().map(|(k, v)| (k.into(), v.clone())).collect(),
            other => {
                let at = branch.pipe.commands[0].words[0].at;
                return Err(self.error(at, &branch.pipe, format!("range can't iterate over {other}")));
            }
        };
        let mut flow = Flow::Next;
        if items.is_empty() {
            flow = self.list(&branch.otherwise, dot)?;
        }
        for (key, value) in items {
            let inner = self.variables.len();
            match branch.pipe.variables.as_slice() {
                [element] => self.bind(element, value.clone(), branch.pipe.assigns),
                [index, element] => {
                    self.bind(index, key, branch.pipe.assigns);
                    self.bind(element, value.clone(), branch.pipe.assigns);
                }
                _ => {}
            }
            let step = self.list(&branch.body, &value)?;
            self.variables.truncate(inner);
            if step == Flow::Break {
                break;
            }
        }
        self.variables.truncate(scope);
        Ok(flow)
    }

    /// Sets a variable: a new one, or the innermost one of that name.
    fn bind(&mut self, name: &str, value: Value, assigns: bool) {
        match self.variables.iter_mut().rev().find(|(n, _)| n == name) {
            Some(slot) if assigns => slot.1 = value,
            _ => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, Error> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or(Value::Nil);
        if let [name] = pipe.variables.as_slice() {
            self.bind(name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    /// A command; `last` is the value of the command before it in the pipeline, and becomes its last argument.
    fn command(&mut self, command: &Command, dot: &Value, last: Option<Value>) -> Result<Value, Error> {
        let Some((first, rest)) = command.words.split_first() else { return Ok(Value::Nil) };
        match &first.kind {
            OperandKind::Function(name) => self.function(name, first.at, command, dot, last),
            OperandKind::Field(path) => {
                let args = self.arguments(rest, dot, last)?;
                self.fields(dot, path, first, args)
            }
            OperandKind::Variable(name, path) => {
                let args = self.arguments(rest, dot, last)?;
                self.fields(&self.variable(name), path, first, args)
            }
            OperandKind::Pipe(pipe, path) => {
                let value = self.pipe(pipe, dot)?;
                let args = self.arguments(rest, dot, last)?;
                self.fields(&value, path, first, args)
            }
            OperandKind::Nil => Err(self.error(first.at, first, "nil is not a command")),
            _ if !rest.is_empty() || last.is_some() => {
                Err(self.error(first.at, first, format!("can't give argument to non-function {first}")))
            }
            _ => self.operand(first, dot),
        }
    }

    /// An operand that takes no arguments.
    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, Error> {
        Ok(match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Nil => Value::Nil,
            OperandKind::Bool(b) => Value::Bool(*b),
            OperandKind::Int(i) => Value::Int(*i),
            OperandKind::Float(x) => Value::Float(*x),
            OperandKind::String(_, s) => s.as_str().into(),
            OperandKind::Character(_, c) => Value::Int(*c as i64),
            OperandKind::Field(path) => self.fields(dot, path, operand, Vec::new())?,
            OperandKind::Variable(name, path) => self.fields(&self.variable(name), path, operand, Vec::new())?,
            OperandKind::Pipe(pipe, path) => {
                let value = self.pipe(pipe, dot)?;
                self.fields(&value, path, operand, Vec::new())?
            }
            OperandKind::Function(name) => {
                let alone = Command { words: vec![operand.clone()] };
                self.function(name, operand.at, &alone, dot, None)?
            }
        })
    }

    fn arguments(&mut self, words: &[Operand], dot: &Value, last: Option<Value>) -> Result<Vec<Value>, Error> {
        let mut values = words.iter().map(|word| self.operand(word, dot)).collect::<Result<Vec<_>, _>>()?;
        values.extend(last);
        Ok(values)
    }

    fn variable(&self, name: &str) -> Value {
        self.variables.iter().rev().find(|(n, _)| n == name).map_or(Value::Nil, |(_, v)| v.clone())
    }

    fn function(
        &mut self,
        name: &str,
        at: usize,
        command: &Command,
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let words = &command.words[1..];
        // `and` and `or` stop at the argument that decides.
        if matches!(name, "and" | "or") {
            let mut value = Value::Nil;
            for word in words {
                value = self.operand(word, dot)?;
                if value.is_true() == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let arguments = self.arguments(words, dot, last)?;
        functions::call(name, &arguments, self.header).map_err(|problem| match problem {
            Call::Misused(message) => self.error(at, name, message),
            Call::Failed(message) => self.error(at, command, format!("error calling {name}: {message}")),
        })
    }

    /// `.A.B` from a value; only the last name may be a method with arguments.
    fn fields(&self, from: &Value, path: &[String], operand: &Operand, mut args: Vec<Value>) -> Result<Value, Error> {
        let mut value = from.clone();
        for (i, name) in path.iter().enumerate() {
            let args = if i + 1 == path.len() { std::mem::take(&mut args) } else { Vec::new() };
            value = self.field(&value, name, operand, &args)?;
        }
        if !args.is_empty() {
            return Err(self.error(operand.at, operand, format!("can't give argument to non-function {operand}")));
        }
        Ok(value)
    }

    fn field(&self, from: &Value, name: &str, operand: &Operand, args: &[Value]) -> Result<Value, Error> {
        let fail = |message: String| Err(self.error(operand.at, operand, message));
        let object: &Rc<_> = match from {
            Value::Object(object) => object,
            Value::Nil | Value::Null(_) => return fail(format!("nil data; no entry for key {name:?}")),
            // What was read from JSON has no type of its own to Go.
            _ if self.untyped => return fail(format!("can't evaluate field {name} in type interface {{}}")),
            other => return fail(format!("can't evaluate field {name} in type {}", other.type_name())),
        };
        if let (Some(labels), "Label") = (&object.labels, name) {
            return match args {
                [Value::String(key)] if self.header => Ok(label_heading(key).into()),
                [Value::String(key)] => Ok(labels.get(key.as_ref()).cloned().unwrap_or_default().into()),
                [other] => fail(format!("wrong type for value; expected string; got {}", other.type_name())),
                _ => fail(format!("wrong number of args for Label: want 1 got {}", args.len())),
            };
        }
        match (object.get(name), object.kind) {
            (Some(_), _) if !args.is_empty() => fail(format!("{name} has arguments but cannot be invoked as function")),
            (Some(value), _) => Ok(value.clone()),
            (None, Kind::Map) => Ok(Value::Nil),
            (None, Kind::Struct) => fail(format!("map has no entry for key {name:?}")),
            (None, Kind::Typed(go_type)) => fail(format!("can't evaluate field {name} in type {go_type}")),
        }
    }
}

/// The heading of a label's column: the last part of `com.example.my-label`, its dashes as spaces.
fn label_heading(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).replace(['-', '_'], " ")
}
