//! The part of the story that is about `cp`: everything that may be copied to everything that may be there, both ways.

use super::step::{Step, step};

/// What is copied.
const SOURCES: [&str; 11] =
    ["file", "file/", "dir", "dir/", "dir/.", "to-file", "to-dir", "to-dir/", "to-dir/.", "to-nothing", "missing"];

const LINKS: [&str; 3] = ["to-file", "to-dir", "to-nothing"];

/// Where to: what is there is made anew for each source.
const TARGETS: [&str; 14] = [
    "file",
    "file/",
    "dir",
    "dir/",
    "dir/.",
    "to-file",
    "to-dir",
    "to-dir/",
    "to-nothing",
    "new",
    "fresh/",
    "afresh/.",
    "no/where",
    "clash",
];

/// The same files in a container and on the host.
const MAKE: &str = "cd /m; busybox mkdir -p src/dir/sub t; echo file > src/file; echo in > src/dir/sub/in; echo two > src/dir/two; \
    busybox ln -s file src/to-file; busybox ln -s dir src/to-dir; busybox ln -s nothing src/to-nothing; \
    busybox ln src/file src/dir/again; busybox chmod 2750 src/dir/sub; busybox chmod 600 src/dir/two; \
    for i in 0 1 2 3 4 5 6 7 8 9 10; do for follow in plain L; do t=t/$i/$follow; busybox mkdir -p $t/dir $t/clash/file $t/clash/sub; \
    echo > $t/clash/dir; echo > $t/clash/to-file; busybox mkdir $t/clash/to-dir; echo old > $t/file; busybox ln -s file $t/to-file; \
    busybox ln -s dir $t/to-dir; busybox ln -s made $t/to-nothing; done; done";

/// All that is beneath /m, and what it is.
const LOOK: &str =
    "cd /m; for f in $(busybox find t); do busybox stat -c '%N %F %a %h' $f; [ -f $f ] && cat $f; done; true";

pub(crate) fn steps() -> Vec<Step> {
    [table(), mounts(), owners(), refused()].into_iter().flatten().collect()
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn script(flags: &str, script: &'static str) -> Step {
    let mut made = step(leaked(format!("run {flags} --network none box sh -c")));
    made.args.push(script);
    made
}

fn table() -> Vec<Step> {
    let mut steps = vec![script("--name copied -v /m", MAKE), script("--rm -v {tmp}/cp:/m", MAKE)];
    for (number, source) in SOURCES.iter().enumerate() {
        // A link is the only thing that `-L` could mean.
        let follows: &[_] = if LINKS.contains(source) { &[("", "plain"), ("-L ", "L")] } else { &[("", "plain")] };
        for target in TARGETS {
            for (follow, folder) in follows {
                steps.push(step(leaked(format!(
                    "cp {follow}{{tmp}}/cp/src/{source} copied:/m/t/{number}/{folder}/{target}"
                ))));
                // Docker unpacks there, until it finds that the folder itself is a link.
                if !(source.ends_with("dir/.") && target == "to-dir/") {
                    steps.push(step(leaked(format!(
                        "cp {follow}copied:/m/src/{source} {{tmp}}/cp/t/{number}/{folder}/{target}"
                    ))));
                }
            }
        }
    }
    steps.push(script("--rm --volumes-from copied", LOOK).in_any_order());
    steps.push(script("--rm -v {tmp}/cp:/m", LOOK).in_any_order());
    steps
}

/// While it runs, and when it does not.
fn mounts() -> Vec<Step> {
    let look = "exec copying sh -c 'cat /data/file /ro/file /bound/file /file; ls -A /data /ro'";
    vec![
        script("--rm -v ro:/ro", "echo kept > /ro/file"),
        step(
            "create --name copying --network none -v data:/data -v ro:/ro:ro -v {tmp}/cp:/bound -v {tmp}/cp:/seen:ro box sleep 1000",
        ),
        step("cp {tmp}/cp/src/file copying:/data"),
        step("cp {tmp}/cp/src/file copying:/bound"),
        step("cp {tmp}/cp/src/file copying:/"),
        step("cp {tmp}/cp/src/file copying:/ro"),
        step("cp {tmp}/cp/src/dir copying:/seen/t"),
        step("start copying"),
        step(look),
        step("cp {tmp}/cp/src/dir copying:/data/../data"),
        step("cp {tmp}/cp/src/dir copying:/ro/new"),
        step("cp {tmp}/cp/src/file copying:/seen"),
        step("cp {tmp}/cp/src/file copying:/etc/hosts").containing("device or resource busy"),
        step("cp copying:/etc/hostname {tmp}/cp/hostname"),
        step("cp copying:/ro/file {tmp}/cp/kept"),
        step("cp copying:/proc/version {tmp}/cp"),
        step("cp copying:/data/dir/. {tmp}/cp/dotted"),
        step(look),
        step("stats --no-stream --format '{{.Name}} {{.PIDs}} {{.NetIO}} {{.Container}}' copying"),
        step("stats --no-stream nope copying"),
        step("stats --no-stream --format '{{.Nope}}' copying").containing("Nope"),
        step("kill copying"),
        step("stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' copying"),
        step("cp copying:/data {tmp}/cp/whole"),
        step("run --rm --network none -v {tmp}/cp:/m box ls -1R /m/dotted /m/whole"),
        step("run --rm --network none -v {tmp}/cp:/m box cat /m/kept /m/file"),
        step("rm copying"),
        step("run --name closed --network none --read-only -v data:/data --tmpfs /t box true"),
        step("cp {tmp}/cp/src/file closed:/"),
        step("cp {tmp}/cp/src/file closed:/data"),
        step("cp closed:/data/file {tmp}/cp/again"),
        step("rm closed"),
    ]
}

fn owners() -> Vec<Step> {
    let look = "cd /m/o; busybox stat -c '%n %u:%g' one one/two three three/two four four/two";
    vec![
        script("--rm -v {tmp}/cp:/m", "cd /m; busybox mkdir -p o/one; echo > o/one/two; busybox chown -R 7:8 o"),
        step("create --name root --network none -v /m/o box true"),
        step("cp {tmp}/cp/o/one root:/m/o/"),
        step("cp -a {tmp}/cp/o/one root:/m/o/three"),
        step("cp -a=false {tmp}/cp/o/one root:/m/o/four"),
        script("--rm --volumes-from root", look),
        step("cp root:/m/o/one {tmp}/cp/o/three"),
        step("cp -a root:/m/o/one {tmp}/cp/o/four"),
        script("--rm -v {tmp}/cp:/m", look),
        step("rm -v root"),
    ]
}

fn refused() -> Vec<Step> {
    vec![
        step("cp {tmp}/cp/src/file /nowhere"),
        step("cp copied:/m copied:/n"),
        step("cp '' copied:/m"),
        step("cp copied:/m ''"),
        step("cp copied:/m"),
        step("cp"),
        step("cp --nope a b"),
        step("cp nope:/m {tmp}/cp/x"),
        step("cp {tmp}/cp/src/file nope:/m"),
        step("cp copied: {tmp}/cp/x").containing("path"),
        step("cp ./copied:/m {tmp}/cp/x"),
        step("cp copied:/m /dev/null"),
        step("cp copied:/m {tmp}/no/where"),
        step("cp {tmp}/cp/src/file copied:/dev/null"),
        step("cp - copied:/m/src/file").stdin(""),
        step("cp - copied:/m/src/nowhere").stdin(""),
        step("cp - copied:/m/t").stdin(leaked(archive())),
        script("--rm --volumes-from copied", "cat /m/t/sent"),
        step("cp -q=false {tmp}/cp/src/file copied:/m/t"),
        step("cp --quiet=false copied:/m/src/file {tmp}/cp/x"),
        step("cp --help").containing("Copy files/folders between a container and the local filesystem"),
        step("rm -v copied"),
        step("volume rm data ro"),
    ]
}

/// A tar of one file, in plain letters.
fn archive() -> String {
    let mut archive = tar::Builder::new(Vec::new());
    let mut file = tar::Header::new_ustar();
    file.set_size(4);
    file.set_mode(0o644);
    archive.append_data(&mut file, "sent", &b"tar\n"[..]).unwrap();
    String::from_utf8(archive.into_inner().unwrap()).unwrap()
}
