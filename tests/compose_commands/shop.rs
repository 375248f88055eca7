//! A project: a folder with a compose file, and containers as `up` makes them.

use crate::support::{Sandbox, Who};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const FILE: &str = "\
services:
  web: {image: workbench}
  db: {image: workbench}
  job: {image: workbench}
  debug: {image: workbench, profiles: [debug]}
";

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::of(Who::Me)
    }

    /// Each user in turn.
    pub(crate) fn each(scenario: impl Fn(&Self)) {
        for who in [Who::Me, Who::Ordinary] {
            if who == Who::Me || crate::support::is_root() {
                eprintln!("as {who:?}");
                scenario(&Self::of(who));
            }
        }
    }

    fn of(who: Who) -> Self {
        let sandbox = Sandbox::of(who);
        let shop = Self { sandbox };
        std::fs::create_dir(shop.folder()).unwrap();
        shop.belongs(&shop.folder());
        shop.write("compose.yaml", FILE);
        shop
    }

    /// A file of the user whose project it is.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        self.belongs(&path);
    }

    fn belongs(&self, path: &Path) {
        if let Some(uid) = self.sandbox.binary().1 {
            std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.sandbox.path().join("shop")
    }

    /// Makes a container of a service; `options` are those of `create`.
    pub(crate) fn create(&self, service: &str, number: u32, options: &[&str], script: &str) {
        let project = "com.docker.compose.project";
        let labels = [
            format!("{project}=shop"),
            format!("{project}.config_files={}", self.folder().join("compose.yaml").display()),
            format!("{project}.working_dir={}", self.folder().display()),
            format!("com.docker.compose.service={service}"),
            format!("com.docker.compose.container-number={number}"),
            "com.docker.compose.oneoff=False".to_owned(),
            "com.docker.compose.config-hash=00".to_owned(),
        ];
        let name = format!("shop-{service}-{number}");
        let mut words = vec!["create", "--name", &name];
        if !options.contains(&"--network") {
            words.extend(["--network", "none"]);
        }
        labels.iter().for_each(|label| words.extend(["--label", label]));
        words.extend(options);
        words.extend(["workbench", "sh", "-c", script]);
        self.sandbox.ok(&words);
    }

    /// Makes it, and starts it.
    pub(crate) fn run(&self, service: &str, number: u32, options: &[&str], script: &str) {
        self.create(service, number, options, script);
        self.sandbox.ok(&["start", &format!("shop-{service}-{number}")]);
    }

    /// `kesako compose …` in the folder of the project, not yet run.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.sandbox.std_command(&["compose"]);
        command.args(words).current_dir(self.folder());
        command
    }

    pub(crate) fn compose(&self, words: &[&str]) -> Output {
        assert_cmd::Command::from_std(self.command(words)).timeout(std::time::Duration::from_secs(60)).output().unwrap()
    }

    /// What it says on standard output, in success.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.compose(words);
        assert!(output.status.success(), "compose {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says on standard error when it fails with this code.
    pub(crate) fn fails(&self, code: i32, words: &[&str]) -> String {
        let output = self.compose(words);
        assert_eq!(output.status.code(), Some(code), "compose {words:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}
