//! Who the user is, kept by a program of theirs (`docker-credential-…`), or asked for on a terminal.

use crate::served::{HTPASSWD, Served};
use crate::support::Sandbox;
use crate::support::terminal::Terminal;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Keeps one secret in a file, and notes what it was asked.
const FAKE: &str = r#"#!/bin/sh
cd "$HOME"
echo "$1" >> calls
case $1 in
store) cat > secret ;;
get) read -r server; echo "$server" >> asked
    if [ -f secret ]; then cat secret; else echo 'credentials not found in native keychain'; exit 1; fi ;;
erase) read -r server; rm -f secret ;;
list) echo '{}' ;;
esac
"#;
const LOCKED: &str = "#!/bin/sh\necho the keychain is locked\nexit 1\n";

struct Place {
    served: Served,
    sandbox: Sandbox,
    /// `ana`'s only.
    name: String,
}

impl Place {
    fn new(config: &str) -> Self {
        let sandbox = Sandbox::new();
        let users = sandbox.path().join("htpasswd");
        fs::write(&users, HTPASSWD).unwrap();
        let served = Served::start(&sandbox, &["--htpasswd", &users.display().to_string()]);
        for (name, text) in [("fake", FAKE), ("locked", LOCKED)] {
            let path = sandbox.path().join("bin").join(format!("docker-credential-{name}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let name = format!("{}/app:v1", served.host);
        let place = Self { served, sandbox, name };
        fs::create_dir_all(place.config().parent().unwrap()).unwrap();
        fs::write(place.config(), config.replace("HOST", &place.served.host)).unwrap();
        place.sandbox.ok(&["tag", "workbench", &place.name]);
        place
    }

    fn config(&self) -> PathBuf {
        self.sandbox.path().join(".docker/config.json")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.std_command(args);
        let path = format!("{}:/usr/bin:/bin", self.sandbox.path().join("bin").display());
        command.env("PATH", path);
        command
    }

    fn run(&self, args: &[&str]) -> (Output, String) {
        let output = self.command(args).output().unwrap();
        let told = [&output.stdout[..], &output.stderr[..]].concat();
        (output, String::from_utf8(told).unwrap())
    }

    fn login(&self) -> (Output, String) {
        self.run(&["login", "-u", "ana", "-p", "secret", &self.served.host])
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.sandbox.path().join(file)).unwrap_or_default()
    }
}

#[test]
fn a_program_keeps_the_password_and_the_file_does_not() {
    for config in
        [r#"{"credsStore":"fake"}"#, r#"{"credsStore":"locked","credHelpers":{"HOST":"fake"},"psFormat":"x"}"#]
    {
        let place = Place::new(config);
        let (output, told) = place.login();
        assert!(output.status.success() && !told.contains("unencrypted"), "{told}");
        let written = place.text(".docker/config.json");
        assert!(written.contains(&format!("\"{}\": {{}}", place.served.host)), "{written}");
        assert!(
            !written.contains("auth\"") && written.contains("psFormat") == config.contains("psFormat"),
            "{written}"
        );
        assert_eq!(
            place.text("secret"),
            format!(r#"{{"ServerURL":"{}","Username":"ana","Secret":"secret"}}"#, place.served.host)
        );
        let (output, told) = place.run(&["push", "-q", &place.name]);
        assert!(output.status.success(), "{told}");
        assert_eq!(place.text("asked").lines().last(), Some(place.served.host.as_str()));
        let (output, told) = place.run(&["logout", &place.served.host]);
        assert!(output.status.success(), "{told}");
        assert_eq!((place.text("secret").as_str(), place.text("calls").lines().last()), ("", Some("erase")));
        let (_, told) = place.run(&["push", "-q", &place.name]);
        assert!(told.contains("no basic auth credentials"), "{told}");
    }
}

#[test]
fn a_program_that_fails_is_told_and_does_not_stand_in_the_way() {
    let why = [
        ("locked", "exit status 1, out: `the keychain is locked`"),
        ("gone", "exec: \"docker-credential-gone\": executable file not found in $PATH, out: ``"),
    ];
    for (name, why) in why {
        let place = Place::new(&format!(r#"{{"credsStore":"{name}"}}"#));
        let before = place.text(".docker/config.json");
        let (output, told) = place.login();
        let expected = format!("Error saving credentials: error storing credentials - err: {why}");
        assert!(!output.status.success() && told.contains(&expected), "{told}");
        assert_eq!(place.text(".docker/config.json"), before);
        let (_, told) = place.run(&["push", "-q", &place.name]);
        assert!(told.contains(&format!("WARNING: error getting credentials - err: {why}")), "{told}");
        assert!(told.contains("no basic auth credentials"), "{told}");
        let (output, told) = place.run(&["logout", &place.served.host]);
        assert!(output.status.success() && told.contains("WARNING: could not erase credentials:"), "{told}");
    }
}

#[test]
fn a_terminal_is_asked_and_does_not_show_the_password() {
    let place = Place::new("{}");
    let mut terminal = Terminal::start(place.command(&["login", &place.served.host]));
    terminal.expect("Username: ");
    terminal.type_in("ana\n");
    terminal.expect("Password: ");
    terminal.type_in("secret\n");
    terminal.expect("Login Succeeded");
    assert!(!terminal.screen().contains("secret"), "{}", terminal.screen());
    assert!(terminal.wait().success());
    // One that is no good any more: the user is known, and asked for the rest.
    let config = place.text(".docker/config.json").replace("YW5hOnNlY3JldA==", "YW5hOm9sZA==");
    fs::write(place.config(), config).unwrap();
    let mut terminal = Terminal::start(place.command(&["login", &place.served.host]));
    terminal.expect("Login did not succeed, error: Error response from daemon: login attempt to");
    terminal.expect("Username (ana): ");
    terminal.type_in("\n");
    terminal.expect("Password: ");
    terminal.type_in("secret\n");
    terminal.expect("Login Succeeded");
    assert!(terminal.wait().success());
    assert!(place.text(".docker/config.json").contains("YW5hOnNlY3JldA=="));
}

#[test]
fn where_the_file_is_the_environment_may_say() {
    let place = Place::new("{}");
    let elsewhere = place.sandbox.path().join("elsewhere");
    let args = ["login", "-u", "ana", "-p", "secret", &place.served.host];
    let output = place.command(&args).env("DOCKER_CONFIG", &elsewhere).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(place.text(".docker/config.json"), "{}");
    let mode = fs::metadata(elsewhere.join("config.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
