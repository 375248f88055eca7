//! `compose push` and `compose pull`.

use crate::project::Project;
use crate::served::Served;

fn file(host: &str) -> String {
    format!(
        "
services:
  web:
    image: {host}/shop/web
    depends_on: [db]
    build: {{dockerfile_inline: \"FROM workbench\\nRUN echo web > /web\\n\", tags: ['{host}/shop/web:two']}}
  db: {{image: '{host}/shop/db', build: {{dockerfile_inline: \"FROM workbench\\nRUN echo db > /db\\n\"}}}}
  local: {{build: {{dockerfile_inline: FROM workbench}}}}
"
    )
}

#[test]
fn what_is_pushed_can_be_pulled() {
    Project::each("", |project| {
        let registry = Served::start(&project.sandbox, &[]);
        let host = &registry.host;
        project.write("compose.yaml", &file(host));
        let missing = project.fails(1, &["push", "web"]);
        assert!(
            missing.ends_with(&format!("An image does not exist locally with the tag: {host}/shop/web\n")),
            "{missing}"
        );
        assert_eq!(project.says(&["push", "-q", "--ignore-push-failures"]), (String::new(), String::new()));
        project.says(&["build", "-q"]);
        let (_, told) = project.says(&["push", "web"]);
        for line in ["web Pushing", "web Pushed", "web:two Pushed"] {
            assert!(told.contains(&format!(" {host}/shop/{line}\n")), "{line}: {told}");
        }
        assert!(!told.contains("/db"), "{told}");
        assert!(project.says(&["push", "--include-deps", "web"]).1.contains("/shop/db Pushed"));
        assert!(project.says(&["push", "local"]).1.contains(" local Skipped\n"));
        let images = ["web", "web:two", "db"].map(|name| format!("{host}/shop/{name}"));
        let forget = || images.iter().for_each(|image| drop(project.sandbox.ok(&["rmi", "-f", image])));
        forget();
        let (_, told) = project.says(&["pull", "web"]);
        assert!(
            told.contains(&format!(" Image {host}/shop/web Pulled\n")) && told.contains(" Pull complete\n"),
            "{told}"
        );
        assert_eq!(project.holds(&images[0], "/web"), "web");
        assert!(!told.contains("/db"), "{told}");
        let (_, told) = project.says(&["pull", "--include-deps", "--policy", "missing", "web", "local"]);
        assert!(told.contains(&format!(" Image {host}/shop/db Pulled\n")), "{told}");
        assert!(told.contains(" local Skipped No image to be pulled\n"), "{told}");
        let (_, told) = project.says(&["pull", "--ignore-buildable"]);
        assert!(told.contains(&format!(" Image {host}/shop/db Skipped Image can be built\n")), "{told}");
        project.sandbox.ok(&["rmi", "-f", &images[1]]);
        forget_all_and_build_by_push(project, host);
    });
}

fn forget_all_and_build_by_push(project: &Project, host: &str) {
    project.write("compose.yaml", &file(host).replace("echo web", "echo newer"));
    let (_, told) = project.says(&["build", "--push", "web"]);
    assert!(told.contains(&format!(" {host}/shop/web Pushed\n")), "{told}");
    project.sandbox.ok(&["rmi", "-f", &format!("{host}/shop/web"), &format!("{host}/shop/web:two")]);
    assert_eq!(project.says(&["pull", "-q", "web"]), (String::new(), String::new()));
    assert_eq!(project.holds(&format!("{host}/shop/web"), "/web"), "newer");
}

#[test]
fn what_cannot_be_pulled_is_told() {
    let project = Project::new("");
    let registry = Served::start(&project.sandbox, &[]);
    let host = &registry.host;
    project.write("compose.yaml", &format!("services: {{nope: {{image: '{host}/nope'}}, built: {{image: '{host}/built', build: .}}, w: {{image: workbench}}}}\n"));
    let told = project.fails(1, &["pull"]);
    let why = format!("repository {host}/nope not found: name unknown: repository name not known to registry\n");
    assert!(told.contains(&format!(" Image {host}/nope Error {why}")), "{told}");
    assert!(told.ends_with(&format!("Error response from daemon: {why}")), "{told}");
    let (_, told) = project.says(&["pull", "--ignore-pull-failures"]);
    let hint = "WARNING: Some service image(s) must be built from source by running:\n    kesako compose build built\n";
    assert!(told.ends_with(hint), "{told}");
    assert!(project.fails(1, &["pull", "built"]).contains(hint));
    let json = project.fails(1, &["--progress", "json", "pull", "nope"]);
    assert!(
        json.contains(&format!("{{\"id\":\"Image {host}/nope\",\"status\":\"Working\",\"text\":\"Pulling\"}}\n")),
        "{json}"
    );
    assert!(project.fails(1, &["pull", "--policy", "often"]).contains("invalid --policy option \"often\""));
}
