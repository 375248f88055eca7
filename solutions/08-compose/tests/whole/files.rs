//! Which files are a project's.

use super::folder::Folder;

const ONE: &str = "services: {one: {image: i}}\n";
const TWO: &str = "services: {two: {image: i}}\n";

#[test]
fn the_preferred_name_wins() {
    let folder = Folder::empty().with("docker-compose.yml", ONE).with("compose.yml", TWO);
    assert_eq!(folder.project().names("services"), ["two"]);
}

#[test]
fn files_come_from_the_environment_and_from_env_files() {
    let folder = Folder::empty().with("a.yaml", ONE).with("b.yaml", TWO);
    assert_eq!(folder.refused(), "no configuration file provided: not found");
    let folder = folder.variables(&[("COMPOSE_FILE", "a.yaml:b.yaml")]);
    assert_eq!(folder.project().names("services"), ["one", "two"]);
    let folder = folder.variables(&[]).with(".env", "COMPOSE_FILE=a.yaml;b.yaml\nCOMPOSE_PATH_SEPARATOR=;\n");
    assert_eq!(folder.project().names("services"), ["one", "two"]);
}

#[test]
fn the_environment_counts_more_than_an_env_file_and_that_more_than_the_default() {
    let text = "services: {web: {image: 'i:${TAG-none}'}}\n";
    let mut folder = Folder::of(text);
    assert_eq!(folder.project().images(), ["i:none"]);
    folder = folder.with(".env", "TAG=file\n");
    assert_eq!(folder.project().images(), ["i:file"]);
    folder = folder.with("other.env", "TAG=other\n");
    folder.request.env_files = vec!["other.env".into()];
    assert_eq!(folder.project().images(), ["i:other"]);
    folder.request.env_files = vec![];
    folder = folder.variables(&[("COMPOSE_ENV_FILES", "other.env")]);
    assert_eq!(folder.project().images(), ["i:other"]);
    folder = folder.variables(&[("TAG", "outside")]);
    assert_eq!(folder.project().images(), ["i:outside"]);
    folder = folder.variables(&[("COMPOSE_DISABLE_ENV_FILE", "1")]);
    assert_eq!(folder.project().images(), ["i:none"]);
}

#[test]
fn paths_are_of_the_project_directory() {
    let mut folder = Folder::empty().with("sub/x.yaml", "services: {web: {build: ./w}}\n").files(&["sub/x.yaml"]);
    assert!(folder.yaml().contains("context: /shop/sub/w\n"));
    assert_eq!(folder.project().name, "sub");
    folder.request.project_directory = Some(".".into());
    assert!(folder.yaml().contains("context: /shop/w\n"));
    assert_eq!(folder.project().name, "shop");
    folder.how.resolve_paths = false;
    assert!(folder.yaml().contains("context: ./w\n"));
}
