//! The command: found, refused, and its end.

use super::sandbox::{Bundle, sandboxed};
use process::{Error, ExitStatus};

#[test]
fn the_exit_code_is_the_commands() {
    sandboxed("command::the_exit_code_is_the_commands", || {
        for code in [0, 7, 255] {
            assert_eq!(Bundle::new(&format!("exit {code}")).run().status, ExitStatus::Exited(code));
        }
        // PID 1 is immune to its own signals (pid_namespaces(7)), so the shell kills a child and tells 128 + 9.
        assert_eq!(Bundle::new("sh -c 'kill -9 $$'; exit $?").run().status.code(), 137);
        // From outside, SIGKILL reaches it.
        let bundle = Bundle::new("exec sleep 1000");
        let (running, _output) = bundle.start().unwrap();
        running.signal(9).unwrap();
        let code = running.wait().unwrap().code();
        assert_eq!(
            code, 137,
            "a process that signal 9 killed is told as 128 + 9, as in a shell's $? (bash(1), EXIT STATUS)"
        );
    });
}

#[test]
fn a_command_that_does_not_exist_is_127() {
    sandboxed("command::a_command_that_does_not_exist_is_127", || {
        let error = Bundle::with(&["nonesuch"]).error();
        assert_eq!(error.exit_code(), 127);
        let text = "unable to start container process: exec: \"nonesuch\": executable file not found in $PATH";
        assert_eq!(error.to_string(), text);
        let error = Bundle::with(&["/nonesuch"]).error();
        assert_eq!(error.exit_code(), 127);
        let text = "unable to start container process: exec: \"/nonesuch\": stat /nonesuch: no such file or directory";
        assert_eq!(error.to_string(), text);
    });
}

#[test]
fn a_command_that_may_not_be_executed_is_126() {
    sandboxed("command::a_command_that_may_not_be_executed_is_126", || {
        let bundle = Bundle::with(&["/file"]);
        std::fs::write(bundle.path("file"), "#!/bin/sh\n").unwrap();
        let error = bundle.error();
        assert_eq!(error.exit_code(), 126);
        assert_eq!(error.to_string(), "unable to start container process: exec: \"/file\": permission denied");
        let error = Bundle::with(&["/tmp"]).error();
        assert_eq!((error.exit_code(), error.to_string().contains("is a directory")), (126, true), "{error}");
    });
}

#[test]
fn a_file_of_no_known_format_is_126() {
    sandboxed("command::a_file_of_no_known_format_is_126", || {
        let bundle = Bundle::with(&["/file"]);
        std::fs::write(bundle.path("file"), "neither ELF nor script").unwrap();
        executable(&bundle, "file");
        let error = bundle.error();
        assert!(matches!(error, Error::Exec { .. }), "{error:?}");
        assert_eq!(error.to_string(), "unable to start container process: exec /file: exec format error");
        assert_eq!(error.exit_code(), 126);
    });
}

#[test]
fn a_missing_interpreter_is_told_apart_from_a_missing_file() {
    sandboxed("command::a_missing_interpreter_is_told_apart_from_a_missing_file", || {
        let bundle = Bundle::with(&["/file"]);
        std::fs::write(bundle.path("file"), "#!/no/such/interpreter\n").unwrap();
        executable(&bundle, "file");
        let error = bundle.error();
        assert_eq!(error.to_string(), "unable to start container process: exec /file: no such file or directory");
        assert_eq!(error.exit_code(), 127);
    });
}

#[test]
fn the_containers_path_is_searched_in_order() {
    sandboxed("command::the_containers_path_is_searched_in_order", || {
        let mut bundle = Bundle::with(&["tool"]);
        for (folder, mode) in [("one", 0o644), ("two", 0o755), ("three", 0o755)] {
            std::fs::create_dir(bundle.path(folder)).unwrap();
            let file = bundle.path(folder).join("tool");
            std::fs::write(&file, format!("#!/bin/sh\necho {folder}\n")).unwrap();
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        bundle.process(|process| {
            process.set_env(Some(vec!["PATH=/none:/one:/two:/three".to_owned()]));
        });
        assert_eq!(bundle.output(), "two", "what is not executable does not end the search");
    });
}

#[test]
fn the_environment_is_the_specifications_and_no_other() {
    sandboxed("command::the_environment_is_the_specifications_and_no_other", || {
        let mut bundle = Bundle::with(&["/usr/bin/env"]);
        bundle.process(|process| {
            process.set_env(Some(vec!["A=1".to_owned(), "B=two words".to_owned()]));
        });
        assert_eq!(bundle.output(), "A=1\nB=two words");
    });
}

#[test]
fn the_working_directory_is_made_if_it_is_missing() {
    sandboxed("command::the_working_directory_is_made_if_it_is_missing", || {
        let mut bundle = Bundle::new("pwd");
        bundle.process(|process| {
            process.set_cwd("/a/b/c".into());
        });
        assert_eq!(bundle.output(), "/a/b/c");
        assert!(bundle.path("a/b/c").is_dir());
    });
}

#[test]
fn a_working_directory_outside_is_refused() {
    sandboxed("command::a_working_directory_outside_is_refused", || {
        // CVE-2024-21626: a descriptor of the engine's, of a folder of the host, as working directory.
        for number in 3..20 {
            let mut bundle = Bundle::new("cat ../../../../etc/hostname");
            bundle.process(|process| {
                process.set_cwd(format!("/proc/self/fd/{number}").into());
            });
            bundle.error();
        }
    });
}

#[test]
fn nothing_of_the_engine_is_open_inside() {
    sandboxed("command::nothing_of_the_engine_is_open_inside", || {
        // Not even what was opened carelessly, to be inherited by everybody.
        let careless = rustix::io::fcntl_dupfd_cloexec(std::fs::File::open("/").unwrap(), 100).unwrap();
        rustix::io::fcntl_setfd(&careless, rustix::io::FdFlags::empty()).unwrap();
        assert_eq!(Bundle::new("ls /proc/$$/fd; :").output(), "0\n1\n2");
        let mut bundle = Bundle::new("exec sleep 1000");
        bundle.init = true;
        let (running, _output) = bundle.start().unwrap();
        assert_eq!(
            bundle
                .exec(&running, "ls /proc/1/fd /proc/$$/fd; :")
                .lines()
                .filter(|line| matches!(*line, "0" | "1" | "2" | "3"))
                .count(),
            6
        );
        super::sandbox::kill(&running);
    });
}

fn executable(bundle: &Bundle, name: &str) {
    std::fs::set_permissions(bundle.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}
