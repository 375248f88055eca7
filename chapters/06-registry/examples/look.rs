//! Shows what a registry has under a name, without pulling it: `cargo run -p chapter-6 --example look -- NAME`.

extern crate chapter_6 as registry;

use registry::look::Look;
use registry::{Reference, Settings};

fn main() -> registry::Result<()> {
    let Some(name) = std::env::args().nth(1) else {
        println!("usage: look NAME, such as alpine, ghcr.io/owner/app:v1, localhost:5000/app");
        return Ok(());
    };
    let reference = Reference::parse(&name)?.or_latest();
    let raw = Look::at(&Settings::default(), None, &reference)?.manifest()?;
    println!("{} is {}, {}", reference.canonical(), raw.digest, raw.media_type);
    println!("{}", String::from_utf8_lossy(&raw.bytes));
    Ok(())
}
