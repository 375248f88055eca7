# Every task a contributor needs; `just` alone lists them.

_list:
    @just --list --unsorted

# fmt, clippy and the unit tests: under a minute when warm
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace --lib --bins

# all tests, as the README says
test *ARGS:
    cargo test {{ARGS}}

# the release binary, at target/release/kesako
build:
    cargo build --release

# run the release binary: just run run --rm workbench echo hello
run *ARGS:
    cargo run --release --quiet -- {{ARGS}}

# a binary that needs no library of the host, for copying around
static:
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target x86_64-unknown-linux-gnu

# the book, to target/book
book:
    cargo run -p kesako-book --features site -- build

# the book, served on this machine: no request leaves it
serve *ARGS:
    cargo run -p kesako-book --features site -- serve {{ARGS}}

# run the console sessions of the book; --update rewrites those that are stale
sessions *ARGS:
    cargo build -p kesako -p kesako-book
    cargo run -p kesako-book -- check {{ARGS}}

# run the learner's sessions of the book, in a clone of what is committed
learner *ARGS:
    cargo build -p kesako -p kesako-book
    bash .ci/learner {{ARGS}}

# the floor, Kesako, runc and Docker, side by side
bench *ARGS: build
    cargo run --release -p kesako-benches --bin compare -- {{ARGS}}

# the same Dockerfiles built by Kesako, Docker and buildah; --large adds a context of 1 GB
bench-builds *ARGS: build
    cargo run --release -p kesako-benches --bin builds -- {{ARGS}}

# a project of ten services, up and down, by kesako compose and by docker-compose with a dockerd; as root
bench-compose *ARGS: build
    cargo run --release -p kesako-benches --bin compose -- {{ARGS}}

# networks beside Docker's: a start on the default bridge, published ports, names, the 200th container; as root
bench-networks *ARGS: build
    cargo run --release -p kesako-benches --bin networks -- {{ARGS}}

# pull, push and a registry with 8 clients, beside Docker, podman and docker-registry: an image of 500 MB
bench-registry *ARGS: build
    cargo run --release -p kesako-benches --bin registries -- {{ARGS}}

# all of what CI does, on this machine
ci:
    bash .ci/run

# put the release binary where the shell finds it
install:
    cargo install --path . --locked

# the way through the chapters: just workshop status
workshop *ARGS:
    cargo workshop {{ARGS}}

# write the learners' chapters from the marked solutions
starters:
    cargo workshop starters

# prove the exercises: each left out by itself, and two wrong answers to each
verify *ARGS:
    cargo workshop verify {{ARGS}}

# prove that the runtime says which open exercise it met: each opened alone, as root and as an ordinary user
unfinished *ARGS:
    cargo workshop verify --runtime {{ARGS}}

# boot a kernel that has cgroup v2 with all controllers, and run containers in it
vm: build
    tests/vm/v2.sh target/release/kesako
