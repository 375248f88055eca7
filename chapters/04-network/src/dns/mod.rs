//! The name server of a container on a user network: 127.0.0.11.
//!
//! It knows the names of the neighbours (`neighbourhood`, `answer`), and passes on what it does not know to the host's name servers (`forward`).
//! It has no thread of its own: whoever serves the container asks what to wait for ([`Server::watch`]) and calls
//! [`Server::serve`] when that has come. Its two sockets are inside the container's network namespace, on ports of their own to
//! which a rule sends what is for port 53.

mod answer;
#[path = "../../../../solutions/04-network/src/dns/forward.rs"]
mod forward;
mod neighbourhood;

use crate::{Error, Namespace, Result, nft};
pub use answer::{Decision, Room, decide};
pub use forward::Upstream;
use forward::{Asker, Forwards};
pub use neighbourhood::{Neighbourhood, find};
use rustix::net::sockopt;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Where every container of a user network finds its name server, as in Docker.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// Questions that are answered in one turn, before others are served.
const TURN: usize = 64;
/// The same of one connection.
const TURN_OF_ONE: usize = 4;
/// Connections by TCP at once. For one more, whoever has asked nothing for longest has to go.
const CONNECTIONS: usize = 64;
/// How long a connection may ask nothing. (To send a byte now and then is not to ask.)
const IDLE: Duration = Duration::from_secs(10);
/// Who has so many bytes of answers to read is asked no further questions until they are read.
const UNREAD: usize = 64 << 10;
/// A message with its length before it.
const LONGEST: usize = 2 + u16::MAX as usize;

/// Who knows the names that a container may ask for.
pub trait Names {
    /// The addresses of this name (lower case, no dot at the end). None if it is not one of ours; empty if it is, and has none.
    fn addresses(&mut self, name: &str) -> Option<Vec<IpAddr>>;
    /// The name of this address.
    fn name_of(&mut self, address: IpAddr) -> Option<String>;
}

/// The name server of one container.
#[derive(Debug)]
pub struct Server {
    udp: UdpSocket,
    tcp: TcpListener,
    clients: Vec<Client>,
    next_client: u64,
    forwards: Forwards,
    /// So many answers were given: each begins with another of the addresses.
    turn: usize,
}

/// A connection by TCP: each message comes after its length, in two bytes (RFC 1035, 4.2.2).
#[derive(Debug)]
struct Client {
    number: u64,
    stream: TcpStream,
    received: Vec<u8>,
    to_send: Vec<u8>,
    last: Instant,
    over: bool,
}

impl Server {
    /// Opens its sockets in a container's namespace, and sends there what is for port 53.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open(namespace: &Namespace, upstreams: Vec<Upstream>) -> Result<Self> {
        let (udp, tcp) = namespace.visit(sockets)?;
        let forwards = Forwards::new(upstreams, namespace.try_clone()?);
        Ok(Self { udp, tcp, clients: Vec::new(), next_client: 0, forwards, turn: 0 })
    }

    /// Whom it asks for what it does not know, from now on.
    pub fn ask(&mut self, upstreams: Vec<Upstream>) {
        self.forwards.ask(upstreams);
    }

    /// Calls `each` with every descriptor that is to be waited for, and whether it is to be written to (else read from).
    pub fn watch<'a>(&'a self, each: &mut dyn FnMut(BorrowedFd<'a>, bool)) {
        each(self.udp.as_fd(), false);
        each(self.tcp.as_fd(), false);
        for client in &self.clients {
            each(client.stream.as_fd(), !client.to_send.is_empty());
        }
        self.forwards.watch(each);
    }

    /// When it wants to be called at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        let now = self.clients.iter().any(Client::is_waiting).then(Instant::now);
        let idle = self.clients.iter().map(|client| client.last + IDLE);
        now.into_iter().chain(idle).chain(self.forwards.deadline()).min()
    }

    /// Does what can be done now. Nothing here blocks.
    pub fn serve(&mut self, names: &mut dyn Names) {
        self.serve_what_came(names, &|_| true);
    }

    /// The same for a caller who knows at which descriptors something has come: most often it is a datagram, and to ask everywhere
    /// else would take longer than to answer it.
    pub fn serve_what_came(&mut self, names: &mut dyn Names, has_come: &dyn Fn(BorrowedFd<'_>) -> bool) {
        self.serve_udp(names);
        if has_come(self.tcp.as_fd()) {
            self.accept();
        }
        self.serve_clients(names);
        for (asker, answer) in self.forwards.serve() {
            self.deliver(asker, answer);
        }
        let now = Instant::now();
        self.clients.retain(|client| !client.over && now < client.last + IDLE);
    }

    fn serve_udp(&mut self, names: &mut dyn Names) {
        let mut buffer = [0; 4096];
        for _ in 0..TURN {
            // Nothing more has come, or what came was an error about something sent before: there is none to tell.
            let Ok((length, from)) = self.udp.recv_from(&mut buffer) else { return };
            let question = buffer.get(..length).unwrap_or_default();
            match decide(question, names, self.turn, Room::Datagram) {
                Decision::Answer(bytes) => self.deliver(Asker::Udp(from), bytes),
                Decision::Forward => {
                    if let Some(refusal) = self.forwards.begin(Asker::Udp(from), question) {
                        self.deliver(Asker::Udp(from), refusal);
                    }
                }
                Decision::Ignore => {}
            }
            self.turn = self.turn.wrapping_add(1);
        }
    }

    fn accept(&mut self) {
        for _ in 0..CONNECTIONS {
            let Ok((stream, _)) = self.tcp.accept() else { return };
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            if self.clients.len() >= CONNECTIONS {
                // Those are in the order in which they came, so of equals the oldest is the first.
                let silent = self.clients.iter().enumerate().min_by_key(|(_, client)| client.last);
                silent.map(|(at, _)| at).into_iter().for_each(|at| drop(self.clients.remove(at)));
            }
            self.next_client += 1;
            let number = self.next_client;
            let (received, to_send) = Default::default();
            self.clients.push(Client { number, stream, received, to_send, last: Instant::now(), over: false });
        }
    }

    fn serve_clients(&mut self, names: &mut dyn Names) {
        for client in &mut self.clients {
            client.write();
            client.read();
            for _ in 0..TURN_OF_ONE {
                let Some(question) = client.next() else { break };
                client.last = Instant::now();
                match answer::decide(&question, names, self.turn, answer::Room::Stream) {
                    Decision::Answer(bytes) => client.answer(&bytes),
                    Decision::Forward => {
                        let refusal = self.forwards.begin(Asker::Tcp(client.number), &question);
                        refusal.iter().for_each(|refusal| client.answer(refusal));
                    }
                    Decision::Ignore => client.over = true,
                }
                self.turn = self.turn.wrapping_add(1);
            }
        }
    }

    fn deliver(&mut self, asker: Asker, answer: Vec<u8>) {
        match asker {
            // A datagram that is not taken is lost, as datagrams are: it will be asked for again.
            Asker::Udp(to) => drop(self.udp.send_to(&answer, to)),
            Asker::Tcp(number) => {
                if let Some(client) = self.clients.iter_mut().find(|client| client.number == number) {
                    client.answer(&answer);
                }
            }
        }
    }
}

impl Client {
    /// The next question that has come, if answers are read.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.to_send.len() < UNREAD { take_message(&mut self.received) } else { None }
    }

    /// Whether it has a question that was not its turn yet.
    fn is_waiting(&self) -> bool {
        self.to_send.len() < UNREAD && length_of_message(&self.received).is_some()
    }

    fn answer(&mut self, answer: &[u8]) {
        self.to_send.extend((answer.len() as u16).to_be_bytes());
        self.to_send.extend_from_slice(answer);
        self.write();
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        // What it has sent beyond that waits in the kernel, and then at its sender.
        while self.to_send.len() < UNREAD && self.received.len() <= LONGEST {
            match self.stream.read(&mut buffer) {
                Ok(0) => return self.over = true,
                Ok(length) => {
                    self.received.extend_from_slice(buffer.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.over = true,
            }
        }
    }

    fn write(&mut self) {
        while !self.to_send.is_empty() {
            match self.stream.write(&self.to_send) {
                Ok(length) => drop(self.to_send.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.over = true,
            }
        }
    }
}

/// The first whole message of a stream.
fn take_message(stream: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = length_of_message(stream)?;
    let message = stream.get(2..2 + length)?.to_vec();
    stream.drain(..2 + length);
    Some(message)
}

/// How long it is, if it is there as a whole.
fn length_of_message(stream: &[u8]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes(*stream.first_chunk::<2>()?));
    (stream.len() >= 2 + length).then_some(length)
}

fn sockets() -> Result<(UdpSocket, TcpListener)> {
    let failed = |error| Error::file(format!("listen on {ADDRESS}"))(error);
    let udp = UdpSocket::bind((ADDRESS, 0)).map_err(failed)?;
    let tcp = TcpListener::bind((ADDRESS, 0)).map_err(failed)?;
    udp.set_nonblocking(true).and_then(|()| tcp.set_nonblocking(true)).map_err(failed)?;
    // Room for a burst: a container that asks for a thousand names at once is no attack.
    sockopt::set_socket_recv_buffer_size(&udp, 1 << 20).map_err(Error::kernel("make room for questions"))?;
    let port = |address: std::io::Result<std::net::SocketAddr>| address.map(|address| address.port()).map_err(failed);
    nft::redirect_dns(ADDRESS, port(udp.local_addr())?, port(tcp.local_addr())?)?;
    Ok((udp, tcp))
}
