//! A folder with a compose file, and what is there afterwards.

use crate::support::{Sandbox, Who, is_root};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

pub(crate) struct Project {
    pub(crate) sandbox: Sandbox,
}

impl Project {
    pub(crate) fn new(file: &str) -> Self {
        Self::of(Who::Me, file)
    }

    fn of(who: Who, file: &str) -> Self {
        let sandbox = Sandbox::of(who);
        std::fs::create_dir(sandbox.path().join("shop")).unwrap();
        let project = Self { sandbox };
        project.write("compose.yaml", file);
        project
    }

    /// Each user in turn.
    pub(crate) fn each(file: &str, scenario: impl Fn(&Self)) {
        for who in [Who::Me, Who::Ordinary] {
            if who == Who::Me || is_root() {
                eprintln!("as {who:?}");
                scenario(&Self::of(who, file));
            }
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.sandbox.path().join("shop")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// `kesako compose …` in the folder of the project, not yet run.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.sandbox.std_command(&["compose"]);
        command.args(words).current_dir(self.folder());
        command
    }

    pub(crate) fn compose(&self, words: &[&str]) -> Output {
        let mut command = assert_cmd::Command::from_std(self.command(words));
        command.timeout(Duration::from_secs(60)).output().unwrap()
    }

    /// What it says on standard output and on standard error, in success.
    pub(crate) fn says(&self, words: &[&str]) -> (String, String) {
        let output = self.compose(words);
        assert!(output.status.success(), "compose {words:?}: {output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// What it says on standard output, in success.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        self.says(words).0
    }

    /// What it says on standard error when it fails with this code.
    pub(crate) fn fails(&self, code: i32, words: &[&str]) -> String {
        let output = self.compose(words);
        assert_eq!(output.status.code(), Some(code), "compose {words:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// What a container of this image finds in this file.
    pub(crate) fn holds(&self, image: &str, path: &str) -> String {
        self.sandbox.ok(&["run", "--rm", "--network", "none", "--entrypoint", "cat", image, path])
    }

    /// A label of an image.
    pub(crate) fn label(&self, image: &str, label: &str) -> String {
        self.sandbox.ok(&["inspect", "-f", &format!("{{{{index .Config.Labels {label:?}}}}}"), image])
    }

    pub(crate) fn id(&self, image: &str) -> String {
        self.sandbox.ok(&["inspect", "-f", "{{.Id}}", image])
    }
}
