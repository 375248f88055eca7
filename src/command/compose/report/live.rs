//! One line for each thing that something is done to, on a terminal, drawn again and again in its place.

use crate::terminal::size_of;
use ::compose::steps::{Part, State, Step};
use colored::{Color, Colorize as _};
use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// What is said of an image while it is built.
const BUILDING: &str = "Building";
const TICK: Duration = Duration::from_millis(100);
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

pub(super) struct Live {
    what: String,
    begun: Instant,
    drawing: RefCell<Drawing>,
    /// A build has the terminal.
    suspended: Cell<bool>,
    ticker: RefCell<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Drawing {
    lines: Vec<Line>,
    /// So many are on the terminal.
    height: usize,
}

struct Line {
    step: Step,
    parts: Vec<Part>,
    begun: Instant,
    ended: Option<Instant>,
}

impl Live {
    pub fn start(what: &str) -> Rc<Self> {
        let live = Rc::new(Self {
            what: what.to_owned(),
            begun: Instant::now(),
            drawing: RefCell::default(),
            suspended: Cell::default(),
            ticker: RefCell::default(),
        });
        let weak = Rc::downgrade(&live);
        let ticker = tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(TICK).await;
                let Some(live) = weak.upgrade() else { return };
                live.draw();
            }
        });
        live.ticker.replace(Some(ticker));
        live
    }

    pub fn step(&self, step: Step) {
        let now = Instant::now();
        let ended = (step.state != State::Working).then_some(now);
        let is_build = step.text == BUILDING;
        {
            let lines = &mut self.drawing.borrow_mut().lines;
            match lines.iter_mut().find(|line| line.step.object == step.object) {
                Some(line) => (line.step, line.ended) = (step, ended),
                None => lines.push(Line { step, parts: Vec::new(), begun: now, ended }),
            }
        }
        if is_build && !self.suspended.replace(true) {
            self.erase();
        }
        self.suspended.set(is_build);
        self.draw();
    }

    /// Drawn with the next tick: there are many of them.
    pub fn part(&self, object: &str, part: Part) {
        let lines = &mut self.drawing.borrow_mut().lines;
        let Some(line) = lines.iter_mut().find(|line| line.step.object == object) else { return };
        match line.parts.iter_mut().find(|known| known.id == part.id) {
            Some(known) => *known = part,
            None => line.parts.push(part),
        }
    }

    /// Makes room for a build's own display.
    fn erase(&self) {
        let height = std::mem::take(&mut self.drawing.borrow_mut().height);
        if height > 0 {
            // Nobody to see it is no reason to stop.
            let _ = write!(std::io::stderr().lock(), "\x1b[{height}A\r\x1b[J");
        }
    }

    /// Leaves what is drawn where it is.
    pub fn end(&self) {
        if let Some(ticker) = self.ticker.take() {
            ticker.abort();
        }
        self.draw();
    }

    fn draw(&self) {
        let drawing = &mut *self.drawing.borrow_mut();
        if drawing.lines.is_empty() || self.suspended.get() {
            return;
        }
        let size = size_of(&std::io::stderr()).unwrap_or_default();
        let width = if size.width == 0 { 80 } else { usize::from(size.width) };
        let room = if size.height == 0 { 24 } else { usize::from(size.height) }.saturating_sub(2).max(1);
        let now = Instant::now();
        let done = drawing.lines.iter().filter(|line| line.ended.is_some()).count();
        // Hidden while it moves, so that it does not flicker.
        let mut text = String::from("\x1b[?25l");
        if drawing.height > 0 {
            text += &format!("\x1b[{}A\r", drawing.height);
        }
        text += &format!("[+] {} {done}/{}\x1b[K\n", self.what, drawing.lines.len());
        let hidden = drawing.lines.len().saturating_sub(room);
        // Who has not fitted for the longest time is not seen: the last ones are where something happens.
        let shown = &drawing.lines[hidden..];
        let widest = shown.iter().map(|line| line.step.object.chars().count()).max().unwrap_or(0).min(width / 2);
        for line in shown {
            text += &line.text(self.begun, now, widest, width);
            text += "\x1b[K\n";
        }
        text += "\x1b[J\x1b[?25h";
        drawing.height = shown.len() + 1;
        // Nobody to see it is no reason to stop.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

impl Line {
    fn text(&self, begun: Instant, now: Instant, widest: usize, width: usize) -> String {
        let Step { object, text, details, state } = &self.step;
        let details = if *state == State::Working && !self.parts.is_empty() { &bars(&self.parts) } else { details };
        let tick = (now - begun).as_millis() / TICK.as_millis();
        let (sign, colour) = match state {
            State::Working => (SPINNER[tick as usize % SPINNER.len()], Color::Blue),
            State::Done => ("✔", Color::Green),
            State::Warning => ("!", Color::Yellow),
            State::Failed => ("✘", Color::Red),
        };
        let object: String = object.chars().take(widest).collect();
        let time = format!("{:.1}s", (self.ended.unwrap_or(now) - self.begun).as_secs_f64());
        // The sign, the spaces, and the time keep their place; what is said gets the rest.
        let room = width.saturating_sub(widest + 6 + time.len());
        let said: String = format!("{text} {details}").trim_end().chars().take(room).collect();
        let pad = room.saturating_sub(said.chars().count());
        format!(
            " {} {object:widest$} {}{:pad$} {}",
            sign.color(colour),
            said.color(colour),
            "",
            time.color(Color::Blue)
        )
    }
}

/// A bar for each part, and how much of them is here: `[⣿⣀ ] 1.2MB / 3.4MB`.
fn bars(parts: &[Part]) -> String {
    const BARS: [char; 9] = ['⠀', '⡀', '⣀', '⣄', '⣤', '⣦', '⣶', '⣷', '⣿'];
    let full = BARS.len() as u64 - 1;
    let bar = |part: &Part| match part.total {
        _ if part.done => BARS[BARS.len() - 1],
        0 => BARS[0],
        total => BARS[(part.current.min(total) * full / total) as usize],
    };
    let bars: String = parts.iter().map(bar).collect();
    let (current, total) =
        parts.iter().fold((0, 0), |(current, total), part| (current + part.current, total + part.total));
    let megabytes = |bytes: u64| format!("{:.1}MB", bytes as f64 / 1e6);
    if total == 0 { format!("[{bars}]") } else { format!("[{bars}] {} / {}", megabytes(current), megabytes(total)) }
}
