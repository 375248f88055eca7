//! Builds a Dockerfile of one stage, upon chapters 1 and 2 alone:
//! `cargo run -p chapter-3 --example build -- STORE FOLDER [NAME]`.
//!
//! ```text
//! images /tmp/store import base < rootfs.tar      (chapter 2's example)
//! build /tmp/store . app
//! ```
//!
//! STORE is a folder of images as Kesako's data root is one; the Dockerfile is FOLDER/Dockerfile.

extern crate chapter_3 as build;

use build::cancel::Cancel;
use build::context::Context;
use build::dockerfile;
use build::expand::{Args, args};
use build::instruction::Mount;
use build::progress::{Event, Stream};
use build::run::{Process, Run};
use build::source::{Mounted, Source, Sources};
use build::stage::{Build, Counter, Plan, Settings, State};
use layers::manifest::Platform;
use layers::store::FIXED_TIME;
use layers::{Digest, Reference, Store};
use process::{Options, Rootfs, Streams, defaults, launch, oci, user, userns};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("build: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, folder, names @ ..] = words.as_slice() else { return Err("usage: build STORE FOLDER [NAME]".into()) };
    // An ordinary user becomes root of a user namespace first.
    if !rustix::process::geteuid().is_root() {
        userns::enter()?;
    }
    let store = Store::open(&fs::canonicalize(root).unwrap_or_else(|_| PathBuf::from(root)))?;
    let mut context = Context::folder(Path::new(folder), Some(store.pins().folder()))?;
    context.tree_mut().read_ignore(None)?;
    let text = context.tree().read("Dockerfile")?.ok_or("there is no Dockerfile")?;
    let parsed = dockerfile::parse("Dockerfile", &text)?;
    let [stage] = parsed.dockerfile.stages.as_slice() else { return Err("several stages are chapter 7's".into()) };

    let host = Platform::host();
    let args = Args::new(&parsed, &BTreeMap::new(), args::automatic(&host, &host, ""))?;
    let name = args.base(stage, &parsed)?.from.text;
    let from = match name.as_str() {
        "scratch" => State::scratch(host),
        name => {
            let image = store.resolve(name)?;
            store.layer_folders(&image)?;
            State::of_image(&image)
        }
    };
    // The triggers that the base keeps for whoever builds on it come first.
    let kept = from.image.config.on_build.clone().unwrap_or_default();
    let triggers: Vec<_> =
        kept.iter().map(|text| dockerfile::trigger(text, &stage.lines)).collect::<build::Result<_>>()?;
    let steps = [triggers.clone(), stage.steps.clone()].concat();

    // On the filesystem of the store: what is written there becomes its layers.
    let drafts = tempfile::tempdir_in(root)?;
    let settings =
        Settings { args, time: FIXED_TIME, explain: true, escape: parsed.directives.escape, ..Settings::default() };
    let writing = store.writing()?;
    let build = Build {
        store: &store,
        writing: &writing,
        folder: drafts.path(),
        run: &Contained { skeleton: skeleton(drafts.path())? },
        listener: &tell,
        cancel: &Cancel::new()?,
        settings: &settings,
        context: context.tree(),
        loaded: AtomicBool::new(false),
        counter: &Counter::default(),
    };
    let plan = Plan { number: 0, name: "", alone: true, image: Some(&name), steps: &steps, triggers: triggers.len() };
    let state = build
        .stage(&plan, from, &Nothing)
        .map_err(|failed| parsed.source.blame(&failed.lines, failed.error.to_string()))?;
    let names = names.iter().map(|name| Reference::parse(name)).collect::<layers::Result<Vec<_>>>()?;
    let image = store.compose(&writing, &build.finished(&state), state.blobs, &state.unsynced, &names)?;
    println!("{}", image.id);
    Ok(())
}

/// What happens, as it happens.
fn tell(event: Event) {
    match event {
        Event::Step { name, .. } => println!("{name}"),
        Event::Reason { text, .. } => println!("    ({text})"),
        Event::Cached { .. } => println!("    reused"),
        Event::Output { text, .. } => print!("{text}"),
        _ => {}
    }
}

/// Runs commands in containers of chapter 1.
struct Contained {
    skeleton: PathBuf,
}

impl Run for Contained {
    fn skeleton(&self) -> Option<&Path> {
        Some(&self.skeleton)
    }

    fn run(&self, process: Process, output: &mut dyn FnMut(Stream, &str)) -> Result<i32, String> {
        contain(process, output).map_err(|error| error.to_string())
    }
}

fn contain(wanted: Process, output: &mut dyn FnMut(Stream, &str)) -> Result<i32, Box<dyn Error>> {
    let user = user::resolve(wanted.root.as_fd(), &wanted.user, &[])?;
    let mut identity = oci::User::default();
    identity.set_uid(user.uid).set_gid(user.gid).set_additional_gids(Some(user.additional_gids));
    let mut spec = defaults::spec();
    let mut process = spec.process().clone().unwrap_or_default();
    process.set_args(Some(wanted.args)).set_env(Some(wanted.env)).set_cwd(wanted.cwd.into()).set_user(identity);
    spec.set_process(Some(process));

    // One pipe for both streams: who reads it sees them in the order in which they were written.
    let (mut from, to) = io::pipe()?;
    let streams =
        Streams::Fds { stdin: File::open("/dev/null")?.into(), stdout: to.try_clone()?.into(), stderr: to.into() };
    let running = launch(&spec, Rootfs::Mount(wanted.root), streams, &Options::default())?;
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            count => output(Stream::Stdout, &String::from_utf8_lossy(&buffer[..count])),
        }
    }
    Ok(running.wait()?.code())
}

/// The folders that a container's mounts stand on, below all layers: an image may lack them.
fn skeleton(folder: &Path) -> io::Result<PathBuf> {
    let root = folder.join("skeleton");
    for path in ["dev/pts", "dev/shm", "dev/mqueue", "proc", "sys"] {
        fs::create_dir_all(root.join(path))?;
    }
    Ok(root)
}

/// Other stages, and what is mounted for a RUN, are chapter 7's.
struct Nothing;

impl Sources for Nothing {
    fn source(&self, name: &str) -> Result<Source, String> {
        Err(format!("--from={name}: not here"))
    }

    fn content(&self, _: &Mount) -> Result<Option<Digest>, String> {
        Err("RUN --mount: not here".to_owned())
    }

    fn mount(&self, _: &Mount, _: &str) -> Result<Mounted, String> {
        Err("RUN --mount: not here".to_owned())
    }
}
