//! A place to build at: a store, a context, and somebody who plays the commands.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use layers::manifest::Platform;
use layers::store::FIXED_TIME;
use layers::{Digest, Store};
use solution_3::cancel::Cancel;
use solution_3::context::Context;
use solution_3::dockerfile;
use solution_3::expand::{Args, args};
use solution_3::instruction::Mount;
use solution_3::progress::{Event, Stream};
use solution_3::run::{Process, Run, Source as Shown};
use solution_3::source::{Mounted, Source, Sources};
use solution_3::stage::{Build, Counter, Failed, Plan, Settings, State};

/// Who plays the commands. `write PATH TEXT…`, `remove PATH`, `fail CODE`, `say TEXT…`, `nothing`; several with `;`.
#[derive(Default)]
pub struct Player {
    /// All that was run: words, environment, folder, user.
    pub seen: Mutex<Vec<Seen>>,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub cwd: String,
    pub user: String,
    /// Of what is mounted: where, and the names in it.
    pub mounts: Vec<(String, Vec<String>)>,
}

impl Run for Player {
    fn run(&self, process: Process, output: &mut dyn FnMut(Stream, &str)) -> Result<i32, String> {
        let root = PathBuf::from(format!("/proc/self/fd/{}", process.root.as_raw_fd()));
        let names = |mount: &Shown| match mount {
            Shown::Tree(tree) => {
                let folder = fs::read_dir(format!("/proc/self/fd/{}", tree.as_raw_fd())).unwrap();
                folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
            }
            _ => Vec::new(),
        };
        let mounts = process.mounts.iter().map(|mount| (mount.target.clone(), names(&mount.source))).collect();
        let Process { args, env, cwd, user, .. } = process;
        let script = args.last().cloned().unwrap_or_default();
        self.seen.lock().unwrap().push(Seen { args, env, cwd, user, mounts });
        for command in script.split(';') {
            let words: Vec<&str> = command.split_whitespace().collect();
            match words.as_slice() {
                ["write", path, text @ ..] => fs::write(inside(&root, path), text.join(" ")).unwrap(),
                ["remove", path] => fs::remove_file(inside(&root, path)).unwrap(),
                ["say", text @ ..] => output(Stream::Stdout, &format!("{}\n", text.join(" "))),
                ["fail", code] => return Ok(code.parse().unwrap()),
                ["break"] => return Err("there is no more memory".to_owned()),
                _ => {}
            }
        }
        Ok(0)
    }
}

fn inside(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// No other files than those of the context; a secret for whoever asks for a mount.
struct Nothing;

impl Sources for Nothing {
    fn source(&self, name: &str) -> Result<Source, String> {
        Err(format!("{name}: not found"))
    }

    fn content(&self, _: &Mount) -> Result<Option<Digest>, String> {
        Ok(None)
    }

    fn mount(&self, _: &Mount, _: &str) -> Result<Mounted, String> {
        Ok(Mounted { mount: None, env: Some("TOKEN=hunter2".to_owned()), held: None })
    }
}

pub struct Site {
    pub root: tempfile::TempDir,
    pub store: Store,
    pub player: Player,
    pub settings: RefCell<Settings>,
    /// `--build-arg`.
    pub given: RefCell<BTreeMap<String, String>>,
    pub cancel: Cancel,
}

/// What a build told.
#[derive(Debug)]
pub struct Told {
    pub events: Vec<Event>,
    pub result: Result<State, Failed>,
}

impl Site {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["context", "drafts"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let store = Store::open(root.path()).unwrap();
        let settings = Settings { time: FIXED_TIME, explain: true, escape: '\\', ..Settings::default() };
        let cancel = Cancel::new().unwrap();
        Self { root, store, player: Player::default(), settings: settings.into(), given: RefCell::default(), cancel }
    }

    /// Puts a file into the context.
    pub fn file(&self, path: &str, text: &str) {
        let path = self.root.path().join("context").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds a Dockerfile of one stage upon nothing.
    pub fn build(&self, text: &str) -> Told {
        self.build_upon(
            State::scratch(Platform { architecture: "host".into(), os: "linux".into(), ..Platform::default() }),
            text,
        )
    }

    /// Builds the steps of a Dockerfile of one stage.
    pub fn build_upon(&self, from: State, text: &str) -> Told {
        let parsed = dockerfile::parse("Dockerfile", format!("FROM x\n{text}").as_bytes()).unwrap();
        let host = Platform::host();
        let args = Args::new(&parsed, &self.given.borrow(), args::automatic(&host, &host, "")).unwrap();
        let settings = Settings { args, ..self.settings.borrow().clone() };
        let mut context = Context::folder(&self.root.path().join("context"), Some(self.store.pins().folder())).unwrap();
        context.tree_mut().read_ignore(None).unwrap();
        let events = Mutex::new(Vec::new());
        let drafts = tempfile::tempdir_in(self.root.path().join("drafts")).unwrap();
        let triggers = from.image.config.on_build.clone().unwrap_or_default();
        let stage = &parsed.dockerfile.stages[0];
        let triggered: Result<Vec<_>, _> =
            triggers.iter().map(|text| dockerfile::trigger(text, &stage.lines)).collect();
        let steps = [triggered.unwrap(), stage.steps.clone()].concat();
        let plan =
            Plan { number: 0, name: "stage-0", alone: true, image: None, steps: &steps, triggers: triggers.len() };
        let result = Build {
            store: &self.store,
            writing: &self.store.writing().unwrap(),
            folder: drafts.path(),
            run: &self.player,
            listener: &|event| events.lock().unwrap().push(event),
            cancel: &self.cancel,
            settings: &settings,
            context: context.tree(),
            loaded: AtomicBool::new(false),
            counter: &Counter::default(),
        }
        .stage(&plan, from, &Nothing);
        assert_eq!(fs::read_dir(drafts.path()).unwrap().flatten().filter(|entry| !is_program(entry)).count(), 0);
        Told { events: events.into_inner().unwrap(), result }
    }

    /// The last command that was played.
    pub fn last(&self) -> Seen {
        self.player.seen.lock().unwrap().last().cloned().unwrap()
    }

    /// Where the uppermost layer of a result lies.
    pub fn top(&self, state: &State) -> PathBuf {
        self.store.unpacked().path(&state.chain_id().unwrap())
    }
}

/// Programs that stand in a Dockerfile go with the folder of the build.
fn is_program(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_str().is_some_and(|name| name.ends_with("-program"))
}

impl Told {
    /// The state at the end of a build that went well.
    pub fn state(self) -> State {
        self.result.unwrap()
    }

    /// Of each step its name, and why it was reused or not.
    pub fn fates(&self) -> Vec<String> {
        let mut fates: Vec<(usize, String)> = Vec::new();
        for event in &self.events {
            let (id, text) = match event {
                Event::Step { id, name } if !name.starts_with("[internal]") => {
                    fates.push((*id, name.clone()));
                    continue;
                }
                Event::Cached { id } => (id, " CACHED".to_owned()),
                Event::Reason { id, text } => (id, format!(": {text}")),
                _ => continue,
            };
            if let Some((_, fate)) = fates.iter_mut().find(|(known, _)| known == id) {
                fate.push_str(&text);
            }
        }
        fates.into_iter().map(|(_, fate)| fate).collect()
    }

    /// What a user would be told of the failure.
    pub fn error(&self) -> String {
        self.result.as_ref().unwrap_err().error.to_string()
    }
}
