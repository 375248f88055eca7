//! How many questions for a neighbour's name a container gets answered in a second.

use crate::engines::{Engine, Engines};
use crate::median;
use crate::place::within;
use anyhow::Result;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(1);
const ROUNDS: usize = 5;
/// Questions on their way at once: one after the other, and as many programs would ask.
const AT_ONCE: [usize; 2] = [1, 16];

pub(crate) fn report(engines: &Engines) -> Result<()> {
    for engine in engines.all() {
        engine.tell(&["network", "create", "names"])?;
        for name in ["asks", "web"] {
            engine.tell(&["run", "-d", "--name", name, "--network", "names", "workbench", "sleep", "600"])?;
        }
    }
    println!("\nanswers for a neighbour's name in a second, in a container\n");
    for at_once in AT_ONCE {
        let mut rates: Vec<(&Engine, Vec<f64>)> = engines.all().map(|engine| (engine, Vec::new())).collect();
        for _ in 0..ROUNDS {
            for (engine, rates) in &mut rates {
                rates.push(within(engine.pid("asks")?, || ask(at_once))?);
            }
        }
        for (engine, rates) in &mut rates {
            println!("{:<10} {at_once:>3} at once {:>10.0}", engine.name, median(rates));
        }
    }
    for engine in engines.all() {
        engine.tell(&["rm", "-f", "asks", "web"])?;
        engine.tell(&["network", "rm", "names"])?;
    }
    Ok(())
}

/// A question of type A for `web` (RFC 1035, 4.1).
fn question(number: u16) -> Vec<u8> {
    let header = [number.to_be_bytes(), [1, 0], [0, 1], [0, 0], [0, 0], [0, 0]].concat();
    [&header[..], b"\x03web\x00\x00\x01\x00\x01"].concat()
}

fn ask(at_once: usize) -> Result<f64> {
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    socket.connect(("127.0.0.11", 53))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let (mut answers, mut buffer, start) = (0_u32, [0; 512], Instant::now());
    let mut number = 0_u16;
    let mut send = || {
        number = number.wrapping_add(1);
        socket.send(&question(number))
    };
    for _ in 0..at_once {
        send()?;
    }
    while start.elapsed() < TIME {
        match socket.recv(&mut buffer) {
            Ok(length) => anyhow::ensure!(length > 30 && buffer[7] == 1, "this is no answer with one address"),
            // Some were lost: the window is filled anew.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        answers += 1;
        send()?;
    }
    Ok(f64::from(answers) / start.elapsed().as_secs_f64())
}
