//! What the container says, on its way to the socket.

use super::super::packet::{Segment, flag};
use super::super::wire::Wire;
use super::{Connection, Fate, give_back};
use rustix::net::Shutdown;
use std::io::{ErrorKind, Write};

/// Segments that may come before their turn.
const EARLY: usize = 64;

impl Connection {
    /// `behind`: how many of its bytes we have had already.
    pub(super) fn take_data(&mut self, segment: &Segment<'_>, behind: i32, wire: &mut Wire) -> Fate {
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

    pub(super) fn pump_inbox(&mut self) -> Result<(), ()> {
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
}
