//! The loop: packets from the containers, and what comes from the world.

use super::packet::{self, Datagram, Echo, Flow, Packet, Segment, flag, unreachable};
use super::places::{self, place};
use super::talk::{Kind, Talk};
use super::tcp::{Connection, Fate};
use super::wire::{MTU, Wire};
use crate::{Error, Result};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Connections at once, and others. (Fewer where a process may not have so many descriptors.)
const CONNECTIONS: usize = 2048;
const TALKS: usize = 1024;
/// How much a connection may hold for each side; and how much, when all together hold more than is good.
const ROOM: usize = 1 << 19;
const LITTLE_ROOM: usize = 1 << 13;
const MUCH: usize = 1 << 26;
/// Packets in one turn, before the world is served.
const TURN: usize = 64;
/// How often we look at the time, when something is awaited, and when not.
const TICK: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(5);
/// The event of the wire. The others are places in `slots`.
const WIRE: u64 = u64::MAX;

#[derive(Debug)]
enum Slot {
    Free,
    Connection(Box<Connection>),
    Talk(Talk),
}

/// The sockets of the host behind one link.
#[derive(Debug)]
pub struct Stack {
    wire: Wire,
    epoll: OwnedFd,
    slots: Vec<Slot>,
    free: Vec<usize>,
    connections: HashMap<Flow, usize>,
    talks: HashMap<(Kind, Flow), usize>,
    most_connections: usize,
    most_talks: usize,
    secret: RandomState,
    /// Slots in which something has come, and is to be passed on.
    touched: Vec<usize>,
    next_tick: Instant,
}

impl Stack {
    /// Behind a link that [`open_link`](super::open_link) has made.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn new(tun: OwnedFd) -> Result<Self> {
        let failed = Error::kernel("wait for packets");
        let wire = Wire::new(tun, ROOM);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .and_then(|epoll| {
                epoll::add(&epoll, &wire, EventData::new_u64(WIRE), EventFlags::IN)?;
                Ok(epoll)
            })
            .map_err(failed)?;
        let descriptors = descriptors().saturating_sub(64);
        Ok(Self {
            wire,
            epoll,
            slots: Vec::new(),
            free: Vec::new(),
            connections: HashMap::new(),
            talks: HashMap::new(),
            most_connections: CONNECTIONS.min(descriptors * 2 / 3),
            most_talks: TALKS.min(descriptors / 3),
            secret: RandomState::new(),
            touched: Vec::new(),
            next_tick: Instant::now() + TICK,
        })
    }

    /// Serves, until the link is gone.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn serve(mut self) -> Result<()> {
        let mut events = Vec::with_capacity(256);
        loop {
            let wait = match self.slots.len() == self.free.len() {
                true => None,
                false => Some(self.next_tick.saturating_duration_since(Instant::now())),
            };
            let wait = wait.and_then(|wait| wait.try_into().ok());
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), wait.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::kernel("wait for packets")(errno)),
            }
            for event in &events {
                let (data, flags) = (event.data, event.flags);
                match data.u64() {
                    WIRE if flags.intersects(EventFlags::ERR | EventFlags::HUP) => return Ok(()),
                    WIRE => self.read_wire(),
                    slot => self.hear(slot as usize, flags),
                }
            }
            self.pump_touched();
            let now = Instant::now();
            if now >= self.next_tick {
                self.tick(now);
            }
        }
    }

    fn read_wire(&mut self) {
        let mut bytes = [0; MTU as usize];
        for _ in 0..TURN {
            let Some(count) = self.wire.read(&mut bytes) else { return };
            if let Some(packet) = bytes.get(..count).and_then(Packet::parse) {
                self.take(&packet);
            }
        }
    }

    /// A packet from a container.
    fn take(&mut self, packet: &Packet<'_>) {
        match packet.protocol {
            packet::TCP => {
                if let Some(segment) = Segment::parse(packet) {
                    self.take_segment(packet, &segment);
                }
            }
            packet::UDP => {
                if let Some(datagram) = Datagram::parse(packet) {
                    self.with_talk(packet, Kind::Datagrams, datagram.flow, |talk, wire| talk.pass_on(&datagram, wire));
                }
            }
            packet::ICMP => {
                let Some(echo) = Echo::parse(packet) else { return };
                if packet.destination == places::HOST {
                    return self.wire.echo_reply(&echo.flow, echo.message);
                }
                self.with_talk(packet, Kind::Pings, echo.flow, |talk, wire| talk.pass_ping(&echo, wire));
            }
            _ => self.refuse(packet, unreachable::PROTOCOL),
        }
    }

    fn refuse(&mut self, packet: &Packet<'_>, code: u8) {
        self.wire.unreachable_for(packet.source, code, packet.quote);
    }

    fn take_segment(&mut self, packet: &Packet<'_>, segment: &Segment<'_>) {
        let Some(&index) = self.connections.get(&segment.flow) else {
            return match segment.flags & (flag::SYN | flag::ACK | flag::RST) {
                flag::SYN => self.call(packet, segment),
                flags if flags & flag::RST != 0 => {}
                _ => self.reset(segment),
            };
        };
        let Some(Slot::Connection(connection)) = self.slots.get_mut(index) else { return };
        match connection.take(segment, &mut self.wire) {
            Fate::Lives => self.touch(index),
            Fate::Over => self.forget(index),
        }
    }

    /// There is no such connection (any more).
    fn reset(&mut self, segment: &Segment<'_>) {
        let (sequence, flags) = match segment.has(flag::ACK) {
            true => (segment.acknowledged, flag::RST),
            false => (0, flag::RST | flag::ACK),
        };
        let acknowledged = segment.sequence.wrapping_add(segment.length());
        let says = packet::Says { sequence, acknowledged, flags, window: 0, syn: None };
        self.wire.segment(&segment.flow, &says, (&[], &[]));
    }

    /// A container wants to connect.
    fn call(&mut self, packet: &Packet<'_>, syn: &Segment<'_>) {
        let Some(place) = place(syn.flow.outer) else { return self.refuse(packet, unreachable::HOST) };
        if self.connections.len() >= self.most_connections {
            self.forget_a_call();
        }
        if self.connections.len() >= self.most_connections {
            return self.reset(syn);
        }
        let family = if place.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP));
        let socket = socket.and_then(|socket| {
            // The container has its own rule for how long small pieces wait.
            sockopt::set_tcp_nodelay(&socket, true)?;
            sockopt::set_socket_keepalive(&socket, true)?;
            match rustix::net::connect(&socket, &place) {
                Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
                Err(errno) => Err(errno),
            }
        });
        match socket {
            Ok(socket) => {
                // Nobody outside shall guess where it begins (RFC 6528).
                let initial = self.secret.hash_one((syn.flow, Instant::now())) as u32;
                let connection = Connection::new(syn, TcpStream::from(socket), initial, MTU as usize);
                let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                if let Some(index) = self.settle(Slot::Connection(connection.into()), flags) {
                    self.connections.insert(syn.flow, index);
                }
            }
            Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::CONNREFUSED) => self.reset(syn),
            Err(_) => self.refuse(packet, unreachable::HOST),
        }
    }

    /// Of those who still wait for an answer, one goes: so that whoever calls everybody does not keep all others from calling.
    fn forget_a_call(&mut self) {
        let calling = |slot: &Slot| matches!(slot, Slot::Connection(connection) if connection.is_calling());
        if let Some(index) = self.slots.iter().position(calling) {
            self.forget(index);
        }
    }

    fn with_talk(&mut self, packet: &Packet<'_>, kind: Kind, flow: Flow, say: impl FnOnce(&mut Talk, &mut Wire)) {
        let known = self.talks.get(&(kind, flow)).copied();
        let Some(index) = known.or_else(|| self.begin_talk(packet, kind, flow)) else { return };
        if let Some(Slot::Talk(talk)) = self.slots.get_mut(index) {
            say(talk, &mut self.wire);
        }
    }

    fn begin_talk(&mut self, packet: &Packet<'_>, kind: Kind, flow: Flow) -> Option<usize> {
        let asked = match kind {
            Kind::Datagrams => flow.outer,
            Kind::Pings => std::net::SocketAddrV4::new(*flow.outer.ip(), 1),
        };
        let Some(place) = place(asked) else {
            self.refuse(packet, unreachable::HOST);
            return None;
        };
        if self.talks.len() >= self.most_talks {
            let silent = self.talks.values().copied().min_by_key(|index| match &self.slots[*index] {
                Slot::Talk(talk) => Some(talk.last),
                _ => None,
            });
            silent.into_iter().for_each(|index| self.forget(index));
        }
        match Talk::begin(flow, kind, place) {
            Ok(talk) => {
                let index = self.settle(Slot::Talk(talk), EventFlags::IN)?;
                self.talks.insert((kind, flow), index);
                Some(index)
            }
            Err(Errno::ACCESS | Errno::PERM) => {
                self.refuse(packet, unreachable::PROHIBITED);
                None
            }
            Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS) => None,
            Err(_) => {
                self.refuse(packet, unreachable::HOST);
                None
            }
        }
    }

    fn settle(&mut self, slot: Slot, flags: EventFlags) -> Option<usize> {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            self.slots.len() - 1
        });
        let data = EventData::new_u64(index as u64);
        let added = match &slot {
            Slot::Connection(connection) => epoll::add(&self.epoll, &connection.socket, data, flags),
            Slot::Talk(talk) => epoll::add(&self.epoll, talk.as_fd(), data, flags),
            Slot::Free => Ok(()),
        };
        if added.is_err() {
            self.free.push(index);
            return None;
        }
        self.slots[index] = slot;
        self.next_tick = self.next_tick.min(Instant::now() + TICK);
        Some(index)
    }

    /// Its socket is closed by this, and no longer waited for.
    fn forget(&mut self, index: usize) {
        match std::mem::replace(&mut self.slots[index], Slot::Free) {
            Slot::Connection(connection) => drop(self.connections.remove(&connection.flow)),
            Slot::Talk(talk) => drop(self.talks.remove(&(talk.kind, talk.flow))),
            Slot::Free => return,
        }
        self.free.push(index);
    }

    fn touch(&mut self, index: usize) {
        if !self.touched.contains(&index) {
            self.touched.push(index);
        }
    }

    /// Something has come from the world. (Perhaps for one who had this place a moment ago: then this one looks in vain.)
    fn hear(&mut self, index: usize, flags: EventFlags) {
        match self.slots.get_mut(index) {
            Some(Slot::Talk(talk)) => talk.pass_back(&mut self.wire),
            Some(Slot::Connection(connection)) => {
                let over = flags.intersects(EventFlags::ERR | EventFlags::HUP);
                connection.readable |= over || flags.intersects(EventFlags::IN | EventFlags::RDHUP);
                connection.writable |= over || flags.contains(EventFlags::OUT);
                if connection.is_calling() && connection.writable {
                    match sockopt::socket_error(&connection.socket) {
                        Ok(Ok(())) => connection.answer(&mut self.wire),
                        Ok(Err(Errno::CONNREFUSED | Errno::CONNRESET)) => {
                            connection.refuse(&mut self.wire);
                            return self.forget(index);
                        }
                        Ok(Err(_)) | Err(_) => {
                            connection.get_nowhere(&mut self.wire);
                            return self.forget(index);
                        }
                    }
                }
                self.touch(index);
            }
            Some(Slot::Free) | None => {}
        }
    }

    fn pump_touched(&mut self) {
        for index in std::mem::take(&mut self.touched) {
            let Some(Slot::Connection(connection)) = self.slots.get_mut(index) else { continue };
            let fate = connection.pump(&mut self.wire);
            if connection.waits() {
                self.next_tick = self.next_tick.min(Instant::now() + TICK);
            }
            if fate == Fate::Over {
                self.forget(index);
            }
        }
    }

    /// Does what is due, and sees to it that nobody holds too much.
    fn tick(&mut self, now: Instant) {
        let (mut held, mut hurry, mut over) = (0, false, Vec::new());
        for (index, slot) in self.slots.iter_mut().enumerate() {
            match slot {
                Slot::Connection(connection) => {
                    if connection.tick(now, &mut self.wire) == Fate::Over {
                        over.push(index);
                    }
                    hurry |= connection.waits() || connection.is_calling();
                    held += connection.held();
                }
                Slot::Talk(talk) if now >= talk.last + talk.patience() => over.push(index),
                Slot::Talk(_) | Slot::Free => {}
            }
        }
        over.into_iter().for_each(|index| self.forget(index));
        self.wire.room = if held > MUCH { LITTLE_ROOM } else { ROOM };
        self.next_tick = now + if hurry || held > 0 { TICK } else { IDLE };
    }
}

/// How many descriptors this process may have: as many as it may allow itself (getrlimit(2)).
fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Those that we have will do otherwise.
    let _same = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |count| count as usize)
}
