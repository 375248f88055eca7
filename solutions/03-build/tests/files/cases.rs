//! What is compared: a folder, made by a few lines of shell, and a Dockerfile that only copies.

/// One of them.
pub struct Case {
    pub name: &'static str,
    /// Makes the context.
    pub setup: &'static str,
    pub dockerfile: &'static str,
    pub ignore: Option<&'static str>,
    /// It is about owners, which only root can give.
    pub root: bool,
    /// Debian's Docker is too old for it: only a snapshot holds it.
    pub newer: bool,
    /// Why ours is another than Docker's.
    pub differs: Option<&'static str>,
}

const CASE: Case = Case { name: "", setup: "", dockerfile: "", ignore: None, root: false, newer: false, differs: None };

/// All of them.
pub const CASES: &[Case] = &[
    Case {
        name: "nothing matches",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY a /
COPY x* /y/
",
        ..CASE
    },
    Case {
        name: "several, no slash",
        setup: "touch a b",
        dockerfile: r"FROM scratch
COPY a b /dest
",
        differs: Some("BuildKit lets the last one win; Docker's manual says what we say"),
        ..CASE
    },
    Case {
        name: "several that match, no slash",
        setup: "touch a1 a2",
        dockerfile: r"FROM scratch
COPY a* /dest
",
        differs: Some("as before"),
        ..CASE
    },
    Case {
        name: "several into a folder that is there",
        setup: "touch a b; mkdir d",
        dockerfile: r"FROM scratch
COPY d /dest/
COPY a b /dest
",
        ..CASE
    },
    Case {
        name: "chown numbers",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY --chown=5 a /x/
COPY --chown=5:6 a /y/z
COPY --chown=:7 a /w
",
        root: true,
        ..CASE
    },
    Case {
        name: "chown names",
        setup: "mkdir -p r/etc; echo 'app:x:7:8::/:/bin/sh' > r/etc/passwd; echo 'grp:x:9:' >r/etc/group; touch a",
        dockerfile: r"FROM scratch
COPY r /
COPY --chown=nosuch a /1
COPY --chown=app a /2
COPY --chown=app:grp a /3
COPY --chown=app:nog a /4
COPY --chown=:grp a /5
COPY --chown=7 a /6
COPY --chown=app: a /7
COPY --chown=9:app a /8
",
        root: true,
        ..CASE
    },
    Case {
        name: "chmod",
        setup: "mkdir -p d/e; touch a d/b; chmod 755 d",
        dockerfile: r"FROM scratch
COPY --chmod=640 a /new/dir/
COPY --chmod=750 d /e
",
        ..CASE
    },
    Case {
        name: "chmod with more bits, and symbols",
        setup: "mkdir -p d/e; touch a d/b; chmod 600 a; ln -s b d/l",
        dockerfile: r"FROM scratch
COPY --chmod=4755 a /1
COPY --chmod=u=rwX,go=rX a /2
COPY --chmod=go-rwx d /3/
",
        newer: true,
        ..CASE
    },
    Case {
        name: "chmod that is none",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY --chmod=10000 a /1
",
        newer: true,
        ..CASE
    },
    Case {
        name: "from a stage, with its owners",
        setup: "touch a",
        dockerfile: r"FROM scratch AS s
COPY --chown=5:6 a /x/
FROM scratch
COPY --from=s /x /y
COPY --from=s /x/a /z/
",
        root: true,
        ..CASE
    },
    Case {
        name: "special files",
        setup: r#"mkfifo f; python3 -c 'import socket;socket.socket(socket.AF_UNIX).bind("s")'; mkdir d; mv f s d"#,
        dockerfile: r"FROM scratch
COPY d /d
COPY d/f /x/
",
        differs: Some("the tar that Docker 20.10 writes has no named pipes"),
        ..CASE
    },
    Case {
        name: "links in the context",
        setup: "mkdir d; echo t >d/t; ln -s d ld; ln -s d/t lt; ln -s /etc/passwd out; ln -s nowhere dang; ln -s ../../d/t up",
        dockerfile: r"FROM scratch
COPY ld /ld
COPY lt /
COPY up /u/
COPY d/.. /all/
",
        ..CASE
    },
    Case {
        name: "a link out of the context",
        setup: "ln -s /etc/passwd out",
        dockerfile: r"FROM scratch
COPY out /
",
        ..CASE
    },
    Case {
        name: "a link that goes through the root",
        setup: "mkdir etc; echo mine>etc/passwd; ln -s /etc/passwd out; ln -s ../../../etc up",
        dockerfile: r"FROM scratch
COPY out /
COPY up/passwd /2
",
        ..CASE
    },
    Case {
        name: "a dangling link",
        setup: "ln -s nowhere dang",
        dockerfile: r"FROM scratch
COPY dang /
",
        ..CASE
    },
    Case {
        name: "missing",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY b/c /
",
        ..CASE
    },
    Case {
        name: "missing in a file",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY a/c /
",
        ..CASE
    },
    Case {
        name: "climbing",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY ../a /
COPY ../../../a /b
COPY /../a ../../c
",
        ..CASE
    },
    Case {
        name: "a file with a slash",
        setup: "echo f>a",
        dockerfile: r"FROM scratch
COPY a/ /x
COPY /a/ /y/
",
        ..CASE
    },
    Case {
        name: "a file into a folder",
        setup: "mkdir d; echo f>a;touch d/q",
        dockerfile: r"FROM scratch
COPY d /x
COPY a /x
",
        ..CASE
    },
    Case {
        name: "a folder over a file",
        setup: "mkdir -p d/x; echo f>x",
        dockerfile: r"FROM scratch
COPY x /
COPY d /
",
        ..CASE
    },
    Case {
        name: "a folder to a file",
        setup: "mkdir -p d; echo f>x",
        dockerfile: r"FROM scratch
COPY x /
COPY d /x
",
        ..CASE
    },
    Case {
        name: "a file over a folder",
        setup: "mkdir -p d/x e; echo f>e/x",
        dockerfile: r"FROM scratch
COPY d /
COPY e /
",
        ..CASE
    },
    Case {
        name: "a file over a file and a link",
        setup: "mkdir d e; echo 1>d/a; ln -s a d/l; echo 2>e/a; echo 3 >e/l",
        dockerfile: r"FROM scratch
COPY d /
COPY e /
",
        ..CASE
    },
    Case {
        name: "a link over a file",
        setup: "mkdir d e; echo 1>d/a; ln -s x e/a",
        dockerfile: r"FROM scratch
COPY d /
COPY e /
",
        ..CASE
    },
    Case {
        name: "a link in the destination",
        setup: "mkdir d t; ln -s /t d/l; ln -s /nowhere d/m; echo f>a",
        dockerfile: r"FROM scratch
COPY d /
COPY t /t/
COPY a /l
COPY a /m
",
        ..CASE
    },
    Case {
        name: "a destination in a file",
        setup: "mkdir d; ln -s /nowhere d/m; echo f>a",
        dockerfile: r"FROM scratch
COPY d /
COPY a /m
COPY a /m/x
",
        ..CASE
    },
    Case {
        name: "a dangling link as a folder",
        setup: "mkdir d; ln -s ../../no d/m; echo f>a",
        dockerfile: r"FROM scratch
COPY d /
COPY a /m/
",
        ..CASE
    },
    Case {
        name: "a folder over a link",
        setup: "mkdir -p d e/l t; ln -s /t d/l; echo f>e/l/a",
        dockerfile: r"FROM scratch
COPY d /
COPY e /
",
        ..CASE
    },
    Case {
        name: "attributes of folders",
        setup: "mkdir -p d/n e/n; chmod 700 d d/n; chmod 711 e/n; touch e/n/x",
        dockerfile: r"FROM scratch
COPY d /x
COPY --chown=3:4 e /x
",
        root: true,
        ..CASE
    },
    Case {
        name: "a folder that nobody may write to",
        setup: "mkdir -p d/n; touch d/n/x; chmod 555 d d/n",
        dockerfile: r"FROM scratch
COPY d /x/
",
        ..CASE
    },
    Case {
        name: "hard links",
        setup: "mkdir d; echo x>d/a; ln d/a d/b; chmod 4755 d/a",
        dockerfile: r"FROM scratch
COPY d /x/
COPY d/b /b
",
        ..CASE
    },
    Case {
        name: "the working directory",
        setup: "echo f>a",
        dockerfile: r"FROM scratch
WORKDIR /w
COPY a .
COPY a b
COPY a ./c/
COPY a ../d
COPY a /
",
        ..CASE
    },
    Case {
        name: "dots as a destination",
        setup: "mkdir d; echo f>d/a",
        dockerfile: r"FROM scratch
COPY d/ d/.
COPY d/a ''
",
        ..CASE
    },
    Case {
        name: "a file to a dot",
        setup: "mkdir d; echo f>d/a",
        dockerfile: r"FROM scratch
COPY d/a e/.
",
        newer: true,
        ..CASE
    },
    Case {
        name: "wildcards find folders",
        setup: "mkdir -p d1/x d2; touch d1/x/f d2/g h",
        dockerfile: r"FROM scratch
COPY d* /y/
COPY d*/x /z/
COPY * /all/
",
        ..CASE
    },
    Case {
        name: "wildcards find links",
        setup: "mkdir d; touch d/f; ln -s d ld; mkdir e; ln -s ../d e/d",
        dockerfile: r"FROM scratch
COPY l* /y/
COPY l*/f /n/
COPY e/* /e/
",
        ..CASE
    },
    Case {
        name: "wildcards find a link to nothing",
        setup: "touch a; ln -s nowhere l",
        dockerfile: r"FROM scratch
COPY * /x/
",
        ..CASE
    },
    Case {
        name: "wildcards find a link to what is ignored",
        setup: "mkdir d; touch a d/f; ln -s d l",
        dockerfile: r"FROM scratch
COPY * /x/
",
        ignore: Some(
            r"d
",
        ),
        ..CASE
    },
    Case {
        name: "a link in circles",
        setup: "mkdir d; ln -s l d/l",
        dockerfile: r"FROM scratch
COPY d/l/x /y
",
        ..CASE
    },
    Case {
        name: "a wildcard after a link",
        setup: "mkdir d; touch d/f d/g; ln -s d ld",
        dockerfile: r"FROM scratch
COPY ld/* /y/
",
        ..CASE
    },
    Case {
        name: "two stars are one",
        setup: "mkdir -p d/e; touch d/f d/e/f",
        dockerfile: r"FROM scratch
COPY **/f /y/
",
        ..CASE
    },
    Case {
        name: "classes",
        setup: "touch a1 a2 b1 a-",
        dockerfile: r"FROM scratch
COPY a[0-9] /y/
COPY [^a]1 /z/
COPY ?- /w/
",
        ..CASE
    },
    Case {
        name: "a malformed wildcard",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY a[ /y/
",
        newer: true,
        ..CASE
    },
    Case {
        name: "a class of one",
        setup: "touch 'a[b' 'a*'",
        dockerfile: r"FROM scratch
COPY a[[]b /y/
",
        ..CASE
    },
    Case {
        name: "names with blanks",
        setup: "touch 'a b'",
        dockerfile: r#"FROM scratch
COPY ["a b","/c d/"]
"#,
        ..CASE
    },
    Case {
        name: "names that are no UTF-8",
        setup: r#"touch "$(printf 'n\303\251')" "$(printf 'bad\377')"; mkdir d; touch "$(printf 'd/\200')""#,
        dockerfile: r"FROM scratch
COPY b* n* /x/
COPY d /y/
",
        differs: Some("Docker writes a PAX record that is no UTF-8 into its tar"),
        ..CASE
    },
    Case {
        name: "an empty folder",
        setup: "mkdir -p a",
        dockerfile: r"FROM scratch
COPY a /x/y/z/
COPY Dockerfile /x/y/Dockerfile
",
        ..CASE
    },
    Case {
        name: "heredocs",
        setup: "",
        dockerfile: r#"FROM scratch
COPY <<a <<"b" /x/
one
a
two
b
COPY --chmod=600 <<c /y
three
c
"#,
        newer: true,
        ..CASE
    },
    Case {
        name: "exclude",
        setup: "mkdir -p d/e d/f; touch d/a.txt d/b.md d/e/c.txt d/e/k d/f/c.txt",
        dockerfile: r"FROM scratch
COPY --exclude=*.md --exclude=**/*.txt --exclude=!e/c.txt d /x/
COPY --exclude=e d/ /y/
",
        newer: true,
        ..CASE
    },
    Case {
        name: "parents",
        setup: "mkdir -p a/b/c a/d; touch a/b/c/f a/b/g a/d/h; chmod 700 a/b; ln -s c a/b/l",
        dockerfile: r"FROM scratch
COPY --parents a/b/c/f /1/
COPY --parents a/b a/d/h /2/
COPY --parents a/./b/c /3/
COPY --parents a/**/h /4/
COPY --parents a/./*/g /5/
COPY --parents ./a/d /6
COPY --parents a/x* /7/
",
        newer: true,
        ..CASE
    },
    Case {
        name: "parents that are missing",
        setup: "mkdir a",
        dockerfile: r"FROM scratch
COPY --parents a/./b/c /
",
        newer: true,
        ..CASE
    },
    Case {
        name: "ignored",
        setup: "mkdir -p a/b c; touch a/b/f a/g c/h",
        dockerfile: r"FROM scratch
COPY . /x
",
        ignore: Some(
            r"*
!a/b
",
        ),
        ..CASE
    },
    Case {
        name: "ignored by name",
        setup: "mkdir -p a/b c; touch a/b/f a/g c/h",
        dockerfile: r"FROM scratch
COPY a /x
COPY a/g /z
",
        ignore: Some(
            r"*
!a/b
",
        ),
        ..CASE
    },
    Case {
        name: "an ignored folder",
        setup: "mkdir -p a/b; touch a/b/f",
        dockerfile: r"FROM scratch
COPY a /x
",
        ignore: Some(
            r"a
",
        ),
        ..CASE
    },
    Case {
        name: "wildcards and what is ignored",
        setup: "mkdir -p a/b c; touch a/b/f a/g c/h i j",
        dockerfile: r"FROM scratch
COPY * /x/
",
        ignore: Some(
            r"*
!a/b
!j
",
        ),
        ..CASE
    },
    Case {
        name: "a link to what is ignored",
        setup: "mkdir -p a; touch a/f; ln -s a l",
        dockerfile: r"FROM scratch
COPY l /x
",
        ignore: Some(
            r"a
",
        ),
        ..CASE
    },
    Case {
        name: "an ignored link",
        setup: "mkdir -p a; touch a/f; ln -s a l",
        dockerfile: r"FROM scratch
COPY l /x
",
        ignore: Some(
            r"l
",
        ),
        ..CASE
    },
    Case {
        name: "the Dockerfile ignored",
        setup: "touch a",
        dockerfile: r"FROM scratch
COPY . /x
",
        ignore: Some(
            r"Dockerfile
.dockerignore
",
        ),
        ..CASE
    },
    Case {
        name: "archives",
        setup: "mkdir d; echo x>d/a; chmod 711 d; tar cf t.tar d; tar czf t.tgz d; cp t.tgz e; echo no>n.tar; tar cjf t.tbz d; xz -k t.tar; gzip -nk n.tar",
        dockerfile: r"FROM scratch
ADD t.tar /
ADD t.tgz /y
ADD e /z/
ADD n.tar n.tar.gz /n/
ADD t.tbz /b/
ADD t.tar.xz /xz/
",
        ..CASE
    },
    Case {
        name: "an archive with zstd",
        setup: "mkdir d; echo x>d/a; tar cf t.tar d; zstd -q t.tar",
        dockerfile: r"FROM scratch
ADD t.tar.zst /x/
",
        newer: true,
        ..CASE
    },
    Case {
        name: "owners of an archive",
        setup: "mkdir d; echo x>d/a; chown 3:4 d/a; tar cf t.tar d",
        dockerfile: r"FROM scratch
ADD t.tar /
",
        root: true,
        ..CASE
    },
    Case {
        name: "an archive with chown",
        setup: "mkdir d; echo x>d/a; chown 3:4 d/a; tar cf t.tar d",
        dockerfile: r"FROM scratch
ADD --chown=5:6 t.tar /x/
",
        root: true,
        newer: true,
        ..CASE
    },
    Case {
        name: "an archive that is not to be unpacked",
        setup: "touch d; tar cf t.tar d",
        dockerfile: r"FROM scratch
ADD --unpack=false t.tar /x/
",
        newer: true,
        ..CASE
    },
    Case {
        name: "an archive over a file",
        setup: "mkdir d; echo x>d/a; tar cf t.tar d; touch f",
        dockerfile: r"FROM scratch
ADD f /x
ADD t.tar /x
",
        ..CASE
    },
    Case {
        name: "archives of nothing",
        setup: "mkdir d; tar cf t.tar -T /dev/null; dd if=/dev/zero of=z bs=512 count=1 2>/dev/null;: > empty",
        dockerfile: r"FROM scratch
ADD t.tar z empty /e/
",
        ..CASE
    },
    Case {
        name: "an archive in a folder",
        setup: "mkdir d; touch x; tar cf d/t.tar x",
        dockerfile: r"FROM scratch
ADD d /e/
ADD d/*.tar /w/
",
        ..CASE
    },
    Case {
        name: "a link to an archive",
        setup: "mkdir d; touch x; tar cf d/t.tar x; ln -s d/t.tar l",
        dockerfile: r"FROM scratch
ADD l /e/
",
        ..CASE
    },
    Case {
        name: "an archive over a link",
        setup: "mkdir -p d t o/sub; ln -s /t d/l; touch o/sub/x; mkdir o/l; touch o/l/y; tar cf o.tar -C o .",
        dockerfile: r"FROM scratch
COPY d /
ADD o.tar /
",
        ..CASE
    },
    Case {
        name: "an archive with names of whiteouts",
        setup: "mkdir o; touch o/.wh.x o/f; tar cf o.tar -C o .",
        dockerfile: r"FROM scratch
ADD o.tar /
",
        ..CASE
    },
    Case {
        name: "an archive without its folders",
        setup: "mkdir -p o/a/b; touch o/a/b/f; tar cf o.tar -C o a/b/f",
        dockerfile: r"FROM scratch
ADD o.tar /x
",
        ..CASE
    },
    Case {
        name: "ADD of what is no archive",
        setup: "mkdir -p o/a; touch o/a/f g",
        dockerfile: r"FROM scratch
ADD o /x
ADD g o/a/* /y/
",
        ..CASE
    },
];
