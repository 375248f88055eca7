//! Data that outlives what made it: `cargo run -p chapter-5 --example keep -- ROOT -v VOLUME:/PLACE IMAGE`.
//!
//! IMAGE is a folder with an image's files. The volume is made beneath ROOT, if there is none of its name, and gets what the
//! image has in that place; the second time it is left alone. With `ROOT` alone, it lists what is there; `ROOT rm VOLUME`
//! removes one. What is missing to a container is the mount: `mount --bind "$(keep …)" IMAGE/PLACE`.

use chapter_5 as volumes;
use std::error::Error;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use volumes::{NewVolume, Source, Store, VolumeName, short};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [root] => {
            for volume in Store::new(Path::new(root)).list()? {
                println!("{}  {}", volume.created_at, volume.name);
            }
        }
        [root, "rm", name] => {
            Store::new(Path::new(root)).remove(name, || Ok::<_, volumes::Error>(Vec::new()))?;
        }
        [root, "-v", mount, image] => keep(Path::new(root), mount, Path::new(image))?,
        _ => return Err("usage: keep ROOT [-v VOLUME:/PLACE[:nocopy] IMAGE | rm VOLUME]".into()),
    }
    Ok(())
}

fn keep(root: &Path, mount: &str, image: &Path) -> Result<(), Box<dyn Error>> {
    let point = short::parse(mount, "")?;
    let Source::Volume(volume) = &point.source else { return Err("this is a path of the host, and no volume".into()) };
    let name = if volume.anonymous { VolumeName::random() } else { VolumeName::parse(&volume.name)? };
    let (held, made) = Store::new(root).hold_or_make(&name, &NewVolume::default())?;
    let copied = held.fill(&point, File::open(image)?.as_fd(), true)?;
    eprintln!("{}{}", if made { "made" } else { "found" }, if copied { ", and filled" } else { "" });
    println!("{}", held.volume.mountpoint().display());
    Ok(())
}
