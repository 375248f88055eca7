//! How much goes through a published port, beside a plain cable without any rules.
//!
//! Both ends are threads of this program, each in the network where it belongs.

use crate::engines::{Engine, Engines};
use crate::median;
use crate::place::{HOST, NEIGHBOUR, shell, within};
use anyhow::Result;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Short and often: the fastest of them is one that nothing else on the machine has disturbed.
const TIME: Duration = Duration::from_millis(150);
const ROUNDS: usize = 40;

/// A way from here to a listener.
struct Way {
    name: String,
    listener: TcpListener,
    to: String,
    rates: Vec<f64>,
}

pub(crate) fn report(engines: &Engines) -> Result<()> {
    let mut neighbour = Neighbour::new()?;
    let listener = within(neighbour.pid(), || Ok(TcpListener::bind(("0.0.0.0", 80))?))?;
    let mut ways = vec![Way { name: "plain veth".into(), listener, to: format!("{NEIGHBOUR}:80"), rates: vec![] }];
    for (engine, port) in engines.all().zip([8080, 8081]) {
        let listener = publish(engine, port)?;
        for (by, address) in [("its address", HOST), ("localhost", "127.0.0.1")] {
            let (name, to) = (format!("{}, {by}", engine.name), format!("{address}:{port}"));
            ways.push(Way { name, listener: listener.try_clone()?, to, rates: vec![] });
        }
    }
    // In turn: what else happens on the machine hits all alike.
    for _ in 0..ROUNDS {
        for way in &mut ways {
            way.rates.push(send(&way.listener, &way.to)?);
        }
    }
    println!("\none connection by TCP from the host to a container's published port, {ROUNDS} rounds");
    println!("\n{:<22} {:>13} {:>14}", "", "fastest", "median");
    let mut plain = f64::NAN;
    for way in &mut ways {
        let (fastest, median) = (way.rates.iter().copied().fold(0.0, f64::max), median(&mut way.rates));
        plain = if plain.is_nan() { fastest } else { plain };
        let share = 100.0 * fastest / plain;
        println!("{:<22} {fastest:>6.1} Gbit/s {median:>7.1} Gbit/s {share:>5.0} % of plain veth", way.name);
    }
    drop(ways);
    engines.all().try_for_each(|engine| engine.tell(&["rm", "-f", "ports"]).map(drop))?;
    neighbour.end()
}

/// A container whose port is published; who listens in it is us.
pub(crate) fn publish(engine: &Engine, port: u16) -> Result<TcpListener> {
    engine.tell(&["run", "-d", "--name", "ports", "-p", &format!("{port}:80"), "workbench", "sleep", "600"])?;
    within(engine.pid("ports")?, || Ok(TcpListener::bind(("0.0.0.0", 80))?))
}

/// Sends for a while; how many Gbit arrive in a second.
pub(crate) fn send(listener: &TcpListener, to: &str) -> Result<f64> {
    std::thread::scope(|scope| {
        let sink = scope.spawn(|| -> Result<f64> {
            let (mut stream, _) = listener.accept()?;
            let (mut buffer, mut received, start) = (vec![0; 1 << 18], 0, Instant::now());
            loop {
                match stream.read(&mut buffer)? {
                    0 => return Ok(8.0 * received as f64 / start.elapsed().as_secs_f64() / 1e9),
                    count => received += count,
                }
            }
        });
        let mut stream = TcpStream::connect(to)?;
        let (buffer, start) = (vec![0; 1 << 18], Instant::now());
        while start.elapsed() < TIME {
            stream.write_all(&buffer)?;
        }
        drop(stream);
        sink.join().unwrap_or_else(|_| anyhow::bail!("the listener panicked"))
    })
}

/// Somebody at the other end of a cable.
pub(crate) struct Neighbour {
    holder: Child,
}

impl Neighbour {
    pub(crate) fn new() -> Result<Self> {
        let mut holder = Command::new("unshare");
        let holder = holder.args(["--net", "sleep", "600"]).stdin(Stdio::null()).spawn()?;
        let neighbour = Self { holder };
        std::thread::sleep(Duration::from_millis(300));
        let pid = neighbour.pid();
        shell(&format!(
            "ip link add plain0 type veth peer name eth0 netns {pid}; ip addr add {HOST}/24 dev plain0; ip link set plain0 up; \
             nsenter --net=/proc/{pid}/ns/net sh -ec 'ip link set lo up; ip addr add {NEIGHBOUR}/24 dev eth0; ip link set eth0 up'"
        ))?;
        Ok(neighbour)
    }

    fn pid(&self) -> u32 {
        self.holder.id()
    }

    pub(crate) fn end(&mut self) -> Result<()> {
        self.holder.kill()?;
        self.holder.wait()?;
        Ok(())
    }
}
