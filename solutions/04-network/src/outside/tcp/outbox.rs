//! What the socket says, on its way to the container: sent, and kept until it is acknowledged.

use super::super::packet::{Says, Segment, flag};
use super::super::wire::Wire;
use super::{AGAIN, Connection, SCALE, State, give_back};
use std::io::{ErrorKind, Read};
use std::time::Instant;

impl Connection {
    pub(super) fn take_acknowledgement(&mut self, segment: &Segment<'_>) {
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

    pub(super) fn pump_socket(&mut self, wire: &mut Wire) -> Result<(), ()> {
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
    pub(super) fn send(&mut self, wire: &mut Wire) {
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

    pub(super) fn our_window(&self, room: usize) -> u32 {
        let most = if self.scale.is_some() { (u32::from(u16::MAX)) << SCALE } else { u32::from(u16::MAX) };
        (room.saturating_sub(self.inbox.len()) as u32).min(most)
    }

    pub(super) fn say(&mut self, wire: &mut Wire, flags: u8, sequence: u32, data: std::ops::Range<usize>) {
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
    pub(super) fn go_back(&mut self) {
        self.next = self.first;
        self.our_end_sent &= self.our_end_known;
    }
}
