//! The output of many containers on one screen, whole lines, each marked with whose it is: `web-1  | line`.

use crate::terminal::Writer;
use colored::Color;
use daemon::{FrameReader, Output};
use jiff::Timestamp;
use std::cell::RefCell;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Mutex;

/// A piece longer than this is shown as a line of its own: nobody's memory need hold what a container never ends.
const LONGEST: usize = 1 << 20;

/// How the lines look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) colours: bool,
    pub(super) prefixes: bool,
    /// Each line with the moment at which it came.
    pub(super) timestamps: bool,
    /// What containers say on their standard error goes to ours; otherwise everything goes to standard output.
    pub(super) apart: bool,
}

/// Writes lines, of as many containers at once as there are.
#[derive(Debug)]
pub(super) struct Printer {
    style: Style,
    /// In the order in which they got their colours.
    names: RefCell<Vec<String>>,
    stdout: Mutex<Writer>,
    stderr: Mutex<Writer>,
}

impl Printer {
    pub(super) fn new(style: Style) -> Self {
        let (stdout, stderr) = (Mutex::new(Writer::stdout()), Mutex::new(Writer::stderr()));
        Self { style, names: RefCell::default(), stdout, stderr }
    }

    /// Gives a container its colour, and all prefixes the width for its name. Who is not expected gets them with its first line.
    pub(super) fn expect(&self, name: &str) {
        let mut names = self.names.borrow_mut();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }

    /// All that a container says until it ends, from its log or from an attached connection: frames, or the one stream of a
    /// terminal.
    pub(super) async fn copy(&self, name: &str, mut from: impl AsyncRead + Unpin, tty: bool) -> anyhow::Result<()> {
        self.expect(name);
        let (mut stdout, mut stderr) = (Held::default(), Held::default());
        if tty {
            let mut buffer = vec![0; 32 << 10];
            loop {
                match from.read(&mut buffer).await? {
                    0 => break,
                    n => self.print(name, Output::Stdout, stdout.lines(&buffer[..n])).await?,
                }
            }
        } else {
            let mut frames = FrameReader::new(from);
            while let Some(frame) = frames.next().await? {
                let held = match frame.output {
                    Output::Stdout => &mut stdout,
                    Output::Stderr => &mut stderr,
                    Output::SystemError => {
                        anyhow::bail!("error from daemon in stream: {}", String::from_utf8_lossy(&frame.data))
                    }
                };
                self.print(name, frame.output, held.lines(&frame.data)).await?;
            }
        }
        self.print(name, Output::Stdout, stdout.rest()).await?;
        self.print(name, Output::Stderr, stderr.rest()).await
    }

    /// Whose output is to come: those who are expected by now.
    pub(super) async fn announce(&self) -> anyhow::Result<()> {
        let names = self.names.borrow().join(", ");
        if names.is_empty() {
            return Ok(());
        }
        self.stdout.lock().await.write(format!("Attaching to {names}\n").as_bytes()).await
    }

    /// What became of a container: `web-1 exited with code 0`.
    pub(super) async fn status(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.expect(name);
        let line = self.coloured(name, &format!("{name} {text}"));
        // On a terminal there may be a `^C` at the beginning of the line.
        let begin = if self.style.colours { "\r\x1b[K" } else { "" };
        self.stdout.lock().await.write(format!("{begin}{line}\n").as_bytes()).await
    }

    /// Whole lines, in one piece: those of another container come before or after.
    async fn print(&self, name: &str, output: Output, lines: Vec<Vec<u8>>) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut prefix = if self.style.prefixes { self.prefix(name) } else { String::new() };
        if self.style.timestamps {
            prefix += &Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string();
        }
        let mut text = Vec::new();
        for line in lines {
            text.extend_from_slice(prefix.as_bytes());
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        let to = if self.style.apart && output == Output::Stderr { &self.stderr } else { &self.stdout };
        to.lock().await.write(&text).await
    }

    fn prefix(&self, name: &str) -> String {
        let width = self.names.borrow().iter().map(|name| name.chars().count()).max().unwrap_or_default();
        self.coloured(name, &format!("{name:width$}  | "))
    }

    fn coloured(&self, name: &str, text: &str) -> String {
        if !self.style.colours {
            return text.to_owned();
        }
        const PALETTE: [Color; 5] = [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue];
        let place = self.names.borrow().iter().position(|known| known == name).unwrap_or_default();
        let bold = if place / PALETTE.len() % 2 == 1 { ";1" } else { "" };
        let colour = PALETTE[place % PALETTE.len()].to_fg_str();
        // Whether there are colours is for standard output to say; `colored` by itself knows one answer for both streams.
        format!("\x1b[{colour}{bold}m{text}\x1b[0m")
    }
}

/// The beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
struct Held(Vec<u8>);

impl Held {
    /// The lines that are whole now.
    fn lines(&mut self, data: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for piece in data.split_inclusive(|byte| *byte == b'\n') {
            self.0.extend_from_slice(piece);
            let is_whole = self.0.pop_if(|byte| *byte == b'\n').is_some();
            if is_whole || self.0.len() >= LONGEST {
                lines.push(std::mem::take(&mut self.0));
            }
        }
        lines
    }

    /// What no newline ended.
    fn rest(&mut self) -> Vec<Vec<u8>> {
        if self.0.is_empty() { Vec::new() } else { vec![std::mem::take(&mut self.0)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printer(colours: bool) -> Printer {
        Printer::new(Style { colours, prefixes: true, timestamps: false, apart: false })
    }

    #[test]
    fn lines_are_held_until_they_are_whole() {
        let mut held = Held::default();
        assert!(held.lines(b"half").is_empty());
        assert_eq!(held.lines(b" a line\r\n\nmore"), [b"half a line\r".to_vec(), Vec::new()]);
        assert_eq!(held.rest(), [b"more"]);
        assert!(held.rest().is_empty());
        let endless = held.lines(&vec![b'x'; LONGEST + 1]);
        assert_eq!(endless.len(), 1, "what has no end is shown all the same");
    }

    #[test]
    fn prefixes_are_as_wide_as_the_widest() {
        let printer = printer(false);
        ["web-1", "database-1"].iter().for_each(|name| printer.expect(name));
        assert_eq!(printer.prefix("web-1"), "web-1       | ");
        assert_eq!(printer.prefix("database-1"), "database-1  | ");
    }

    #[test]
    fn colours_are_docker_composes_one_after_the_other() {
        let printer = printer(true);
        let names: Vec<_> = (1..=11).map(|n| format!("w-{n}")).collect();
        names.iter().for_each(|name| printer.expect(name));
        let codes: Vec<_> = names.iter().map(|name| printer.coloured(name, "")).collect();
        let expected = ["36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1", "36"];
        assert_eq!(codes, expected.map(|code| format!("\x1b[{code}m\x1b[0m")));
    }
}
