//! The three streams of a process: its output goes to the log and to every attached client, their input goes to it.

use super::client::{Client, Typed};
use super::json_log::{JsonLog, Stream};
use super::protocol::Attachment;
use super::ready::{Ready, Watch};
use rustix::io::Errno;
use rustix::termios::{Winsize, tcsetwinsize};
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// What may wait for a process that does not read its input. Above it the clients wait.
const FULL: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Stdio {
    /// The terminal's master, if there is one.
    terminal: Option<OwnedFd>,
    outputs: Vec<(Stream, OwnedFd)>,
    input: Option<Input>,
    /// The first client that ends its input ends the process's (`StdinOnce`).
    input_once: bool,
    clients: Vec<Client>,
    log: Option<JsonLog>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Input {
    fd: OwnedFd,
    queue: VecDeque<u8>,
    ending: bool,
}

/// The shim's ends of a process's streams.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub stdin: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    /// Instead of the three.
    pub terminal: Option<OwnedFd>,
}

impl Stdio {
    /// `open_stdin`: clients may type; `input_once`: only the first one, until it ends.
    pub(super) fn new(ends: Ends, open_stdin: bool, input_once: bool, log: Option<JsonLog>) -> std::io::Result<Self> {
        let mut outputs = Vec::new();
        let mut input = ends.stdin;
        if let Some(terminal) = &ends.terminal {
            outputs.push((Stream::Stdout, terminal.try_clone()?));
            input = open_stdin.then(|| terminal.try_clone()).transpose()?;
        }
        outputs.extend(ends.stdout.map(|fd| (Stream::Stdout, fd)));
        outputs.extend(ends.stderr.map(|fd| (Stream::Stderr, fd)));
        for fd in outputs.iter().map(|(_, fd)| fd).chain(&input) {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        let input = input.map(|fd| Input { fd, queue: VecDeque::new(), ending: false });
        let (terminal, buffer) = (ends.terminal, vec![0; 32 * 1024]);
        Ok(Self { terminal, outputs, input, input_once, clients: Vec::new(), log, buffer })
    }

    pub(super) fn attach(&mut self, socket: UnixStream, wants: Attachment) -> std::io::Result<()> {
        self.clients.push(Client::new(socket, wants, self.terminal.is_some())?);
        Ok(())
    }

    /// Keeps a follower of the log informed. Without a log it hears the end at once.
    pub(super) fn follow(&mut self, socket: UnixStream) {
        if let Some(log) = &mut self.log {
            log.followers.add(socket);
        }
    }

    /// Tells the terminal its size; without one, nobody would listen.
    pub(super) fn resize(&self, height: u16, width: u16) -> rustix::io::Result<()> {
        let size = Winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
        self.terminal.as_ref().map_or(Ok(()), |terminal| tcsetwinsize(terminal, size))
    }

    /// Whether all that the process wrote has been read.
    pub(super) fn is_drained(&self) -> bool {
        self.outputs.is_empty()
    }

    pub(super) fn watch<'a>(&'a self, watch: &mut Watch<'a>) {
        let hungry = !self.clients.iter().any(Client::is_full);
        for (_, fd) in self.outputs.iter().filter(|_| hungry) {
            watch.readable(fd);
        }
        if let Some(input) = &self.input {
            match input.queue.is_empty() {
                false => watch.writable(&input.fd),
                // A pipe whose reader is gone says so by POLLERR.
                true if self.terminal.is_none() => watch.hangup(&input.fd),
                true => {}
            }
        }
        let welcome = self.input.as_ref().is_none_or(|input| input.queue.len() < FULL);
        self.clients.iter().for_each(|client| client.watch(watch, welcome));
    }

    pub(super) fn serve(&mut self, ready: &Ready) {
        self.read_outputs(false, |fd| ready.readable(fd));
        for index in 0..self.clients.len() {
            if let Some(typed) = self.clients[index].serve(ready, &mut self.buffer) {
                self.type_in(typed);
            }
        }
        if let Some(input) = &self.input
            && ready.writable(&input.fd)
        {
            self.feed();
        }
        self.clients.retain(|client| !client.is_gone());
    }

    fn read_outputs(&mut self, all: bool, which: impl Fn(&OwnedFd) -> bool) {
        let mut index = 0;
        while index < self.outputs.len() {
            let open = self.outputs.len();
            if which(&self.outputs[index].1) {
                self.read_output(index, all);
            }
            // One that has ended has made room for the next.
            index += usize::from(self.outputs.len() == open);
        }
    }

    /// Passes on one buffer of output, or all there is.
    fn read_output(&mut self, index: usize, all: bool) {
        loop {
            let (stream, fd) = &self.outputs[index];
            let stream = *stream;
            match rustix::io::read(fd, &mut self.buffer) {
                Ok(count) if count > 0 => {
                    let data = &self.buffer[..count];
                    // The clients first: they are the ones who wait.
                    self.clients.iter_mut().for_each(|client| client.send(stream, data));
                    if let Some(log) = &mut self.log {
                        log.take(stream, data);
                    }
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return,
                // The end of a pipe; of a terminal it is EIO, when nobody has it open any more.
                Ok(_) | Err(_) => return self.end_output(index),
            }
            if !all {
                return;
            }
        }
    }

    fn end_output(&mut self, index: usize) {
        let (stream, _) = self.outputs.remove(index);
        if let Some(log) = &mut self.log {
            log.end(stream);
        }
    }

    fn type_in(&mut self, typed: Typed) {
        // Nobody takes input: it is read and dropped, so that the client's end is seen.
        let Some(input) = &mut self.input else { return };
        match typed {
            Typed::Bytes(bytes) => input.queue.extend(bytes),
            Typed::End if self.input_once && self.terminal.is_none() => input.ending = true,
            Typed::End => {}
        }
        self.feed();
    }

    /// Writes what was typed, as much as the process takes now. Dropping the pipe is the end of its input.
    fn feed(&mut self) {
        let Some(input) = &mut self.input else { return };
        while !input.queue.is_empty() {
            match rustix::io::write(&input.fd, input.queue.as_slices().0) {
                Ok(count) => drop(input.queue.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => return self.input = None,
            }
        }
        if input.ending || self.terminal.is_none() && is_broken(&input.fd) {
            self.input = None;
        }
    }

    /// The process has ended, and so have its children: takes what is still in the pipes.
    pub(super) fn drain(&mut self) {
        self.read_outputs(true, |_| true);
    }

    /// No more output will come. Returns the clients that have not yet read all of it.
    pub(super) fn finish(mut self) -> Vec<Client> {
        while !self.outputs.is_empty() {
            self.end_output(0);
        }
        self.clients.iter_mut().for_each(Client::close);
        self.clients.retain(|client| !client.is_gone());
        self.clients
    }
}

/// Whether the reader of a pipe is gone: poll(2) says POLLERR at once.
fn is_broken(fd: &impl AsFd) -> bool {
    let mut watch = Watch::default();
    watch.hangup(fd);
    watch.until(std::time::Instant::now());
    watch.wait().hung_up(fd)
}
