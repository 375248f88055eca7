//! Published ports where no packet can be sent on: an ordinary user's. Who connects to the port of the host is accepted by us, we
//! connect to the container, and copy; and so with datagrams.
//!
//! The listening sockets were made in the host's network, and stay there; what is made here is made in the containers' network, which
//! whoever calls this is in. So the container sees its bridge's gateway call, whoever has called.

mod stream;
mod visitors;

use crate::{Error, Protocol, Reserved, Result};
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};
use stream::{Stream, Turn};
use visitors::Visitors;

/// Connections at once. Further ones wait to be accepted.
const STREAMS: usize = 1024;
const TICK: Duration = Duration::from_secs(5);
/// What the events of ports are told by. A connection has two numbers, one for each side.
const LISTENER: u64 = 1 << 63;

/// A port that is ours, and where it leads to.
#[derive(Debug)]
struct Port {
    reserved: Rc<Reserved>,
    target: SocketAddr,
    visitors: Visitors,
}

/// The published ports of one container. It has no thread of its own: its caller waits for what [`Proxy::as_fd`] tells, and calls
/// [`Proxy::serve`].
#[derive(Debug)]
pub struct Proxy {
    epoll: OwnedFd,
    ports: Vec<Port>,
    streams: Vec<Option<Stream>>,
    count: usize,
    /// Those that were not at an end when their turn was.
    busy: Vec<usize>,
    buffer: Box<[u8]>,
    next_tick: Instant,
}

impl Proxy {
    /// For these ports, to these ports of a container.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn new(ports: impl IntoIterator<Item = (Rc<Reserved>, SocketAddr)>) -> Result<Self> {
        let failed = || Error::kernel("wait for visitors");
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed())?;
        let mut proxy = Self {
            epoll,
            ports: Vec::new(),
            streams: Vec::new(),
            count: 0,
            busy: Vec::new(),
            buffer: vec![0; 1 << 17].into(),
            next_tick: Instant::now() + TICK,
        };
        for (reserved, target) in ports {
            tracing::info!(target: "explain", man = "connect(2)",
                shell = format!("socat {}-listen:{},fork {}:{target}", reserved.protocol, reserved.address.port(), reserved.protocol),
                "who calls {} is answered by us, and passed on to {target}", reserved.address);
            let data = EventData::new_u64(LISTENER | proxy.ports.len() as u64);
            epoll::add(&proxy.epoll, &reserved.socket, data, EventFlags::IN).map_err(failed())?;
            proxy.ports.push(Port { reserved, target, visitors: Visitors::default() });
        }
        Ok(proxy)
    }

    /// When it wants to be called at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        if !self.busy.is_empty() {
            return Some(Instant::now());
        }
        self.ports.iter().any(|port| !port.visitors.is_empty()).then_some(self.next_tick)
    }

    /// Does what can be done now. Nothing here blocks.
    pub fn serve(&mut self) {
        let mut events = Vec::with_capacity(128);
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Nothing has come; if something has all the same, we are called again.
        let _interrupted = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&now));
        for event in &events {
            let data = event.data;
            let data = data.u64();
            match data & LISTENER {
                0 => self.serve_stream(data as usize / 2),
                _ => self.serve_port((data & !LISTENER) as usize),
            }
        }
        for index in std::mem::take(&mut self.busy) {
            self.serve_stream(index);
        }
        if Instant::now() >= self.next_tick {
            self.next_tick = Instant::now() + TICK;
            self.ports.iter_mut().for_each(|port| port.visitors.forget_the_silent());
        }
    }

    fn serve_port(&mut self, number: usize) {
        // A visitor's event has the number of its port, too.
        let Some(port) = self.ports.get_mut(number) else { return };
        match port.reserved.protocol {
            Protocol::Tcp => self.accept(number),
            Protocol::Udp => {
                port.visitors.serve(&port.reserved.socket, port.target, &mut self.buffer, &|socket| {
                    let data = EventData::new_u64(LISTENER | number as u64);
                    epoll::add(&self.epoll, socket, data, EventFlags::IN)
                });
            }
            // Ports of SCTP are refused before.
            Protocol::Sctp => {}
        }
    }

    fn accept(&mut self, number: usize) {
        while self.count < STREAMS {
            let port = &self.ports[number];
            let flags = rustix::net::SocketFlags::NONBLOCK | rustix::net::SocketFlags::CLOEXEC;
            let Ok(visitor) = rustix::net::accept_with(&port.reserved.socket, flags) else { return };
            // A container that cannot be reached: the visitor sees the connection end, as through any proxy.
            let Ok(stream) = Stream::begin(visitor, port.target) else { continue };
            let free = self.streams.iter().position(Option::is_none).unwrap_or_else(|| {
                self.streams.push(None);
                self.streams.len() - 1
            });
            if stream.register(&self.epoll, free as u64 * 2).is_ok() {
                self.streams[free] = Some(stream);
                self.count += 1;
                self.serve_stream(free);
            }
        }
        self.listen(false);
    }

    /// Whether more may be accepted.
    fn listen(&self, wanted: bool) {
        let flags = if wanted { EventFlags::IN } else { EventFlags::empty() };
        for (number, port) in self.ports.iter().enumerate() {
            if port.reserved.protocol == Protocol::Tcp {
                // It is registered, so there is nothing that could be refused.
                let data = EventData::new_u64(LISTENER | number as u64);
                let _registered = epoll::modify(&self.epoll, &port.reserved.socket, data, flags);
            }
        }
    }

    fn serve_stream(&mut self, index: usize) {
        let Some(Some(stream)) = self.streams.get_mut(index) else { return };
        match stream.serve(&mut self.buffer) {
            Turn::Waits => return,
            Turn::Busy if self.busy.contains(&index) => return,
            Turn::Busy => return self.busy.push(index),
            Turn::Over => {}
        }
        self.streams[index] = None;
        if self.count == STREAMS {
            self.listen(true);
        }
        self.count -= 1;
    }
}

impl AsFd for Proxy {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
