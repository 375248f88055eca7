//! Its root, its mounts, and what it may not see or change.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::sandbox::{Bundle, sandboxed};

#[test]
fn its_root_is_the_folder() {
    sandboxed("filesystem::its_root_is_the_folder", || {
        let bundle = Bundle::new("cat /greeting; cat /../../../greeting; echo changed > /greeting");
        std::fs::write(bundle.path("greeting"), "hello\n").unwrap();
        assert_eq!(bundle.output(), "hello\nhello");
        assert_eq!(std::fs::read_to_string(bundle.path("greeting")).unwrap(), "changed\n");
    });
}

#[test]
fn the_hosts_mounts_are_gone() {
    sandboxed("filesystem::the_hosts_mounts_are_gone", || {
        // Nothing is mounted there but what was asked for: the old root was detached, not hidden.
        let bundle = Bundle::new("cat /proc/self/mountinfo");
        let output = bundle.output();
        let asked = ["/", "/proc", "/dev", "/sys", "/bin", "/sbin", "/lib", "/lib64", "/usr"];
        for line in output.lines() {
            let place = line.split(' ').nth(4).unwrap();
            let allowed = place == "/" || asked[1..].iter().any(|asked| Path::new(place).starts_with(asked));
            assert!(allowed, "{place} is mounted inside");
        }
    });
}

#[test]
fn dev_has_what_every_program_expects() {
    sandboxed("filesystem::dev_has_what_every_program_expects", || {
        let script = "for d in null zero full random urandom tty; do test -c /dev/$d || echo $d is missing; done; \
                      for l in fd stdin stdout stderr ptmx; do test -L /dev/$l || echo $l is missing; done; \
                      echo gone > /dev/null && head -c 3 /dev/zero | wc -c && : | cat /dev/stdin && test -d /dev/shm && test -c /dev/pts/ptmx \
                      && echo x > /dev/shm/file && cat /dev/shm/file";
        assert_eq!(Bundle::new(script).output(), "3\nx");
    });
}

#[test]
fn what_is_masked_is_empty() {
    sandboxed("filesystem::what_is_masked_is_empty", || {
        let mut bundle = Bundle::new("cat /secret /proc/keys; ls -a /hidden; echo x > /hidden/file");
        std::fs::write(bundle.path("secret"), "the password").unwrap();
        std::fs::create_dir(bundle.path("hidden")).unwrap();
        std::fs::write(bundle.path("hidden/name"), "").unwrap();
        bundle.linux(|linux| {
            linux.masked_paths_mut().as_mut().unwrap().extend([
                "/secret".to_owned(),
                "/hidden".to_owned(),
                "/absent".to_owned(),
            ]);
        });
        let ended = bundle.run();
        assert!(ended.output.starts_with(".\n..\n"), "{}", ended.output);
        assert!(ended.output.contains("Read-only file system"), "{}", ended.output);
    });
}

#[test]
fn what_masks_is_not_the_containers_to_change() {
    sandboxed("filesystem::what_masks_is_not_the_containers_to_change", || {
        // A masked file is the host's /dev/null: whoever could change its mode there would have changed it for the host.
        let output = Bundle::new("chmod 600 /proc/keys; echo x > /proc/keys && echo written").run().output;
        assert!(output.contains("Read-only file system") && output.ends_with("written\n"), "{output}");
    });
}

#[test]
fn a_link_of_the_image_cannot_unmask() {
    sandboxed("filesystem::a_link_of_the_image_cannot_unmask", || {
        // CVE-2025-31133 and its kin: /dev/null of the image, put over a file, would show what it links to.
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("target"), "host").unwrap();
        let mut bundle = Bundle::new("cat /secret; echo written > /secret; ls /dev");
        std::fs::write(bundle.path("secret"), "the password").unwrap();
        std::fs::create_dir(bundle.path("dev")).unwrap();
        symlink(outside.path().join("target"), bundle.path("dev/null")).unwrap();
        bundle.spec.mounts_mut().as_mut().unwrap().retain(|mount| !mount.destination().starts_with("/dev"));
        bundle.linux(|linux| linux.masked_paths_mut().as_mut().unwrap().push("/secret".to_owned()));
        assert_eq!(bundle.output(), "null");
        assert_eq!(std::fs::read_to_string(outside.path().join("target")).unwrap(), "host");
    });
}

#[test]
fn readonly_paths_and_root() {
    sandboxed("filesystem::readonly_paths_and_root", || {
        let mut bundle = Bundle::new(
            "echo x > /new; echo x > /dev/shm/new && echo tmpfs is writable; echo x > /proc/sys/kernel/domainname",
        );
        bundle.spec.root_mut().as_mut().unwrap().set_readonly(Some(true));
        // The mount points must be there, since nothing can be made.
        let output = bundle.run().output;
        assert_eq!(output.matches("Read-only file system").count(), 2, "{output}");
        assert!(output.contains("tmpfs is writable"), "{output}");
        assert!(!bundle.path("new").exists());
    });
}

#[test]
fn files_and_folders_of_the_host() {
    sandboxed("filesystem::files_and_folders_of_the_host", || {
        let host = tempfile::tempdir().unwrap();
        std::fs::write(host.path().join("hosts"), "10.0.0.1 db\n").unwrap();
        std::fs::create_dir(host.path().join("data")).unwrap();
        let mut bundle = Bundle::new("cat /etc/hosts; echo new > /data/file; echo bad > /etc/hosts; touch /ro/x");
        bundle.mount(&host.path().join("hosts"), Path::new("/etc/hosts"), "rbind,ro,rprivate");
        bundle.mount(&host.path().join("data"), Path::new("/data"), "rbind,rprivate");
        bundle.mount(&host.path().join("data"), Path::new("/ro"), "rbind,rro,nosuid,nodev");
        let output = bundle.run().output;
        assert!(output.starts_with("10.0.0.1 db\n"), "{output}");
        assert_eq!(output.matches("Read-only file system").count(), 2, "{output}");
        assert_eq!(std::fs::read_to_string(host.path().join("data/file")).unwrap(), "new\n");
        assert!(bundle.path("etc/hosts").is_file(), "the mount point is made in the root folder");
    });
}

#[test]
fn a_mount_cannot_leave_the_root() {
    sandboxed("filesystem::a_mount_cannot_leave_the_root", || {
        let outside = tempfile::tempdir().unwrap();
        let source = tempfile::tempdir().unwrap();
        std::fs::write(source.path().join("file"), "mounted").unwrap();
        let mut bundle = Bundle::new("cat /link/deep/file; echo; cat /up/file");
        // Absolute and climbing links: both end inside the root.
        symlink(outside.path(), bundle.path("link")).unwrap();
        std::fs::create_dir_all(bundle.folder.path().join(outside.path().strip_prefix("/").unwrap())).unwrap();
        symlink("../../../../../../tmp", bundle.path("up")).unwrap();
        bundle.mount(source.path(), Path::new("/link/deep"), "rbind");
        bundle.mount(source.path(), Path::new("/up"), "rbind");
        bundle.spec.mounts_mut().as_mut().unwrap().rotate_left(0);
        let output = bundle.run().output;
        assert!(output.ends_with("mounted"), "{output}");
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0, "a folder was made on the host");
    });
}

#[test]
fn proc_must_be_where_it_is_looked_for() {
    sandboxed("filesystem::proc_must_be_where_it_is_looked_for", || {
        // An image with /proc -> /elsewhere would have /proc/sys unprotected.
        let bundle = Bundle::new("true");
        std::fs::create_dir(bundle.path("elsewhere")).unwrap();
        symlink("elsewhere", bundle.path("proc")).unwrap();
        assert!(bundle.error().to_string().contains("error mounting \"proc\" to rootfs at \"/proc\""));
    });
}

#[test]
fn a_file_is_not_mounted_on_a_folder() {
    sandboxed("filesystem::a_file_is_not_mounted_on_a_folder", || {
        let host = tempfile::NamedTempFile::new().unwrap();
        let mut bundle = Bundle::new("true");
        bundle.mount(host.path(), Path::new("/tmp"), "rbind");
        let error = bundle.error();
        assert!(error.to_string().ends_with("to rootfs at \"/tmp\": not a directory"), "{error}");
        assert_eq!(error.exit_code(), 127);
    });
}

#[test]
fn a_source_that_is_missing_is_named() {
    sandboxed("filesystem::a_source_that_is_missing_is_named", || {
        let mut bundle = Bundle::new("true");
        bundle.mount(Path::new("/no/such/folder"), Path::new("/data"), "rbind");
        let error = bundle.error().to_string();
        assert!(
            error.contains("error mounting \"/no/such/folder\" to rootfs at \"/data\": no such file or directory"),
            "{error}"
        );
    });
}
