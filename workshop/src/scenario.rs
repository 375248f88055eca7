//! Playing the scenarios of `scenarios.txt` on a runtime: what each command does, and the first that does otherwise.

use anyhow::{Context as _, Result, ensure};
use std::fmt;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SCENARIOS: &str = include_str!("../scenarios.txt");

/// A command that runs for longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

const REMOVE_ALL: &str = "kesako ps -aq | xargs -r kesako rm -f >/dev/null";

/// A sysfs shows the interfaces of the namespace that it was mounted in. This needs no ip(8).
const LOOPBACK_AND_WAIT: &str =
    "mount -t sysfs none /sys && echo 0x9 >/sys/class/net/lo/flags && echo && exec sleep infinity";

/// Who plays.
#[derive(Clone, Copy, Debug)]
pub enum User {
    Me,
    /// A user ID that no file knows of.
    Stranger(u32),
}

impl User {
    /// Us; and, if we are root, somebody who is not, provided that they can read this file.
    pub fn all(file: &Path) -> Vec<Self> {
        let stranger = Self::Stranger(54_322);
        let root = is_root();
        let mut may_read = Command::new("test");
        may_read.arg("-r").arg(file);
        let may_read = root && stranger.run_as(&mut may_read).status().is_ok_and(|status| status.success());
        if root && !may_read {
            println!("NOT RUN as an ordinary user: {} cannot be read by others", file.display());
        }
        [Self::Me].into_iter().chain(may_read.then_some(stranger)).collect()
    }

    fn is_root(self) -> bool {
        matches!(self, Self::Me) && is_root()
    }

    fn run_as(self, command: &mut Command) -> &mut Command {
        match self {
            Self::Me => command,
            Self::Stranger(id) => command.uid(id).gid(id),
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if matches!(self, Self::Me) { "as yourself" } else { "as an ordinary user" })
    }
}

/// A command of a scenario, and what it did.
#[derive(Clone, Debug)]
pub struct Played {
    pub command: String,
    pub code: Option<i32>,
    pub text: String,
    pub hung: bool,
}

/// What a command does where all goes well.
#[derive(Debug)]
pub struct Expected {
    played: Played,
    /// It says the same each time, but for IDs.
    steady: bool,
}

impl Expected {
    fn is_met_by(&self, played: &Played) -> bool {
        let same_text = !self.steady || without_ids(&played.text) == without_ids(&self.played.text);
        !played.hung && played.code == self.played.code && same_text
    }
}

/// A program and its user, and a folder with a root that holds the image `made`.
pub struct World {
    folder: tempfile::TempDir,
    user: User,
    /// How many scenarios have begun, each in a folder of its own.
    begun: AtomicUsize,
    /// Those that are not cleared away.
    places: Mutex<Vec<Place>>,
}

/// Where a scenario is played.
struct Place {
    folder: PathBuf,
    network: Option<Network>,
}

/// A network namespace. What root's engine does to the network in a scenario must not be the machine's: with an exercise open,
/// it may stay.
struct Network(Child);

impl Network {
    fn new() -> Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "sh", "-c", LOOPBACK_AND_WAIT]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut holder = command.spawn().context("unshare(1) of util-linux does not run")?;
        let begun = holder.stdout.take().context("unshare has no output")?;
        let network = Self(holder);
        let mut line = String::new();
        BufReader::new(begun).read_line(&mut line)?;
        ensure!(line == "\n", "a network namespace for the scenarios cannot be made");
        Ok(network)
    }

    /// The shell, in here.
    fn shell(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.0.id())).args(["--", "sh"]);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The namespace lasts as long as anybody is in it.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl World {
    pub fn new(program: &Path, user: User) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("kesako-workshop-").tempdir()?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        if let User::Stranger(id) = user {
            chown(folder.path(), Some(id), Some(id))?;
        }
        fs::copy(program, folder.path().join("kesako")).with_context(|| format!("{}", program.display()))?;
        let world = Self { folder, user, begun: AtomicUsize::new(0), places: Mutex::default() };
        let all = Place { folder: world.folder.path().to_owned(), network: None };
        let template = Place { folder: all.folder.join("template"), network: None };
        world.run("mkdir template", &all)?;
        let (made, _) = world.run("kesako tag workbench made && kesako save -o ../made.tar made", &template)?;
        ensure!(made.code == Some(0), "the scenarios cannot begin: {}", made.text);
        Ok(world)
    }

    /// Plays all twice, to see what they do, and what of it they do each time.
    pub fn expect(&self) -> Result<Vec<Vec<Expected>>> {
        let scenarios: Vec<Vec<&str>> = scenarios(SCENARIOS).collect();
        let first = self.each(&scenarios, |commands| self.scenario(commands, |_, _| true))?;
        let again = self.each(&scenarios, |commands| self.scenario(commands, |_, _| true))?;
        let pair = |(first, again): (Played, Played)| {
            ensure!(
                first.code == again.code && !first.hung,
                "with nothing open, `{}` fails: {}",
                first.command,
                again.text
            );
            Ok(Expected { steady: without_ids(&first.text) == without_ids(&again.text), played: first })
        };
        first.into_iter().zip(again).map(|(first, again)| first.into_iter().zip(again).map(pair).collect()).collect()
    }

    /// Plays each scenario up to the first command that does otherwise than expected, which is returned.
    pub fn play(&self, expected: &[Vec<Expected>]) -> Result<Vec<Option<Played>>> {
        self.each(expected, |expected| {
            let commands: Vec<_> = expected.iter().map(|expected| expected.played.command.as_str()).collect();
            let mut played = self.scenario(&commands, |number, played| expected[number].is_met_by(played))?;
            let last = played.pop().filter(|last| !expected[played.len()].is_met_by(last));
            Ok(last)
        })
    }

    /// Several at a time: they wait more than they compute.
    fn each<T: Sync, R: Send>(&self, all: &[T], play: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(one) = all.get(number) else { return Ok(done) };
                done.push((number, play(one)?));
            }
        };
        let mut done: Vec<(usize, R)> = Vec::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
            for thread in threads {
                let some: Result<_> = thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a scenario panicked")));
                done.extend(some?);
            }
            Ok::<_, anyhow::Error>(())
        })?;
        done.sort_by_key(|(number, _)| *number);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }

    /// Plays these commands in a root of their own, as long as it may go on.
    fn scenario(&self, commands: &[&str], go_on: impl Fn(usize, &Played) -> bool) -> Result<Vec<Played>> {
        let name = self.begun.fetch_add(1, Ordering::Relaxed).to_string();
        let all = Place { folder: self.folder.path().to_owned(), network: None };
        let (copied, _) = self.run(&format!("cp -a template {name}"), &all)?;
        ensure!(copied.code == Some(0), "{}", copied.text);
        let network = if self.user.is_root() { Some(Network::new()?) } else { None };
        let place = Place { folder: all.folder.join(name), network };
        let mut all = Vec::new();
        let mut groups = Vec::new();
        for command in commands {
            let (played, group) = self.run(command, &place)?;
            groups.push(group);
            let last = !go_on(all.len(), &played);
            all.push(played);
            if last {
                break;
            }
        }
        // Whatever is open, what was made can be removed.
        let (removed, _) = self.run(REMOVE_ALL, &place)?;
        if removed.code != Some(0) {
            all.push(removed);
        }
        // A daemon, perhaps.
        groups.into_iter().try_for_each(kill)?;
        self.places.lock().map_err(|_| anyhow::anyhow!("a scenario panicked"))?.push(place);
        Ok(all)
    }

    /// Removes what the scenarios have left, which is for a time when nothing is open.
    pub fn clear(&self) -> Result<()> {
        for place in self.places.lock().map_err(|_| anyhow::anyhow!("a scenario panicked"))?.drain(..) {
            let (removed, _) = self.run(REMOVE_ALL, &place)?;
            ensure!(removed.code == Some(0), "cannot clear away: {}", removed.text);
            fs::remove_dir_all(&place.folder).with_context(|| format!("{}", place.folder.display()))?;
        }
        Ok(())
    }

    /// A line for the shell, with the program in its path and a root in `place`; and its process group.
    fn run(&self, line: &str, place: &Place) -> Result<(Played, u32)> {
        let mut output = tempfile::tempfile()?;
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = place.network.as_ref().map_or_else(|| Command::new("sh"), Network::shell);
        let folder = &place.folder;
        command.env_clear().env("PATH", format!("{}:{path}", self.folder.path().display()));
        command.env("KESAKO_ROOT", folder.join("root")).env("HOME", folder).env("TMPDIR", folder);
        command.args(["-c", line]).current_dir(folder).process_group(0);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
        let mut child = self.user.run_as(&mut command).spawn()?;
        let deadline = Instant::now() + PATIENCE;
        let mut hung = false;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                hung = true;
                kill(child.id())?;
                child.wait()?;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut text = Vec::new();
        output.rewind()?;
        output.read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok((Played { command: line.to_owned(), code: child.wait()?.code(), text, hung }, child.id()))
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Kills a process group, if it is still there.
fn kill(group: u32) -> Result<()> {
    Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).stderr(Stdio::null()).status()?;
    Ok(())
}

/// The paragraphs of a text without its comments, each a list of lines.
fn scenarios(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let is_command = |line: &&str| !line.starts_with('#') && !line.is_empty();
    let paragraphs = text.split("\n\n").map(move |paragraph| paragraph.lines().filter(is_command).collect::<Vec<_>>());
    paragraphs.filter(|commands| !commands.is_empty())
}

/// Runs of hexadecimal digits that are long enough for an ID.
fn without_ids(text: &str) -> String {
    let mut plain = String::new();
    let mut word = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_hexdigit() {
            word.push(character);
            continue;
        }
        plain += if word.len() < 12 { &word } else { "ID" };
        word.clear();
        plain.extend((character != '\0').then_some(character));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_a_paragraph() {
        let text = "# not\n\na 1\nb\n# nor\n\n\nc\n";
        assert_eq!(scenarios(text).collect::<Vec<_>>(), [vec!["a 1", "b"], vec!["c"]]);
    }

    #[test]
    fn ids_are_no_difference() {
        assert_eq!(without_ids("a 0123456789ab:\n12 feed"), "a ID:\n12 feed");
    }
}
