//! How far a pull or a push is: on a terminal a line for each layer, each in its place; elsewhere a line for each thing
//! that happened, as Docker shows it.

use crate::output;
use crate::terminal::{Size, size_of};
use engine::api::Progress;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Stdout,
    /// Where standard output belongs to a container.
    Stderr,
}

/// What is shown of a transfer.
#[derive(Debug)]
pub struct Transfer {
    to: To,
    /// Of the terminal, if it is one.
    size: Option<Size>,
    /// The layers, in the order of their lines.
    layers: Vec<String>,
}

impl Transfer {
    pub fn new(to: To) -> Self {
        let size = match to {
            To::Stdout => size_of(&io::stdout()),
            To::Stderr => size_of(&io::stderr()),
        };
        Self { to, size: size.filter(|size| size.width > 0), layers: Vec::new() }
    }

    /// Shows one more thing that happened.
    ///
    /// # Errors
    /// It was an error; or nobody reads any more.
    pub fn show(&mut self, progress: &Progress) -> anyhow::Result<()> {
        if let Some(error) = &progress.error {
            anyhow::bail!("{}", progress.error_detail.as_ref().map_or(error, |detail| &detail.message));
        }
        let Some(status) = &progress.status else { return Ok(()) };
        let text = self.text(progress, status);
        match text {
            Some(text) => self.put(&text),
            None => Ok(()),
        }
    }

    fn text(&mut self, progress: &Progress, status: &str) -> Option<String> {
        let named = progress.id.as_ref().map_or_else(|| status.to_owned(), |id| format!("{id}: {status}"));
        let Some(size) = self.size else {
            // A bar is for who sees it move.
            return progress.progress.is_none().then(|| format!("{named}\n"));
        };
        let layer = progress.id.as_ref().filter(|_| progress.progress_detail.is_some());
        let Some(layer) = layer else {
            self.layers.clear();
            return Some(format!("{named}\n"));
        };
        let bar = progress.progress.as_ref().map(|bar| format!(" {bar}")).unwrap_or_default();
        let mut line = format!("{named}{bar}");
        let width = usize::from(size.width);
        if line.chars().count() >= width {
            // Without the picture, the numbers fit mostly.
            let numbers = bar.rsplit("] ").next().unwrap_or_default().trim();
            line = format!("{named} {numbers}").chars().take(width.saturating_sub(1)).collect();
        }
        let at = self.layers.iter().position(|known| known == layer);
        let mut out = String::new();
        // Up to its line, which is cleared, and down again (ECMA-48: CUU, EL, CUD). Writing to a text cannot fail.
        match at {
            Some(at) => {
                let up = self.layers.len() - at;
                let _ = write!(out, "\x1b[{up}A\x1b[2K\r{line}\r\x1b[{up}B");
            }
            None => {
                self.layers.push(layer.clone());
                let _ = writeln!(out, "{line}");
            }
        }
        Some(out)
    }

    fn put(&self, text: &str) -> anyhow::Result<()> {
        match self.to {
            To::Stdout => output::put(text),
            To::Stderr => {
                let mut stderr = io::stderr().lock();
                stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).map_err(output::unread)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::api::ProgressDetail;

    fn layer(id: &str, status: &str, bar: Option<&str>) -> Progress {
        Progress {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: Some(ProgressDetail::default()),
            progress: bar.map(str::to_owned),
            ..Progress::default()
        }
    }

    fn shown(size: Option<Size>, lines: &[Progress]) -> String {
        let mut transfer = Transfer { to: To::Stdout, size, layers: Vec::new() };
        lines.iter().filter_map(|line| transfer.text(line, line.status.as_deref().unwrap())).collect()
    }

    #[test]
    fn a_bar_is_for_who_sees_it_move() {
        let lines = [
            layer("a", "Pulling fs layer", None),
            layer("a", "Downloading", Some("[=>  ] 1B/2B")),
            layer("a", "Pull complete", None),
        ];
        assert_eq!(shown(None, &lines), "a: Pulling fs layer\na: Pull complete\n");
    }

    #[test]
    fn on_a_terminal_each_layer_has_its_line() {
        let size = Some(Size { height: 10, width: 25 });
        let note = Progress { status: Some("done".to_owned()), ..Progress::default() };
        let lines = [
            layer("a", "Waiting", None),
            layer("b", "Waiting", None),
            layer("a", "Downloading", Some("[=======>       ]       1B/2B")),
            note,
            layer("a", "Again", None),
        ];
        let expected = "a: Waiting\nb: Waiting\n\x1b[2A\x1b[2K\ra: Downloading 1B/2B\r\x1b[2Bdone\na: Again\n";
        assert_eq!(shown(size, &lines), expected);
    }
}
