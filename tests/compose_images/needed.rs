//! Which images `up` pulls and builds, and which it takes as they are.

use crate::project::Project;

#[test]
fn up_builds_what_is_missing_and_only_that() {
    let project = Project::new(
        "services: {web: {build: {dockerfile_inline: \"FROM workbench\\nRUN echo 1 > /v\\n\"}, command: sleep 100, init: true}}\n",
    );
    project.ok(&["up", "-d"]);
    let first = project.id("shop-web");
    // The file asks for another now, but the image is there.
    project.write("compose.yaml", "services: {web: {build: {dockerfile_inline: \"FROM workbench\\nRUN echo 2 > /v\\n\"}, command: sleep 100, init: true}}\n");
    let (_, told) = project.says(&["up", "-d"]);
    assert_eq!((told.as_str(), project.id("shop-web")), (" Container shop-web-1 Running\n", first.clone()));
    assert!(project.says(&["up", "-d", "--build"]).1.contains(" Container shop-web-1 Recreated\n"));
    assert_ne!(project.id("shop-web"), first);
    assert_eq!(project.ok(&["exec", "-T", "web", "cat", "/v"]), "2\n");
    project.ok(&["down", "-t", "0", "--rmi", "local"]);
    assert_eq!(
        project.fails(1, &["up", "-d", "--no-build"]).lines().last(),
        Some("Error response from daemon: No such image: shop-web:latest")
    );
    project.ok(&["down"]);
}

#[test]
fn a_policy_says_when() {
    let of = |policy: &str, more: &str| {
        format!("services: {{web: {{image: '127.0.0.1:1/web', pull_policy: {policy}{more}}}}}\n")
    };
    let build = ", build: {dockerfile_inline: FROM workbench}";
    let project = Project::new(&of("never", ""));
    assert!(
        project.fails(1, &["create"]).ends_with("Error response from daemon: No such image: 127.0.0.1:1/web:latest\n")
    );
    // Nobody listens there: who pulls has an error.
    let pulls = |file: String| {
        project.write("compose.yaml", &file);
        let output = project.compose(&["create"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.success(), !told.contains(" Image 127.0.0.1:1/web Error "), "{told}");
        told.contains(" Image 127.0.0.1:1/web Pulling\n")
    };
    assert!(pulls(of("missing", "")));
    assert!(!pulls(of("build", build)), "it is built, and never asked for");
    // Now it is there.
    assert!(!pulls(of("missing", "")));
    assert!(!pulls(of("daily", "")) && !pulls(of("every_1h30m", "")));
    assert!(pulls(of("every_0s", "")) && pulls(of("always", "")));
    // That it cannot be had is no error if it can be built.
    project.sandbox.ok(&["rmi", "-f", "127.0.0.1:1/web"]);
    project.write("compose.yaml", &of("missing", build));
    let (_, told) = project.says(&["create"]);
    assert!(told.contains("connection refused\n") && told.contains(" Image 127.0.0.1:1/web Built\n"), "{told}");
    project.write("compose.yaml", &of("often", ""));
    assert!(
        project.fails(1, &["create"]).contains("compose.yaml:1: services.web.pull_policy: must be one of always, ")
    );
    assert!(project.fails(1, &["create", "--pull", "often"]).contains("invalid --pull option \"often\""));
    project.write("compose.yaml", &of("missing", ""));
    project.ok(&["down"]);
}

#[test]
fn the_image_that_is_built_in_is_always_there() {
    let project = Project::new("services: {web: {image: workbench, pull_policy: always, command: 'true'}}\n");
    assert!(project.says(&["up", "-d"]).1.starts_with(" Image workbench Skipped Image is built in\n"));
    assert_eq!(project.says(&["pull"]).1, " Image workbench Skipped Image is built in\n");
    project.ok(&["down"]);
}

#[test]
fn an_image_that_was_just_built_is_new_and_goes_once() {
    let project = Project::new("services: {web: {build: {dockerfile_inline: FROM workbench}, command: 'true'}}\n");
    project.ok(&["up", "-d"]);
    let images = project.ok(&["images"]);
    assert!(images.lines().nth(1).unwrap().contains(" second"), "{images}");
    let (_, told) = project.says(&["down", "-t", "0", "--rmi", "all"]);
    let of_images: Vec<_> = told.lines().filter(|line| line.starts_with(" Image ")).collect();
    assert_eq!(of_images.iter().filter(|line| line.contains("web")).count(), 2, "{told}");
    assert!(of_images.contains(&" Image shop-web:latest Removed") && !told.contains("Warning"), "{told}");
}
