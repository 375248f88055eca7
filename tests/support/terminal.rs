//! A terminal for the binary under test, and hands to type on it.

use nix::pty::{OpenptyResult, Winsize, openpty};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program on a terminal of 24 rows and 80 columns.
pub struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts the program with the terminal as its controlling one.
    #[allow(unsafe_code, reason = "pre_exec is the one way to give a child its controlling terminal")]
    pub fn start(mut command: Command) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let side = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(side()).stdout(side()).stderr(side()).env("TERM", "xterm");
        // SAFETY: setsid and ioctl are async-signal-safe, and nothing else runs here.
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                nix::libc::ioctl(0, nix::libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop(command);
        drop(slave);
        let keys = File::from(master);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, seen) = (keys.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                seen.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        Self { child, keys, screen }
    }

    /// Types these characters.
    pub fn type_in(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
    }

    /// What has been shown so far.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Waits until the screen shows this.
    pub fn expect(&self, text: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.screen().contains(text) {
            assert!(Instant::now() < end, "no {text:?} on the screen: {:?}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Another size for the window.
    #[allow(unsafe_code, reason = "the ioctl has no safe wrapper")]
    pub fn resize(&self, rows: u16, columns: u16) {
        use std::os::fd::AsRawFd;
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the descriptor is open and the structure is the one TIOCSWINSZ reads.
        let answer = unsafe { nix::libc::ioctl(self.keys.as_raw_fd(), nix::libc::TIOCSWINSZ, &size) };
        assert_eq!(answer, 0);
    }

    /// Waits for the program's end.
    pub fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the program does not end; the screen shows {:?}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The program's process.
    pub fn pid(&self) -> i32 {
        self.child.id().try_into().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone_already_if_it_fails = self.child.kill();
        let _reaped = self.child.wait();
    }
}
