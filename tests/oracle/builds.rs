//! The part of the story in which images are built: by what the classic builder knows, which is what both daemons have.

use super::step::{Step, step};
use std::path::Path;

/// The files of the contexts.
const FILES: [(&str, &str); 14] = [
    (
        "Dockerfile",
        "ARG BASE=box\nFROM ${BASE} AS first\nARG WORD=foo\nWORKDIR /app\nENV GREETING=\"hi $WORD\" SECOND=2\n\
         RUN echo $WORD > foo.txt; echo out; sleep 0.3; echo err >&2\nRUN [\"sh\", \"-c\", \"echo bar > bar.txt\"]\n\
         \nFROM box\nWORKDIR /app\nCOPY --from=first /app/bar.txt baz.txt\nCOPY . files/\nADD packed.tar /packed/\n\
         LABEL a=b c=\"two words\"\nEXPOSE 80 443/udp\nUSER 1000\nSTOPSIGNAL SIGINT\n\
         CMD cat baz.txt && ls -A files /packed\n",
    ),
    (".dockerignore", "*.log\n!kept.log\ndeep/*\n!deep/er\n"),
    ("a.txt", "a\n"),
    ("b.log", "ignored\n"),
    ("kept.log", "kept\n"),
    ("deep/x", "ignored\n"),
    ("deep/er/y", "kept\n"),
    ("base.docker", "FROM box\nONBUILD RUN echo triggered > /trigger\nONBUILD ENV T=1\n"),
    ("onbuild.docker", "FROM based\nCMD cat /trigger; echo $T\n"),
    ("fails.docker", "FROM box\nRUN echo last words; exit 7\nRUN never\n"),
    ("entry.docker", "FROM box\nENTRYPOINT [\"echo\", \"said:\"]\nCMD [\"nothing\"]\nMAINTAINER ana\n"),
    (
        "recipe.docker",
        "FROM box\nVOLUME /data [\"/more\"]\nHEALTHCHECK --retries=2 --interval=3s CMD true\nSHELL [\"sh\", \"-c\"]\nCMD a b\n",
    ),
    ("scratch.docker", "FROM scratch\nCOPY a.txt /\nCMD [\"/a.txt\"]\n"),
    ("missing.docker", "FROM box\nCOPY nope /\n"),
];

/// Writes them.
pub(crate) fn write(folder: &Path) {
    for (name, text) in FILES {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut packed = tar::Builder::new(std::fs::File::create(folder.join("packed.tar")).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o644);
    packed.append_data(&mut header, "inside", &b"x\n"[..]).unwrap();
    packed.finish().unwrap();
}

pub(crate) fn steps() -> Vec<Step> {
    let config = "image inspect --format '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Env}} \
                  {{range $name, $value := .Config.Labels}}{{$name}}={{$value}} {{end}} {{json .Config.ExposedPorts}} {{json .Config.Volumes}} {{.Config.User}} \
                  {{.Config.StopSignal}} {{json .Config.OnBuild}} {{json .Config.Healthcheck}} \
                  {{.Author}} {{len .RootFS.Layers}}'";
    let inspect = |name: &str| step(Box::leak(format!("{config} {name}").into_boxed_str()));
    vec![
        step("build --network none -t made -t made:again {tmp}/context").classic(),
        step("build --network none -t made {tmp}/context").classic(),
        inspect("made"),
        step("run --rm --network none made"),
        step("images --format '{{.Repository}}:{{.Tag}}' made").in_any_order(),
        step("build --network none -q {tmp}/context").classic(),
        step("build --network none --build-arg WORD=other --build-arg UNUSED=1 --label l=m -t made:arg {tmp}/context")
            .classic(),
        inspect("made:arg"),
        step("build --network none --target first -t made:first {tmp}/context").classic(),
        inspect("made:first"),
        step("run --rm --network none made:first sh -c 'cat *.txt; pwd; echo $GREETING'"),
        step("build --network none --target first --no-cache {tmp}/context").classic(),
        step("build --network none --target nope {tmp}/context").classic().containing("nope"),
        step("build -t based -f {tmp}/context/base.docker {tmp}/context").classic(),
        inspect("based"),
        step("build --network none -t on -f {tmp}/context/onbuild.docker {tmp}/context").classic(),
        inspect("on"),
        step("run --rm --network none on"),
        step("build -t entry -f {tmp}/context/entry.docker {tmp}/context").classic(),
        inspect("entry"),
        step("run --rm --network none entry"),
        step("run --rm --network none entry something"),
        step("build -t recipe -f {tmp}/context/recipe.docker {tmp}/context").classic(),
        inspect("recipe"),
        step("build -t nothing -f {tmp}/context/scratch.docker {tmp}/context").classic(),
        inspect("nothing"),
        step("build --network none -t never -f {tmp}/context/fails.docker {tmp}/context").classic(),
        step("inspect never"),
        step("build -f {tmp}/context/missing.docker {tmp}/context").classic().containing("nope"),
        step("build -t piped -").stdin("FROM box\nCMD echo piped\n").classic(),
        step("run --rm --network none piped"),
        step("build -").stdin("FROM box\nFOO bar\n").classic().containing("unknown instruction: FOO"),
        step("build {tmp}/nowhere").classic(),
        step("build --squash {tmp}/context").classic().containing("squash"),
        step("rmi made made:again made:arg made:first based on entry recipe nothing piped").classic().containing(""),
        // The classic builder keeps the container of what failed, and images without names.
        step("container prune -f").containing("Total reclaimed space: "),
        step("image prune -f").containing("Total reclaimed space: "),
    ]
}
