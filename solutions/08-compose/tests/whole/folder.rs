//! A project's folder to try things in.

use crate::compose::{How, Project, Request, Variables};
use std::path::PathBuf;

/// A folder of its own, called `shop`.
pub struct Folder {
    dir: tempfile::TempDir,
    pub request: Request,
    pub how: How,
}

impl Folder {
    /// With a `compose.yaml`.
    pub fn of(text: &str) -> Self {
        let folder = Self::empty();
        folder.with("compose.yaml", text)
    }

    pub fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("shop");
        std::fs::create_dir(&folder).unwrap();
        Self { dir, request: Request { folder, ..Request::default() }, how: How::default() }
    }

    pub fn with(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// With these variables in the environment.
    pub fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.request.environment = variables.iter().map(owned).collect::<Variables>();
        self
    }

    pub fn files(mut self, files: &[&str]) -> Self {
        self.request.files = files.iter().map(|file| (*file).to_owned()).collect();
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("shop").join(path)
    }

    pub fn project(&self) -> Project {
        Project::load(&self.request, self.how, &[]).unwrap_or_else(|error| panic!("{}", self.told(&error.to_string())))
    }

    /// The model, in which this folder is `/shop`.
    pub fn yaml(&self) -> String {
        self.told(&self.project().yaml())
    }

    /// Why it is refused.
    pub fn refused(&self) -> String {
        match Project::load(&self.request, self.how, &[]) {
            Ok(project) => panic!("this is accepted:\n{}", project.yaml()),
            Err(error) => self.told(&error.to_string()),
        }
    }

    pub fn told(&self, text: &str) -> String {
        text.replace(self.dir.path().to_str().unwrap(), "")
    }
}

/// What becomes of one service called `web`, without what every service has.
pub fn service(text: &str) -> String {
    let indented: String = text.lines().map(|line| format!("    {line}\n")).collect();
    let mut folder = Folder::of(&format!("services:\n  web:\n    image: i\n{indented}"));
    folder.how.normalise = false;
    folder.how.check = false;
    let yaml = folder.yaml();
    let (_, service) = yaml.split_once("  web:\n").unwrap();
    let lines = service.lines().take_while(|line| line.starts_with("    ")).filter(|line| *line != "    image: i");
    lines.map(|line| format!("{}\n", &line[4..])).collect()
}
