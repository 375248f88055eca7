//! What we make of a Dockerfile that only copies.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;

use solution_3::context::{Context, Tree};
use solution_3::copy::{self, Target, owner};
use solution_3::instruction::{Copy, Instruction};
use solution_3::source::Source;
use solution_3::{Error, add, dockerfile, expand};

use super::cases::Case;
use super::listing;

/// 1980, as builds have it.
pub const TIME: i64 = 315_532_801;

/// A context, made by the case's own script.
pub fn context(case: &Case) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("umask 022\n{}", case.setup);
    let status = Command::new("bash").args(["-ec", &script]).current_dir(folder.path()).status().unwrap();
    assert!(status.success(), "{}: its folder could not be made", case.name);
    fs::write(folder.path().join("Dockerfile"), case.dockerfile).unwrap();
    if let Some(ignore) = case.ignore {
        fs::write(folder.path().join(".dockerignore"), ignore).unwrap();
    }
    folder
}

/// The files of the last stage, or why there are none.
pub fn build(case: &Case) -> Result<Vec<String>, Error> {
    let folder = context(case);
    let mut context = Context::folder(folder.path(), None)?;
    context.tree_mut().read_ignore(Some("Dockerfile"))?;
    build_in(&context, case.dockerfile)
}

/// The same of a context that is there.
pub fn build_in(context: &Context, text: &str) -> Result<Vec<String>, Error> {
    let parsed = dockerfile::parse("Dockerfile", text.as_bytes())?;
    let mut stages: Vec<(Option<String>, tempfile::TempDir)> = Vec::new();
    for stage in &parsed.dockerfile.stages {
        let root = tempfile::tempdir().unwrap();
        let mut cwd = "/".to_owned();
        for step in &stage.steps {
            match expand::instruction(&step.instruction, &|_| None, '\\')?.instruction {
                Instruction::Workdir(path) => {
                    fs::create_dir_all(root.path().join(path.trim_start_matches('/'))).unwrap();
                    cwd = path;
                }
                Instruction::Copy(copy) => {
                    let source = copy.from.as_ref().map(|from| source(&stages, from));
                    let tree = source.as_ref().unwrap_or(context.tree());
                    write(copy::resolve(&copy, &cwd, tree, None)?, &copy, root.path())?;
                }
                Instruction::Add(add) => {
                    let downloads = std::env::temp_dir();
                    write(add::resolve(&add, &cwd, context.tree(), &downloads, None)?, &add, root.path())?;
                }
                other => panic!("{other:?} is no part of this suite"),
            }
        }
        stages.push((stage.name.clone(), root));
    }
    Ok(listing::of_folder(stages.last().unwrap().1.path()))
}

/// A stage above, as a tree to copy from.
fn source(stages: &[(Option<String>, tempfile::TempDir)], from: &str) -> Tree {
    let (_, folder) = stages.iter().find(|(name, _)| name.as_deref() == Some(from)).unwrap();
    let root = fs::File::open(folder.path()).unwrap().into();
    Tree::source(Source { root, chain_id: Some(layers::Digest::of(b"a stage")) }, from, None).unwrap()
}

fn write(plan: copy::Plan<'_>, copy: &Copy, root: &Path) -> Result<(), Error> {
    let digest = plan.digest();
    let handle = fs::File::open(root).unwrap();
    let owner = copy.chown.as_deref().map(|chown| owner(handle.as_fd(), chown)).transpose()?;
    let owner = owner.map(|owner| (owner.uid, owner.gid));
    let written = plan.write(Target { root: handle.as_fd(), owner, time: TIME, cancel: None })?;
    assert_eq!(written.digest, digest, "nobody touched anything");
    Ok(())
}
