//! One connection of a container's: its half of TCP is spoken here, and what it says goes into an ordinary socket of the host.
//!
//! ```text
//!   container ── segments ──▶ inbox ──▶ socket ──▶ the world
//!             ◀── segments ── outbox ◀── socket ◀──
//! ```
//!
//! What was acknowledged to the container is ours to deliver, and so waits in the inbox while the socket has no room; what was sent
//! to it waits in the outbox until it is acknowledged. Both are bounded, and by that the windows. The way between us and the
//! container is memory: there is no congestion to control, and what is lost on it after all is sent again.

use super::packet::{Flow, Says, Segment, flag};
use super::wire::Wire;
use rustix::net::Shutdown;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Our windows are told in units of sixteen bytes.
const SCALE: u8 = 4;
/// After so long without an answer a segment is sent again, and each time after twice as long.
const AGAIN: Duration = Duration::from_millis(250);
const TIMES: u32 = 8;
/// How long the world may take to answer a call.
const CALLING: Duration = Duration::from_secs(60);
/// Segments that may come before their turn.
const EARLY: usize = 64;
/// A container that says nothing for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(75);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The host's socket is not connected yet.
    Calling,
    /// We have said SYN and ACK.
    Answering,
    Open,
}

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Lives,
    Over,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub flow: Flow,
    pub socket: TcpStream,
    state: State,
    /// What the container will say next, and how far it was told that we have heard.
    heard: u32,
    told: u32,
    told_window: u32,
    must_tell: bool,
    inbox: VecDeque<u8>,
    /// What came before its turn: where it belongs, and whether it is the end.
    early: Vec<(u32, Vec<u8>, bool)>,
    /// The container has no more to say; and the world knows.
    their_end: bool,
    their_end_passed: bool,
    /// The first byte that is not acknowledged, and the next one to be sent.
    first: u32,
    next: u32,
    /// How far it ever got, before it began again.
    furthest: u32,
    outbox: VecDeque<u8>,
    /// The world has no more to say; the container was told; and knows.
    our_end: bool,
    our_end_sent: bool,
    our_end_known: bool,
    /// How much the container will take, and in which pieces.
    window: u32,
    scale: Option<u8>,
    largest: usize,
    /// The socket may have something, or room.
    pub readable: bool,
    pub writable: bool,
    repeated: u32,
    tries: u32,
    again: Option<Instant>,
    since: Instant,
    last: Instant,
}

impl Connection {
    /// For the SYN of a container, and a socket that was told to connect.
    pub(super) fn new(syn: &Segment<'_>, socket: TcpStream, initial: u32, mtu: usize) -> Self {
        let now = Instant::now();
        // Who says nothing means 536 (RFC 9293, 3.7.1).
        let largest = usize::from(syn.largest.unwrap_or(536)).clamp(64, mtu - 40);
        let heard = syn.sequence.wrapping_add(1);
        Self {
            flow: syn.flow,
            socket,
            state: State::Calling,
            heard,
            told: heard,
            told_window: 0,
            must_tell: false,
            inbox: VecDeque::new(),
            early: Vec::new(),
            their_end: false,
            their_end_passed: false,
            first: initial,
            next: initial,
            furthest: initial,
            outbox: VecDeque::new(),
            our_end: false,
            our_end_sent: false,
            our_end_known: false,
            window: u32::from(syn.window),
            scale: syn.scale,
            largest,
            readable: false,
            writable: false,
            repeated: 0,
            tries: 0,
            again: None,
            since: now,
            last: now,
        }
    }

    pub(super) fn is_calling(&self) -> bool {
        self.state == State::Calling
    }

    /// What it holds in memory.
    pub(super) fn held(&self) -> usize {
        let early: usize = self.early.iter().map(|(_, data, _)| data.len()).sum();
        self.inbox.capacity() + self.outbox.capacity() + early
    }

    /// Whether something of ours is not acknowledged.
    pub(super) fn waits(&self) -> bool {
        self.again.is_some()
    }

    /// The world has answered the call.
    pub(super) fn answer(&mut self, wire: &mut Wire) {
        self.state = State::Answering;
        self.say_syn(wire);
        self.advance(1);
        self.again = Some(Instant::now() + AGAIN);
    }

    fn advance(&mut self, count: usize) {
        self.next = self.next.wrapping_add(count as u32);
        if (self.next.wrapping_sub(self.furthest) as i32) > 0 {
            self.furthest = self.next;
        }
    }

    fn say_syn(&mut self, wire: &mut Wire) {
        let syn = Some(((wire.mtu - 40) as u16, self.scale.map(|_| SCALE)));
        let says = Says {
            sequence: self.first,
            acknowledged: self.heard,
            flags: flag::SYN | flag::ACK,
            window: u16::MAX,
            syn,
        };
        wire.segment(&self.flow, &says, (&[], &[]));
    }

    /// A segment has come. What is to be said in return is said by `pump`.
    pub(super) fn take(&mut self, segment: &Segment<'_>, wire: &mut Wire) -> Fate {
        self.last = Instant::now();
        if self.again.is_none() {
            self.tries = 0;
        }
        if self.state == State::Calling {
            return if segment.has(flag::RST) { Fate::Over } else { Fate::Lives };
        }
        let behind = self.heard.wrapping_sub(segment.sequence) as i32;
        if segment.has(flag::RST) {
            // Only one that speaks of the present: an old one may come late.
            let now = -(self.told_window as i32)..=0;
            return if now.contains(&behind) { self.reset() } else { Fate::Lives };
        }
        if segment.has(flag::SYN) {
            match self.state {
                State::Answering => self.say_syn(wire),
                _ => self.must_tell = true,
            }
            return Fate::Lives;
        }
        if !segment.has(flag::ACK) {
            return Fate::Lives;
        }
        self.take_acknowledgement(segment);
        if self.state == State::Open && segment.length() > 0 {
            self.must_tell = true;
            return self.take_data(segment, behind, wire);
        }
        // A question whether we are still there: a byte that we have had already.
        self.must_tell |= behind > 0;
        Fate::Lives
    }

    fn take_acknowledgement(&mut self, segment: &Segment<'_>) {
        let acknowledged = segment.acknowledged.wrapping_sub(self.first);
        if acknowledged > self.furthest.wrapping_sub(self.first) {
            // Of something we have never said, or long ago.
            self.must_tell |= (acknowledged as i32) > 0;
            return;
        }
        let window = u32::from(segment.window) << self.scale.unwrap_or(0);
        if acknowledged > 0 {
            let mut data = acknowledged as usize;
            if self.state == State::Answering {
                self.state = State::Open;
                data -= 1;
            } else if data > self.outbox.len() {
                self.our_end_known = true;
                data -= 1;
            }
            self.outbox.drain(..data.min(self.outbox.len()));
            give_back(&mut self.outbox);
            self.first = segment.acknowledged;
            // It had arrived all the same, while we began again.
            if (self.first.wrapping_sub(self.next) as i32) > 0 {
                self.next = self.first;
            }
            (self.repeated, self.tries) = (0, 0);
            self.again = (self.in_flight() > 0).then(|| Instant::now() + AGAIN);
        } else if self.in_flight() > 0 && segment.payload.is_empty() && window == self.window {
            self.repeated += 1;
            if self.repeated == 3 {
                self.go_back();
            }
        }
        self.window = window;
    }

    /// `behind`: how many of its bytes we have had already.
    fn take_data(&mut self, segment: &Segment<'_>, behind: i32, wire: &mut Wire) -> Fate {
        let (room, ends) = (wire.room, segment.has(flag::FIN));
        if behind < 0 {
            // Something before it is late, on another processor's queue, or lost. Each time this is told by itself: with the third, what is
            // missing is sent again.
            let early: usize = self.early.iter().map(|(_, data, _)| data.len()).sum();
            if self.early.len() < EARLY && early + self.inbox.len() + segment.payload.len() <= room {
                self.early.push((segment.sequence, segment.payload.to_vec(), ends));
            }
            self.say(wire, flag::ACK, self.next, 0..0);
            return Fate::Lives;
        }
        let mut fate = self.hear(segment.sequence, segment.payload, ends, room);
        while fate == Fate::Lives
            && let Some(at) = self.early.iter().position(|early| self.heard.wrapping_sub(early.0) as i32 >= 0)
        {
            let (sequence, data, ends) = self.early.swap_remove(at);
            fate = self.hear(sequence, &data, ends, room);
        }
        fate
    }

    /// Takes what is new of this.
    fn hear(&mut self, sequence: u32, payload: &[u8], ends: bool, room: usize) -> Fate {
        let Some(data) = payload.get(self.heard.wrapping_sub(sequence) as usize..) else { return Fate::Lives };
        if self.their_end {
            return Fate::Lives;
        }
        let mut taken = 0;
        if self.inbox.is_empty() && self.writable {
            match self.write(data) {
                Ok(count) => taken = count,
                Err(()) => return Fate::Over,
            }
        }
        let rest = data.get(taken..).unwrap_or_default();
        let fits = rest.len().min(room.saturating_sub(self.inbox.len()));
        self.inbox.extend(&rest[..fits]);
        self.heard = self.heard.wrapping_add((taken + fits) as u32);
        if ends && taken + fits == data.len() {
            self.heard = self.heard.wrapping_add(1);
            self.their_end = true;
        }
        Fate::Lives
    }

    /// Passes on all that can be passed on, in both directions.
    pub(super) fn pump(&mut self, wire: &mut Wire) -> Fate {
        if self.state == State::Calling {
            return Fate::Lives;
        }
        if self.pump_inbox().and_then(|()| self.pump_socket(wire)).is_err() {
            return self.fail(wire);
        }
        if self.state == State::Open {
            self.send(wire);
        }
        let window = self.our_window(wire.room);
        let opened = window >= self.told_window + 0x10000 || (self.told_window < 0x4000 && window >= 0x8000);
        if self.state == State::Open && (self.must_tell || self.told != self.heard || opened) {
            self.say(wire, flag::ACK, self.next, 0..0);
        }
        if self.their_end_passed && self.our_end_known { Fate::Over } else { Fate::Lives }
    }

    fn pump_inbox(&mut self) -> Result<(), ()> {
        while !self.inbox.is_empty() && self.writable {
            let mut inbox = std::mem::take(&mut self.inbox);
            let written = self.write(inbox.as_slices().0);
            drop(inbox.drain(..written.unwrap_or(0)));
            self.inbox = inbox;
            written?;
        }
        give_back(&mut self.inbox);
        if self.their_end && self.inbox.is_empty() && !self.their_end_passed {
            self.their_end_passed = true;
            // It may be reset already: then reading tells.
            let _told = rustix::net::shutdown(&self.socket, Shutdown::Write);
        }
        Ok(())
    }

    /// How many bytes the socket took.
    fn write(&mut self, data: &[u8]) -> Result<usize, ()> {
        let mut written = 0;
        while written < data.len() {
            match self.socket.write(&data[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.writable = false;
                    break;
                }
                Err(_) => return Err(()),
            }
        }
        Ok(written)
    }

    fn pump_socket(&mut self, wire: &mut Wire) -> Result<(), ()> {
        while self.readable && !self.our_end && self.outbox.len() < wire.room {
            let fits = wire.buffer.len().min(wire.room - self.outbox.len());
            match self.socket.read(&mut wire.buffer[..fits]) {
                Ok(0) => self.our_end = true,
                Ok(count) => self.outbox.extend(&wire.buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(_) => return Err(()),
            }
        }
        Ok(())
    }

    /// Sends what the container will take.
    fn send(&mut self, wire: &mut Wire) {
        loop {
            let in_flight = self.in_flight() as usize;
            let unsent = self.outbox.len().saturating_sub(in_flight);
            let allowed = (self.window as usize).saturating_sub(in_flight);
            let count = unsent.min(allowed).min(self.largest);
            // No crumbs: with something on the way, the window will open further (RFC 9293, 3.8.6.2.1).
            if count == 0 || self.our_end_sent || (count < unsent.min(self.largest) && in_flight > 0) {
                break;
            }
            let flags = if count == unsent { flag::ACK | flag::PSH } else { flag::ACK };
            self.say(wire, flags, self.next, in_flight..in_flight + count);
            self.advance(count);
        }
        if self.our_end && !self.our_end_sent && self.in_flight() as usize == self.outbox.len() {
            self.say(wire, flag::ACK | flag::FIN, self.next, 0..0);
            self.our_end_sent = true;
            self.advance(1);
        }
        // With nothing on the way and no window, we must ask when there is one.
        if self.again.is_none() && (self.in_flight() > 0 || !self.outbox.is_empty()) {
            self.again = Some(Instant::now() + AGAIN);
        }
    }

    fn in_flight(&self) -> u32 {
        self.next.wrapping_sub(self.first)
    }

    fn our_window(&self, room: usize) -> u32 {
        let most = if self.scale.is_some() { (u32::from(u16::MAX)) << SCALE } else { u32::from(u16::MAX) };
        (room.saturating_sub(self.inbox.len()) as u32).min(most)
    }

    fn say(&mut self, wire: &mut Wire, flags: u8, sequence: u32, data: std::ops::Range<usize>) {
        let scale = self.scale.map_or(0, |_| SCALE);
        let window = self.our_window(wire.room) >> scale;
        (self.told, self.told_window, self.must_tell) = (self.heard, window << scale, false);
        let says = Says { sequence, acknowledged: self.heard, flags, window: window as u16, syn: None };
        let (head, tail) = self.outbox.as_slices();
        let cut = |piece: &'_ [u8], start: usize| {
            let from = data.start.saturating_sub(start).min(piece.len());
            from..data.end.saturating_sub(start).min(piece.len())
        };
        wire.segment(&self.flow, &says, (&head[cut(head, 0)], &tail[cut(tail, head.len())]));
    }

    /// Begins again with the first that was not acknowledged.
    fn go_back(&mut self) {
        self.next = self.first;
        self.our_end_sent &= self.our_end_known;
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Instant, wire: &mut Wire) -> Fate {
        if self.state == State::Calling {
            if now >= self.since + CALLING {
                return self.get_nowhere(wire);
            }
            return Fate::Lives;
        }
        if self.again.is_some_and(|again| now >= again) {
            // It does not answer at all, or only with closed windows, which is its right.
            if self.tries >= TIMES && now >= self.last + SILENCE {
                return self.fail(wire);
            }
            self.tries += 1;
            self.again = Some(now + AGAIN * (1 << self.tries.min(5)));
            match self.state {
                State::Answering if self.tries >= TIMES => return self.fail(wire),
                State::Answering => self.say_syn(wire),
                _ => {
                    self.go_back();
                    // A byte that it need not take, but must answer.
                    self.window = self.window.max(1);
                    self.send(wire);
                }
            }
        } else if now >= self.last + SILENCE * (self.tries + 1) {
            if self.tries >= TIMES {
                return self.fail(wire);
            }
            self.tries += 1;
            self.say(wire, flag::ACK, self.first.wrapping_sub(1), 0..0);
        }
        Fate::Lives
    }

    /// The world does not answer the call.
    pub(super) fn get_nowhere(&self, wire: &mut Wire) -> Fate {
        wire.unreachable(&self.flow, self.heard.wrapping_sub(1));
        Fate::Over
    }

    /// Nobody listens there.
    pub(super) fn refuse(&mut self, wire: &mut Wire) {
        let flags = flag::RST | flag::ACK;
        let says = Says { sequence: 0, acknowledged: self.heard, flags, window: 0, syn: None };
        wire.segment(&self.flow, &says, (&[], &[]));
    }

    /// Neither side shall wait for the other.
    pub(super) fn fail(&mut self, wire: &mut Wire) -> Fate {
        let says =
            Says { sequence: self.next, acknowledged: self.heard, flags: flag::RST | flag::ACK, window: 0, syn: None };
        wire.segment(&self.flow, &says, (&[], &[]));
        self.reset()
    }

    /// The world is told that the container hung up in the middle: not by an end, but by a reset (socket(7), SO_LINGER).
    fn reset(&mut self) -> Fate {
        let _told = rustix::net::sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO));
        Fate::Over
    }
}

/// Who is idle holds no memory.
fn give_back(queue: &mut VecDeque<u8>) {
    if queue.is_empty() && queue.capacity() > 0x4000 {
        *queue = VecDeque::new();
    }
}
