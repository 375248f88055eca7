//! `--progress tty`: a picture that is drawn over itself ten times a second, a line for each step, and under those that
//! run the last lines they wrote.
//!
//! ```text
//!   [+] Building 1.2s (2/3)
//!    => CACHED [1/3] FROM docker.io/library/box:latest                       0.0s
//!    => [2/3] RUN make                                                       1.1s
//!    => => # cc -o x x.c
//! ```
//!
//! What is drawn never exceeds the height of the terminal, for what has scrolled out of it cannot be drawn over.

use super::Display;
use super::trace::{End, Step, Trace, amount};
use crate::terminal::Size;
use colored::{Color, Colorize};
use engine::api::progress::Event;
use std::fmt::Write;
use std::time::Instant;

/// Lines of output under a step, at most.
const PANEL: usize = 6;
/// A terminal that does not tell its size.
const UNKNOWN: Size = Size { height: 10, width: 80 };

pub(super) struct Tty {
    size: fn() -> Option<Size>,
    /// Lines of the last picture, without its heading; None before the first.
    drawn: Option<usize>,
}

/// A line of the picture.
struct Row {
    name: String,
    status: String,
    seconds: f64,
    color: Option<Color>,
    /// It goes on, and is the last to be left out.
    live: bool,
    panel: Vec<String>,
}

impl Display for Tty {
    fn told(&mut self, _: &Trace, _: &Event, _: Instant, _: &mut String) {}

    fn tick(&mut self, trace: &Trace, now: Instant, out: &mut String) {
        self.draw(trace, now, false, out);
    }

    fn end(&mut self, trace: &Trace, now: Instant, out: &mut String) {
        if !trace.steps.is_empty() {
            self.draw(trace, now, true, out);
        }
    }
}

impl Tty {
    pub(super) fn new(size: fn() -> Option<Size>) -> Self {
        Self { size, drawn: None }
    }

    /// Draws the picture over the last one, in one piece. `whole` is for the last: all rows, however many.
    fn draw(&mut self, trace: &Trace, now: Instant, whole: bool, out: &mut String) {
        let size = (self.size)().filter(|size| size.width > 0 && size.height > 0).unwrap_or(UNKNOWN);
        let (height, width) = (usize::from(size.height), usize::from(size.width));
        let mut rows: Vec<Row> = trace.steps.iter().flat_map(|step| rows(trace, step, now)).collect();
        if !whole {
            fit(&mut rows, height.saturating_sub(2));
            panels(&mut rows, trace, height);
        }
        // The cursor goes back to the heading, and is not seen on its way (ECMA-48: CUU, ED; DECTCEM of the VT510).
        out.push_str("\x1b[?25l");
        if let Some(lines) = self.drawn {
            let _ = write!(out, "\x1b[{}A\r", lines + 1);
        }
        heading(trace, now, whole, width, out);
        let mut lines = 0;
        for row in &rows {
            lines += row.draw(width, out);
        }
        out.push_str("\x1b[J\x1b[?25h");
        self.drawn = Some(lines);
    }
}

fn heading(trace: &Trace, now: Instant, whole: bool, width: usize, out: &mut String) {
    let (done, all) = (trace.steps.iter().filter(|step| step.end.is_some()).count(), trace.steps.len());
    let failed = trace.steps.iter().any(|step| matches!(step.end, Some(End::Failed(..) | End::Cancelled(_))));
    let finished = if whole && all > 0 && !failed { "FINISHED" } else { "" };
    let seconds = now.duration_since(trace.began).as_secs_f64();
    let line = format!("[+] Building {seconds:.1}s ({done}/{all}) {finished}");
    // Writing to a text cannot fail, here and below.
    let _ = writeln!(out, "{}", fill(&line, width - 1));
}

/// The line of a step, and those of its parts.
fn rows(trace: &Trace, step: &Step, now: Instant) -> Vec<Row> {
    let (mark, color) = match &step.end {
        None => ("", None),
        Some(End::Done(_)) => ("", Some(Color::Blue)),
        Some(End::Cached) => ("CACHED ", Some(Color::Blue)),
        Some(End::Failed(..)) => ("ERROR ", Some(Color::Red)),
        Some(End::Cancelled(_)) => ("CANCELED ", Some(Color::Yellow)),
    };
    let live = step.end.is_none();
    let row = |name: String, status: String, seconds: f64, color, live| Row {
        name,
        status,
        seconds,
        color,
        live,
        panel: Vec::new(),
    };
    let mut rows = vec![row(format!("{mark}{}", step.name), String::new(), step.seconds(now), color, live)];
    for reason in &step.reasons {
        rows.push(row(format!("=> {reason}"), String::new(), 0.0, Some(Color::Blue), false));
    }
    for note in &step.notes {
        let seconds = note.ended.unwrap_or(now).duration_since(note.began).as_secs_f64();
        let color = note.ended.is_some().then_some(Color::Blue);
        rows.push(row(format!("=> {}", note.what), amount(note), seconds, color, note.ended.is_none()));
    }
    for warning in trace.warnings.iter().filter(|_| step.reads_dockerfile()) {
        let seconds = step.seconds(now);
        rows.push(row(format!("WARN: {}", warning.short), String::new(), seconds, Some(Color::Yellow), false));
    }
    rows
}

/// Leaves out rows from the top, so many as there is no room for: first those that are done.
fn fit(rows: &mut Vec<Row>, room: usize) {
    let mut surplus = rows.len().saturating_sub(room);
    rows.retain(|row| {
        let out = surplus > 0 && !row.live;
        surplus -= usize::from(out);
        !out
    });
    rows.drain(..surplus.min(rows.len()));
}

/// Gives the steps that run what room is left, for what they wrote last.
fn panels(rows: &mut [Row], trace: &Trace, height: usize) {
    let mut room = height.saturating_sub(2 + rows.len());
    for step in trace.steps.iter().filter(|step| step.end.is_none()) {
        let count = PANEL.min(room);
        let Some(row) = rows.iter_mut().find(|row| row.live && row.name == step.name) else { continue };
        let lines = step.log.lines.iter().chain(&step.log.partial);
        // Without the time before it.
        let lines: Vec<_> = lines.map(|line| plain_text(line.split_once(' ').map_or("", |(_, text)| text))).collect();
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
        row.panel = lines[lines.len().saturating_sub(count)..].to_vec();
        room -= row.panel.len();
    }
}

impl Row {
    /// Writes the row, and returns how many lines that took.
    fn draw(&self, width: usize, out: &mut String) -> usize {
        // Less than a twentieth of a second is noise.
        let timer = format!("{:3.1}s", if self.seconds < 0.05 { 0.0 } else { self.seconds });
        let status = if self.status.is_empty() { String::new() } else { format!(" {}", self.status) };
        let Some(left) = width.checked_sub(" => ".len() + status.len() + timer.len() + 3).filter(|left| *left >= 12)
        else {
            return 0;
        };
        let name: String = self.name.chars().filter(|c| !c.is_control()).take(left).collect();
        let line = format!("{} {timer}", fill(&format!(" => {name}{status}"), width - timer.len() - 2));
        let _ = match self.color {
            Some(color) => writeln!(out, "{}", line.color(color)),
            None => writeln!(out, "{line}"),
        };
        for text in &self.panel {
            let text: String = format!(" => => # {text}").chars().take(width - 1).collect();
            let _ = writeln!(out, "{}", fill(&text, width - 1).dimmed());
        }
        1 + self.panel.len()
    }
}

/// The text, so wide, so that nothing of what was there before remains.
fn fill(text: &str, width: usize) -> String {
    let text: String = text.chars().take(width).collect();
    format!("{text:width$}")
}

/// A line of output as a terminal would have left it: what follows the last carriage return, and no escape sequences.
fn plain_text(line: &str) -> String {
    let line = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
    let mut out = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.next_if_eq(&'[').is_some() => {
                // Parameters and intermediates, then one final character (ECMA-48, section 5.4).
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
            '\x1b' => _ = chars.next(),
            '\t' => out.push_str("    "),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::api::progress::Stream;
    use std::time::Duration;

    /// The last picture, without its colours.
    fn picture(events: &[Event], size: fn() -> Option<Size>, whole: bool) -> String {
        colored::control::set_override(false);
        let mut now = Instant::now();
        let (mut trace, mut tty) = (Trace::new(now, 1000), Tty::new(size));
        for event in events {
            now += Duration::from_millis(100);
            trace.told(event, now);
        }
        let mut out = String::new();
        if whole {
            trace.end(now);
            tty.end(&trace, now, &mut out);
        } else {
            tty.tick(&trace, now, &mut out);
        }
        out.replace("\x1b[?25l", "").replace("\x1b[J\x1b[?25h", "")
    }

    fn events() -> Vec<Event> {
        let text = "one\n\x1b[31mred\x1b[0m\nfirst\rover it\n\n\ttab";
        let warning = Event::Warning {
            rule: "FromAsCasing".into(),
            message: "'as' and 'FROM' keywords' casing do not match".into(),
            url: String::new(),
            file: String::new(),
            line: 1,
            text: String::new(),
        };
        vec![
            Event::Step { id: 0, name: "[internal] load build definition from Dockerfile".into() },
            Event::Status { id: 0, what: "transferring dockerfile:".into(), current: 28, total: None },
            Event::Done { id: 0, seconds: 0.2 },
            warning,
            Event::Step { id: 1, name: "[1/2] FROM docker.io/library/box:latest".into() },
            Event::Cached { id: 1 },
            Event::Step { id: 2, name: "[2/2] RUN make a name that is far too long for its line".into() },
            Event::Output { id: 2, stream: Stream::Stdout, text: text.into() },
        ]
    }

    #[test]
    fn a_build_on_its_way() {
        insta::assert_snapshot!(picture(&events(), || Some(Size { height: 24, width: 60 }), false), @r"
        [+] Building 0.8s (2/3)                                    
         => [internal] load build definition from Dockerfile   0.2s
         => => transferring dockerfile: 28B                    0.1s
         => WARN: FromAsCasing: 'as' and 'FROM' keywords' cas  0.2s
         => CACHED [1/2] FROM docker.io/library/box:latest     0.0s
         => [2/2] RUN make a name that is far too long for it  0.1s
         => => # one                                               
         => => # red                                               
         => => # over it                                           
         => => #     tab                                           
        ");
    }

    #[test]
    fn what_has_no_room_is_left_out_from_the_top() {
        insta::assert_snapshot!(picture(&events(), || Some(Size { height: 5, width: 60 }), false), @r"
        [+] Building 0.8s (2/3)                                    
         => WARN: FromAsCasing: 'as' and 'FROM' keywords' cas  0.2s
         => CACHED [1/2] FROM docker.io/library/box:latest     0.0s
         => [2/2] RUN make a name that is far too long for it  0.1s
        ");
        for (height, width) in [(1, 1), (2, 9), (3, 200), (0, 0)] {
            let mut out = String::new();
            let mut trace = Trace::new(Instant::now(), 10);
            events().iter().for_each(|event| trace.told(event, Instant::now()));
            let mut tty = Tty::new(|| None);
            tty.size = match (height, width) {
                (1, 1) => || Some(Size { height: 1, width: 1 }),
                (2, 9) => || Some(Size { height: 2, width: 9 }),
                (3, 200) => || Some(Size { height: 3, width: 200 }),
                _ => || Some(Size { height: 0, width: 0 }),
            };
            tty.tick(&trace, Instant::now(), &mut out);
            assert!(out.lines().count() <= height.max(10), "{out:?}");
        }
    }

    #[test]
    fn the_last_picture_is_whole() {
        let mut all = events();
        all.push(Event::Failed { id: 2, seconds: 1.0, error: "no".into() });
        insta::assert_snapshot!(picture(&all, || Some(Size { height: 4, width: 60 }), true), @r"
        [+] Building 0.9s (3/3)                                    
         => [internal] load build definition from Dockerfile   0.2s
         => => transferring dockerfile: 28B                    0.1s
         => WARN: FromAsCasing: 'as' and 'FROM' keywords' cas  0.2s
         => CACHED [1/2] FROM docker.io/library/box:latest     0.0s
         => ERROR [2/2] RUN make a name that is far too long   1.0s
        ");
    }

    #[test]
    fn a_picture_is_drawn_over_the_last() {
        let now = Instant::now();
        let (mut trace, mut tty, mut out) = (Trace::new(now, 10), Tty::new(|| None), String::new());
        trace.told(&Event::Step { id: 0, name: "a".into() }, now);
        tty.tick(&trace, now, &mut out);
        assert!(!out.contains('A'), "{out:?}");
        out.clear();
        tty.tick(&trace, now, &mut out);
        assert!(out.starts_with("\x1b[?25l\x1b[2A\r[+] Building"), "{out:?}");
    }
}
