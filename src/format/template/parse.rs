//! Tokens into a tree. Every node keeps where it began, for the error texts that point at it.

use super::lex::{Kind, Token, lex};
use super::tree::{Branch, Command, Node, Operand, OperandKind, Pipe};
use super::{Error, functions};
use std::fmt;

/// The tree of a template.
pub(super) fn parse(source: &str) -> Result<Vec<Node>, Error> {
    let mut parser = Parser { source, tokens: lex(source)?, next: 0, variables: vec!["$".to_owned()], loops: 0 };
    let (nodes, stop) = parser.list()?;
    match stop {
        Stop::End => Ok(nodes),
        Stop::Keyword(word) => Err(parser.error(format!("unexpected {{{{{word}}}}}"))),
    }
}

/// Why a list of nodes ended.
enum Stop {
    End,
    /// `{{else` (its rest is still to be read) or `{{end}}`.
    Keyword(&'static str),
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    next: usize,
    /// In scope here.
    variables: Vec<String>,
    /// Ranges around here.
    loops: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Kind {
        self.tokens.get(self.next).map_or(&Kind::End, |t| &t.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.source.len(), |t| t.at)
    }

    fn take(&mut self) -> Kind {
        let kind = self.peek().clone();
        self.next += 1;
        kind
    }

    fn skip_space(&mut self) {
        while self.peek() == &Kind::Space {
            self.next += 1;
        }
    }

    fn error(&self, message: impl fmt::Display) -> Error {
        Error::parse(self.source, self.at(), message)
    }

    fn unexpected(&self, context: &str) -> Error {
        let what = match self.peek() {
            Kind::End => return self.error("unexpected EOF"),
            Kind::Close => "\"}}\"".to_owned(),
            Kind::Word(w) => format!("<{w}>"),
            Kind::Field(name) => format!("<.{name}>"),
            Kind::Variable(name) => format!("{name:?}"),
            Kind::Number(text) => format!("{text:?}"),
            Kind::String(text, _) | Kind::Character(text, _) => format!("{text:?}"),
            Kind::Pipe => "\"|\"".to_owned(),
            Kind::Comma => "\",\"".to_owned(),
            Kind::Assign => "\"=\"".to_owned(),
            Kind::Declare => "\":=\"".to_owned(),
            Kind::RightParen => "\")\"".to_owned(),
            _ => "token".to_owned(),
        };
        self.error(format!("unexpected {what} in {context}"))
    }

    /// Nodes up to the end, or to an `{{else` or `{{end}}` that is not theirs.
    fn list(&mut self) -> Result<(Vec<Node>, Stop), Error> {
        let mut nodes = Vec::new();
        loop {
            match self.take() {
                Kind::End => return Ok((nodes, Stop::End)),
                Kind::Text(text) => nodes.push(Node::Text(text)),
                _ => {
                    self.skip_space();
                    let keyword = if let Kind::Word(word) = self.peek() { word.clone() } else { String::new() };
                    match keyword.as_str() {
                        "end" => {
                            self.next += 1;
                            self.close("end")?;
                            return Ok((nodes, Stop::Keyword("end")));
                        }
                        "else" => {
                            self.next += 1;
                            return Ok((nodes, Stop::Keyword("else")));
                        }
                        "if" | "with" | "range" => {
                            self.next += 1;
                            nodes.push(self.control(&keyword)?);
                        }
                        "break" | "continue" => {
                            self.next += 1;
                            if self.loops == 0 {
                                return Err(self.error(format!("{{{{{keyword}}}}} outside {{{{range}}}}")));
                            }
                            self.close(&keyword)?;
                            nodes.push(if keyword == "break" { Node::Break } else { Node::Continue });
                        }
                        "define" | "template" | "block" => {
                            return Err(self.error(format!("{{{{{keyword}}}}} is not supported here")));
                        }
                        _ => {
                            let pipe = self.pipe("command", false)?;
                            nodes.push(Node::Action(pipe));
                        }
                    }
                }
            }
        }
    }

    fn close(&mut self, context: &str) -> Result<(), Error> {
        self.skip_space();
        if self.peek() == &Kind::Close {
            self.next += 1;
            return Ok(());
        }
        Err(self.unexpected(context))
    }

    /// The rest of an `if`, `with` or `range`, to its end.
    fn control(&mut self, keyword: &str) -> Result<Node, Error> {
        let scope = self.variables.len();
        let pipe = self.pipe(keyword, keyword == "range")?;
        if keyword == "range" {
            self.loops += 1;
        }
        let (body, stop) = self.list()?;
        if keyword == "range" {
            self.loops -= 1;
        }
        let otherwise = match stop {
            Stop::End => return Err(self.error("unexpected EOF")),
            Stop::Keyword("end") => Vec::new(),
            Stop::Keyword(_) => self.otherwise(keyword)?,
        };
        self.variables.truncate(scope);
        let branch = Branch { pipe, body, otherwise };
        Ok(match keyword {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        })
    }

    /// After `{{else`: a list up to its end, or `else if …`, which needs no end of its own.
    fn otherwise(&mut self, keyword: &str) -> Result<Vec<Node>, Error> {
        self.skip_space();
        if let Kind::Word(word) = self.peek().clone()
            && word == keyword
            && keyword != "range"
        {
            self.next += 1;
            return Ok(vec![self.control(keyword)?]);
        }
        self.close("else")?;
        match self.list()? {
            (nodes, Stop::Keyword("end")) => Ok(nodes),
            (_, Stop::Keyword(_)) => Err(self.error("expected end; found {{else}}")),
            (_, Stop::End) => Err(self.error("unexpected EOF")),
        }
    }

    /// A pipeline up to and with its `}}`.
    fn pipe(&mut self, context: &str, is_range: bool) -> Result<Pipe, Error> {
        let pipe = self.open_pipe(context, is_range)?;
        self.close(context)?;
        Ok(pipe)
    }

    fn open_pipe(&mut self, context: &str, is_range: bool) -> Result<Pipe, Error> {
        let (variables, assigns) = self.declarations(is_range)?;
        let mut commands = Vec::new();
        loop {
            self.skip_space();
            let command = self.command()?;
            if command.words.is_empty() {
                if commands.is_empty() && !matches!(self.peek(), Kind::Close | Kind::RightParen | Kind::Pipe) {
                    return Err(self.unexpected("operand"));
                }
                return Err(match (commands.is_empty(), self.peek()) {
                    (true, Kind::Close | Kind::RightParen) => self.error(format!("missing value for {context}")),
                    _ => self.error("missing value for command"),
                });
            }
            let is_value = !matches!(
                command.words[0].kind,
                OperandKind::Function(_) | OperandKind::Field(_) | OperandKind::Variable(..) | OperandKind::Pipe(..)
            );
            if !commands.is_empty() && is_value {
                let stage = commands.len() + 1;
                return Err(self.error(format!("non executable command in pipeline stage {stage}")));
            }
            commands.push(command);
            self.skip_space();
            if self.peek() != &Kind::Pipe {
                break;
            }
            self.next += 1;
        }
        // A variable is in scope only after its own pipeline.
        if !assigns {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipe { variables, assigns, commands })
    }

    /// `$x :=`, `$x =`, and in a range `$i, $x :=`.
    fn declarations(&mut self, is_range: bool) -> Result<(Vec<String>, bool), Error> {
        let start = self.next;
        let mut names = Vec::new();
        loop {
            self.skip_space();
            let Kind::Variable(name) = self.peek().clone() else { break };
            self.next += 1;
            names.push(name);
            self.skip_space();
            match self.peek() {
                Kind::Comma if is_range && names.len() < 2 => self.next += 1,
                Kind::Declare => {
                    self.next += 1;
                    return Ok((names, false));
                }
                Kind::Assign => {
                    self.next += 1;
                    if let Some(unknown) = names.iter().find(|n| !self.variables.contains(n)) {
                        return Err(self.error(format!("undefined variable {unknown:?}")));
                    }
                    return Ok((names, true));
                }
                Kind::Comma => return Err(self.error("too many declarations in command")),
                _ => break,
            }
        }
        self.next = start;
        Ok((Vec::new(), false))
    }

    fn command(&mut self) -> Result<Command, Error> {
        let mut words = Vec::new();
        while let Some(operand) = self.operand()? {
            words.push(operand);
            match self.peek() {
                Kind::Space => self.skip_space(),
                Kind::Close | Kind::Pipe | Kind::RightParen => break,
                _ => return Err(self.unexpected("operand")),
            }
        }
        Ok(Command { words })
    }

    fn operand(&mut self) -> Result<Option<Operand>, Error> {
        let mut at = self.at();
        let mut kind = match self.peek().clone() {
            Kind::Dot => OperandKind::Dot,
            Kind::Field(name) => OperandKind::Field(vec![name]),
            Kind::Variable(name) if self.variables.contains(&name) => OperandKind::Variable(name, Vec::new()),
            Kind::Variable(name) => return Err(self.error(format!("undefined variable {name:?}"))),
            Kind::Word(word) => match word.as_str() {
                "nil" => OperandKind::Nil,
                "true" => OperandKind::Bool(true),
                "false" => OperandKind::Bool(false),
                name if functions::exists(name) => OperandKind::Function(word),
                _ => return Err(self.error(format!("function {word:?} not defined"))),
            },
            Kind::Number(text) => number(&text).ok_or_else(|| self.error(format!("bad number syntax: {text:?}")))?,
            Kind::String(written, value) => OperandKind::String(written, value),
            Kind::Character(written, c) => OperandKind::Character(written, c),
            Kind::LeftParen => {
                self.next += 1;
                let pipe = self.open_pipe("parenthesized pipeline", false)?;
                self.skip_space();
                if self.peek() != &Kind::RightParen {
                    return Err(self.unexpected("parenthesized pipeline"));
                }
                OperandKind::Pipe(Box::new(pipe), Vec::new())
            }
            _ => return Ok(None),
        };
        self.next += 1;
        // Go places `.A.B` at its second part; so do Docker's error texts.
        if let Kind::Field(_) = self.peek() {
            at = self.at();
        }
        while let Kind::Field(name) = self.peek().clone() {
            match &mut kind {
                OperandKind::Field(path) | OperandKind::Variable(_, path) | OperandKind::Pipe(_, path) => {
                    path.push(name)
                }
                _ => return Err(self.error(format!("unexpected . after term {:?}", Operand { at, kind }.to_string()))),
            }
            self.next += 1;
        }
        Ok(Some(Operand { at, kind }))
    }
}

fn number(text: &str) -> Option<OperandKind> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let radix = |prefix: &str, radix| lower.strip_prefix(prefix).and_then(|d| i64::from_str_radix(d, radix).ok());
    let integer = radix("0x", 16).or_else(|| radix("0b", 2)).or_else(|| radix("0o", 8)).or_else(|| digits.parse().ok());
    match integer {
        Some(i) => Some(OperandKind::Int(sign * i)),
        None => digits.parse::<f64>().ok().map(|f| OperandKind::Float(f64::from(sign as i32) * f)),
    }
}
