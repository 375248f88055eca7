//! `--user`: names and numbers, looked up in the image's own /etc/passwd and /etc/group (passwd(5), group(5)).
//!
//! The rules are those of Docker: a name must be known to the image, a number need not be; a user given without a group
//! gets the groups that list it, a user given with one gets that one alone.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::{Error, Result, beneath};

/// Who a process runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// The primary group first: a process that drops its gid must still be seen as its member (CVE-2022-36109).
    pub additional_gids: Vec<u32>,
    /// `/` if the image has none for this user.
    pub home: String,
}

/// Files beyond this size are no account files.
const LIMIT: u64 = 16 << 20;
/// The greatest ID that Docker takes.
const MAX_ID: u32 = i32::MAX as u32;

/// `""` (root), `name`, `uid`, `name:group`, `uid:gid`; `groups` is `--group-add`. `root` is the container's root
/// folder.
///
/// # Errors
/// A name that the image does not know, a number out of range; in Docker's words.
pub fn resolve(root: BorrowedFd<'_>, user: &str, groups: &[String]) -> Result<User> {
    let (user_part, group_part) = user.split_once(':').unwrap_or((user, ""));
    let group_file = read(root, c"etc/group")?;
    let mut found = account(&read(root, c"etc/passwd")?, user_part)?;

    let mut listed = Vec::new();
    if group_part.is_empty() {
        if let Some(name) = &found.name {
            listed.extend(entries(&group_file).filter(|group| group.lists(name)).filter_map(|group| group.id()));
        }
    } else {
        found.gid = group_id(&group_file, group_part).ok_or_else(|| Error::UnknownGroup(group_part.to_owned()))?;
    }
    for group in groups {
        let gid = group_id(&group_file, group).ok_or_else(|| Error::UnknownGroup(group.clone()))?;
        listed.push(gid);
    }
    for id in [found.uid, found.gid].iter().chain(&listed) {
        if *id > MAX_ID {
            return Err(Error::Unsupported(format!("uids and gids must be in range 0-{MAX_ID}")));
        }
    }
    let mut additional_gids = vec![found.gid];
    for gid in listed {
        if !additional_gids.contains(&gid) {
            additional_gids.push(gid);
        }
    }
    Ok(User { uid: found.uid, gid: found.gid, additional_gids, home: found.home })
}

struct Account {
    /// None for a number that the image does not know.
    name: Option<String>,
    uid: u32,
    gid: u32,
    home: String,
}

fn account(passwd: &str, wanted: &str) -> Result<Account> {
    let number = if wanted.is_empty() { Some(0) } else { wanted.parse::<u32>().ok() };
    let matching = entries(passwd)
        .find(|entry| entry.name() == wanted && !wanted.is_empty() || number.is_some() && entry.id() == number);
    if let Some(entry) = matching {
        return Ok(Account {
            name: Some(entry.name().to_owned()),
            uid: entry.id().unwrap_or(0),
            gid: entry.field(3).parse().unwrap_or(0),
            home: Some(entry.field(5)).filter(|home| !home.is_empty()).unwrap_or("/").to_owned(),
        });
    }
    match number {
        Some(uid) => Ok(Account { name: None, uid, gid: 0, home: "/".to_owned() }),
        None => Err(Error::UnknownUser(wanted.to_owned())),
    }
}

fn group_id(group_file: &str, wanted: &str) -> Option<u32> {
    let number = wanted.parse::<u32>().ok();
    let named = entries(group_file).find(|group| group.name() == wanted).and_then(|group| group.id());
    named.or(number)
}

/// A line of either file: `name:password:id:…`. Lines without an ID are skipped.
struct Entry<'a>(&'a str);

fn entries(file: &str) -> impl Iterator<Item = Entry<'_>> {
    file.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(Entry)
        .filter(|entry| entry.id().is_some())
}

impl<'a> Entry<'a> {
    fn field(&self, index: usize) -> &'a str {
        self.0.split(':').nth(index).unwrap_or("")
    }

    fn name(&self) -> &'a str {
        self.field(0)
    }

    fn id(&self) -> Option<u32> {
        self.field(2).parse().ok()
    }

    /// Whether a group names this user as a member.
    fn lists(&self, user: &str) -> bool {
        self.field(3).split(',').any(|member| member == user)
    }
}

/// The file's text, or nothing if the image has none. What is no regular file counts as none, and is not even opened: a
/// FIFO could block us for ever, and a device, which the engine may use and the container may not, can act on being
/// opened (a watchdog, a tape).
fn read(root: BorrowedFd<'_>, path: &std::ffi::CStr) -> Result<String> {
    let place = match beneath::open(root, path, OFlags::PATH) {
        Ok(place) => File::from(place),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(String::new()),
        Err(error) => return Err(Error::system(format!("open {}", path.to_string_lossy()), error)),
    };
    let failed = |source| Error::System { step: format!("read {}", path.to_string_lossy()), source };
    if !place.metadata().map_err(failed)?.is_file() {
        return Ok(String::new());
    }
    // Through the descriptor: by its path it could be another one now.
    let file = File::open(format!("/proc/self/fd/{}", place.as_raw_fd())).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\napp:x:1000:1001::/home/app:/bin/sh\n\n7:x:8:9::/seven:\n";
    const GROUP: &str = "root:x:0:root\nbin:x:1:root,daemon\napp:x:1001:\nwheel:x:10:root,app\n";

    fn image() -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        std::fs::write(folder.path().join("etc/passwd"), PASSWD).unwrap();
        std::fs::write(folder.path().join("etc/group"), GROUP).unwrap();
        let root = File::open(folder.path()).unwrap();
        (folder, root)
    }

    fn user(text: &str, groups: &[&str]) -> Result<(u32, u32, Vec<u32>, String)> {
        let (_folder, root) = image();
        let groups: Vec<_> = groups.iter().map(|&group| group.to_owned()).collect();
        resolve(root.as_fd(), text, &groups).map(|user| (user.uid, user.gid, user.additional_gids, user.home))
    }

    #[test]
    fn as_docker_resolves_them() {
        let is = |text: &str, uid, gid, gids: &[u32], home: &str| {
            assert_eq!(user(text, &[]).unwrap(), (uid, gid, gids.to_vec(), home.to_owned()), "{text}");
        };
        is("", 0, 0, &[0, 1, 10], "/root");
        is("root", 0, 0, &[0, 1, 10], "/root");
        is("app", 1000, 1001, &[1001, 10], "/home/app");
        is("1000", 1000, 1001, &[1001, 10], "/home/app");
        is("app:bin", 1000, 1, &[1], "/home/app");
        is("app:77", 1000, 77, &[77], "/home/app");
        is("4242", 4242, 0, &[0], "/");
        is("4242:43", 4242, 43, &[43], "/");
        is(":bin", 0, 1, &[1], "/root");
        is("7", 8, 9, &[9], "/seven");
        assert_eq!(user("app", &["wheel", "55"]).unwrap().2, [1001, 10, 55]);
    }

    #[test]
    fn refusals_in_dockers_words() {
        let text = |user_text: &str, groups: &[&str]| user(user_text, groups).unwrap_err().to_string();
        assert_eq!(text("nobody", &[]), "unable to find user nobody: no matching entries in passwd file");
        assert_eq!(text("app:nogroup", &[]), "unable to find group nogroup: no matching entries in group file");
        assert_eq!(text("app", &["nogroup"]), "unable to find group nogroup: no matching entries in group file");
        assert_eq!(text("3000000000", &[]), "uids and gids must be in range 0-2147483647");
    }

    #[test]
    fn an_image_cannot_point_at_the_hosts_files() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("etc")).unwrap();
        let root = File::open(folder.path()).unwrap();
        // ELOOP: `/etc -> /etc` of the image is itself, not the host's.
        assert!(resolve(root.as_fd(), "root", &[]).is_err());
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        use rustix::fs::inotify;
        let (folder, root) = image();
        let passwd = folder.path().join("etc/passwd");
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        let opened = || {
            let mut buffer = [std::mem::MaybeUninit::uninit(); 512];
            inotify::Reader::new(&watch, &mut buffer).next().is_ok()
        };
        inotify::add_watch(&watch, &passwd, inotify::WatchFlags::OPEN).unwrap();
        resolve(root.as_fd(), "app", &[]).unwrap();
        assert!(opened(), "a regular file is read");

        std::fs::remove_file(&passwd).unwrap();
        while opened() {}
        rustix::fs::mknodat(rustix::fs::CWD, &passwd, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
        inotify::add_watch(&watch, &passwd, inotify::WatchFlags::OPEN).unwrap();
        assert!(matches!(resolve(root.as_fd(), "app", &[]), Err(Error::UnknownUser(_))));
        assert!(!opened(), "the image's FIFO was opened");
    }

    #[test]
    fn an_image_without_files_knows_numbers_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = File::open(folder.path()).unwrap();
        assert_eq!(resolve(root.as_fd(), "", &[]).unwrap().uid, 0);
        assert_eq!(resolve(root.as_fd(), "12:13", &[]).unwrap().gid, 13);
        assert!(matches!(resolve(root.as_fd(), "root", &[]), Err(Error::UnknownUser(_))));
    }
}
