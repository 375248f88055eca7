//! What somebody types all day: every command of docker-compose, with our engine and with a real dockerd.

use crate::engine::Engine;
use crate::project::Project;
use crate::tool::Tool;

/// A project, and the words that are typed there. `API` before them: with no docker client at hand, docker-compose speaks for itself.
const TYPED: [(&str, &str); 60] = [
    ("shop", "config --services"),
    ("shop", "config --quiet"),
    ("shop", "create"),
    ("shop", "ps"),
    ("shop", "up -d"),
    ("shop", "up -d"),
    ("shop", "ps"),
    ("shop", "ps --services"),
    ("shop", "images -q"),
    ("shop", "logs --no-color web"),
    ("shop", "logs --no-color --tail=1 --no-log-prefix web"),
    ("shop", "port web 8000"),
    ("shop", "port web 8001"),
    ("shop", "top db"),
    ("shop", "exec -T web cat /run/secrets/db_password"),
    ("shop", "API exec -T web cat /run/secrets/db_password"),
    ("shop", "API exec -T -u 1000:1000 -w /tmp -e X=y web sh -c id;pwd;echo;$X"),
    ("shop", "API exec -T db sh -c exit;7"),
    ("shop", "API exec -d db touch /tmp/touched"),
    ("shop", "API exec -T db ls /tmp"),
    ("shop", "exec -T nobody true"),
    ("shop", "run --rm -T web echo once"),
    ("shop", "run --rm -T --no-deps -e A=b -u 1000 --entrypoint env web"),
    ("shop", "run --rm -T --no-deps -w /etc -v /etc/passwd:/mine:ro cache cat /mine"),
    ("shop", "run --rm -T --no-deps db sh -c exit;9"),
    ("shop", "run -d --name other --no-deps -p 18099:80 web sleep 100"),
    ("shop", "ps"),
    ("shop", "restart -t 0 cache"),
    ("shop", "pause cache"),
    ("shop", "ps cache"),
    ("shop", "unpause cache"),
    ("shop", "kill -s SIGUSR1 web"),
    ("shop", "stop -t 0 web"),
    ("shop", "ps web"),
    ("shop", "start web"),
    ("shop", "kill db"),
    ("shop", "ps --filter status=stopped --services"),
    ("shop", "rm -f"),
    ("shop", "rm -sf web"),
    ("shop", "up -d --scale cache=3 -t 0"),
    ("shop", "ps cache"),
    ("shop", "up -d -t 0 --force-recreate --scale cache=1 cache"),
    ("shop", "up -d -t 0 -V --always-recreate-deps --force-recreate web"),
    ("shop", "ps"),
    ("shop", "down -t 0 -v --remove-orphans"),
    ("shop", "ps"),
    ("stages", "build -q"),
    ("stages", "API build --no-cache --force-rm tool"),
    ("stages", "API build --build-arg GREETING=salut --build-arg X=y tests"),
    ("stages", "up tests"),
    ("stages", "up --exit-code-from tool tool"),
    ("stages", "up -d"),
    ("stages", "images -q"),
    ("stages", "logs --no-color"),
    ("stages", "down --rmi local -t 0"),
    ("migrations", "up --no-color lint"),
    ("migrations", "up -d --no-deps --no-recreate lint db"),
    ("migrations", "up --no-color --exit-code-from migrate migrate"),
    ("migrations", "down -v -t 0"),
    ("migrations", "up --no-start nobody"),
];

/// What came of each.
pub(crate) fn told(engine: &Engine) -> Vec<String> {
    let tell = |(name, words): &(&str, &str)| {
        let project = Project::copy(name, engine.house.sandbox.path());
        let typed: Vec<_> = words.trim_start_matches("API ").split(' ').map(|word| word.replace(';', " ")).collect();
        let typed: Vec<_> = typed.iter().map(String::as_str).collect();
        let mut command = Tool::Classic.command(engine, &project, &typed);
        if words.starts_with("API ") {
            command.env("COMPOSE_INTERACTIVE_NO_CLI", "1").env("COMPOSE_DOCKER_CLI_BUILD", "0");
        }
        let output = command.output().unwrap();
        let told = normal(&String::from_utf8_lossy(&output.stdout), words.starts_with("top"));
        format!("{words}: {:?}\n{told}", output.status.code())
    };
    TYPED.iter().map(tell).collect()
}

/// The lines in an order that does not depend on who was quicker, less what differs between any two runs.
fn normal(output: &str, is_top: bool) -> String {
    let is_hex = |word: &str| word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_changing = |word: &str| {
        is_hex(word.trim_start_matches("sha256:").trim_start_matches("HOSTNAME="))
            || is_top && word.contains(|c: char| c.is_ascii_digit())
    };
    let word = |word: &str| if is_changing(word) { "*".to_owned() } else { word.to_owned() };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    // How far its health check is, is a matter of moments.
    let healths = [" (health: starting)", " (health...", " (healthy)", " (unhealthy)"];
    let line = |text: &str| healths.iter().fold(line(text), |line, health| line.replace(health, ""));
    let is_rule = |line: &String| line.starts_with("---") || line.starts_with("Attaching to");
    let mut lines: Vec<_> = output.lines().map(line).filter(|line| !is_rule(line)).collect();
    lines.sort();
    lines.join("\n")
}
