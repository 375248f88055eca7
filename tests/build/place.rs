//! A context, in a sandbox.

use crate::support::Sandbox;
use std::path::PathBuf;
use std::process::Output;

/// A folder with a Dockerfile in it, and who builds it.
pub(crate) struct Place<'a> {
    pub(crate) sandbox: &'a Sandbox,
    folder: PathBuf,
}

impl<'a> Place<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        let folder = sandbox.path().join("context");
        std::fs::create_dir_all(&folder).unwrap();
        Self { sandbox, folder }
    }

    /// Writes a file of the context.
    pub(crate) fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn dockerfile(&self, text: &str) -> &Self {
        self.file("Dockerfile", text)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// `kesako build` of the folder with these flags, whatever comes of it.
    pub(crate) fn output(&self, flags: &[&str]) -> Output {
        let output = self.sandbox.output(&self.words(flags));
        assert_eq!(self.drafts(), Vec::<PathBuf>::new(), "left behind by build {flags:?}");
        output
    }

    /// The whole command line.
    pub(crate) fn words<'w>(&'w self, flags: &[&'w str]) -> Vec<&'w str> {
        let mut words = vec!["build"];
        words.extend(flags);
        words.push(self.folder.to_str().unwrap());
        words
    }

    /// Builds, expects success, and returns what was told, as plain progress.
    pub(crate) fn build(&self, flags: &[&str]) -> String {
        let output = self.output(flags);
        assert!(output.status.success(), "build {flags:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stderr).unwrap()
    }

    /// Builds, expects that it fails as a build fails, and returns what was told.
    pub(crate) fn fails(&self, flags: &[&str]) -> String {
        let output = self.output(flags);
        assert_eq!(output.status.code(), Some(1), "build {flags:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Builds an image, and runs it with these words after its name. Returns what it said.
    pub(crate) fn run(&self, flags: &[&str], words: &[&str]) -> String {
        let mut all = vec!["-t", "built"];
        all.extend(flags);
        self.build(&all);
        self.sandbox.ok(&[&["run", "--rm", "built"], words].concat())
    }

    /// What builds have in the making.
    pub(crate) fn drafts(&self) -> Vec<PathBuf> {
        let folder = self.sandbox.root().join("build-cache/tmp");
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}

/// The numbered steps of plain progress, `[2/3] RUN …`, each with how it ended: `CACHED`, `DONE`, `ERROR`.
pub(crate) fn steps(told: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String, String)> = Vec::new();
    for line in told.lines() {
        let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) else { continue };
        let known = steps.iter().position(|(known, ..)| known == number);
        match known {
            None => steps.push((number.to_owned(), rest.to_owned(), String::new())),
            Some(at) => {
                let word = rest.split([' ', ':']).next().unwrap();
                if ["CACHED", "DONE", "ERROR", "CANCELED"].contains(&word) {
                    steps[at].2 = word.to_owned();
                }
            }
        }
    }
    let is_numbered = |name: &str| name.starts_with('[') && name.contains('/') && !name.starts_with("[internal]");
    steps.into_iter().filter(|(_, name, _)| is_numbered(name)).map(|(_, name, end)| (name, end)).collect()
}

/// The ends of all numbered steps but the FROMs, in the order of the file: `CACHED DONE`.
pub(crate) fn ends(told: &str) -> String {
    let steps = steps(told).into_iter().filter(|(name, _)| !name.contains("] FROM "));
    steps.map(|(_, end)| end).collect::<Vec<_>>().join(" ")
}
