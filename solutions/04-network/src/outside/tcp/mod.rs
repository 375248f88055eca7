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

mod inbox;
mod outbox;

use super::packet::{Flow, Says, Segment, flag};
use super::wire::Wire;
use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Our windows are told in units of sixteen bytes.
const SCALE: u8 = 4;
/// After so long without an answer a segment is sent again, and each time after twice as long.
const AGAIN: Duration = Duration::from_millis(250);
const TIMES: u32 = 8;
/// How long the world may take to answer a call.
const CALLING: Duration = Duration::from_secs(60);
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
