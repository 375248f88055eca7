//! Which files make up a project, and what it is to be called: from the flags, the environment, and the folders upwards.

use crate::dotenv;
use crate::error::{Error, Result};
use crate::interpolate::Variables;
use crate::scalar::join;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The names a project's file goes by, the preferred first (docker compose's `DefaultFileNames`).
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];
/// No file that a person writes comes near.
const LIMIT: u64 = 16 << 20;

/// What the user asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `-f`; `-` is standard input.
    pub files: Vec<String>,
    pub project_directory: Option<String>,
    pub project_name: Option<String>,
    pub env_files: Vec<String>,
    pub profiles: Vec<String>,
    /// The environment of the caller.
    pub environment: Variables,
    /// Where the caller is.
    pub folder: PathBuf,
}

/// Where a project is, before any of its files is understood.
#[derive(Debug)]
pub struct Place {
    /// What relative paths are relative to.
    pub folder: PathBuf,
    /// The files, each over those before it.
    pub files: Vec<Source>,
    /// The env files that were asked for; a `.env` that is just there is none of them.
    pub env_files: Vec<PathBuf>,
    /// What interpolation knows: the environment, and what the env files add to it.
    pub variables: Variables,
    pub profiles: Vec<String>,
    /// The name that was given, which counts more than one in a file.
    pub name: Option<String>,
}

/// A file's text.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub text: String,
}

impl Request {
    /// Finds the files.
    ///
    /// # Errors
    /// There are none, or they cannot be read.
    pub fn find(&self) -> Result<Place> {
        let mut variables = self.environment.clone();
        let given = self.project_directory.as_ref().map(|folder| join(&self.folder, folder));
        let mut files = self.files.clone();
        let folder = given.clone().unwrap_or_else(|| self.folder_of(&files));
        let env_files = self.env_files(&variables);
        self.load_env(&env_files, &folder, &mut variables)?;
        if files.is_empty() {
            files = from_environment(&variables);
        }
        if files.is_empty() {
            files = search(&folder);
        }
        if files.is_empty() {
            return Err(Error::NoFile);
        }
        let beside = given.unwrap_or_else(|| self.folder_of(&files));
        if beside != folder {
            self.load_env(&env_files, &beside, &mut variables)?;
        }
        let profiles = match self.profiles.is_empty() {
            true => split(variables.get("COMPOSE_PROFILES"), ","),
            false => self.profiles.clone(),
        };
        let name = self.project_name.clone().filter(|name| !name.is_empty());
        let name = name.or_else(|| variables.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty()).cloned());
        let files = files.iter().map(|file| Source::read(&self.folder, file)).collect::<Result<_>>()?;
        let env_files = env_files.iter().map(|file| join(&self.folder, file)).collect();
        Ok(Place { folder: beside, files, env_files, variables, profiles, name })
    }

    /// The folder of the first file.
    fn folder_of(&self, files: &[String]) -> PathBuf {
        let first = files.iter().find(|file| *file != "-").map(|file| join(&self.folder, file));
        first.and_then(|file| file.parent().map(Path::to_path_buf)).unwrap_or_else(|| self.folder.clone())
    }

    /// The env files that were asked for.
    fn env_files(&self, variables: &Variables) -> Vec<String> {
        if !self.env_files.is_empty() {
            return self.env_files.clone();
        }
        split(variables.get("COMPOSE_ENV_FILES"), ",")
    }

    /// What the env files say; if none was asked for, `.env` if there is one. The environment counts more.
    fn load_env(&self, files: &[String], folder: &Path, variables: &mut Variables) -> Result<()> {
        let mut paths: Vec<PathBuf> = files.iter().map(|file| join(&self.folder, file)).collect();
        let disabled =
            self.environment.get("COMPOSE_DISABLE_ENV_FILE").is_some_and(|v| matches!(v.as_str(), "1" | "true"));
        let usual = folder.join(".env");
        if paths.is_empty() && !disabled && usual.is_file() {
            paths.push(usual);
        }
        let mut found = Variables::new();
        for path in paths {
            if !path.exists() {
                let what = format!("couldn't find env file: {}", path.display());
                return Err(Error::EnvFile { place: "--env-file".to_owned(), what });
            }
            let text = read(&path)?;
            let mut outer = found.clone();
            outer.extend(variables.clone());
            found.extend(dotenv::parse(&path, &text, &outer, false)?);
        }
        for (name, value) in found {
            variables.entry(name).or_insert(value);
        }
        Ok(())
    }
}

fn split(text: Option<&String>, separator: &str) -> Vec<String> {
    let parts = text.map_or("", String::as_str).split(separator).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn from_environment(variables: &Variables) -> Vec<String> {
    let separator = variables.get("COMPOSE_PATH_SEPARATOR").filter(|separator| !separator.is_empty());
    split(variables.get("COMPOSE_FILE"), separator.map_or(":", String::as_str))
}

/// The project's file in this folder or the nearest above it that has one, and what overrides it.
fn search(folder: &Path) -> Vec<String> {
    let in_folder = |folder: &Path, names: &[&str], what: &str| {
        let found: Vec<String> = names
            .iter()
            .map(|name| folder.join(name))
            .filter(|path| path.exists())
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        if found.len() > 1 {
            tracing::warn!("Found multiple {what} files with supported names: {}", found.join(", "));
            tracing::warn!("Using {}", found[0]);
        }
        found.into_iter().next()
    };
    for folder in folder.ancestors() {
        if let Some(file) = in_folder(folder, &NAMES, "config") {
            return std::iter::once(file).chain(in_folder(folder, &OVERRIDES, "override")).collect();
        }
    }
    Vec::new()
}

impl Source {
    /// A file's text; `-` is standard input.
    pub(crate) fn read(folder: &Path, file: &str) -> Result<Self> {
        let path = if file == "-" { PathBuf::from("-") } else { join(folder, file) };
        Ok(Self { text: read(&path)?, path })
    }
}

/// Text, of a size that somebody may have written.
pub(crate) fn read(path: &Path) -> Result<String> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let mut file: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(std::io::stdin().lock()),
        _ => {
            let about = std::fs::metadata(path).map_err(failed)?;
            // Whoever opens a FIFO waits for somebody to write into it, which a shell's `<(…)` does.
            if about.is_dir() {
                return Err(failed(std::io::ErrorKind::IsADirectory.into()));
            }
            Box::new(std::fs::File::open(path).map_err(failed)?)
        }
    };
    file.by_ref().take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::TooLarge { path: path.to_owned(), limit: LIMIT });
    }
    String::from_utf8(bytes).map_err(|error| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))
}
