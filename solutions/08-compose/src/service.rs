//! What a service may say. The keys are in the order in which docker compose writes them.

use crate::schema::Shape::*;
use crate::schema::{Field, ONE_OR_MORE, SET, Shape, Shown, TEXTS, Unique, before_equals, field, set, shown, target};
use crate::short;
use crate::tree::Node;

/// A service.
pub static SERVICE: Shape = Fields(&[
    field("profiles", SET),
    field("annotations", Labels),
    set("attach", Flag),
    set("build", Short(short::build, &BUILD)),
    set("develop", Fields(DEVELOP)),
    field("cap_add", SET),
    field("cap_drop", SET),
    field("cgroup_parent", Text),
    field("cgroup", Choice(&["host", "private"])),
    field("cpu_period", Whole),
    field("cpu_quota", Whole),
    field("cpu_rt_period", Whole),
    field("cpu_rt_runtime", Whole),
    field("cpus", Real),
    field("cpuset", Text),
    field("cpu_shares", Whole),
    shown("command", Argv, Shown::Null),
    field("configs", Listed(&GRANT, Unique::By(config_target))),
    field("container_name", Text),
    field("depends_on", Short(short::depends_on, &Named(&DEPENDENCY))),
    set("deploy", Fields(DEPLOY)),
    field("device_cgroup_rules", SET),
    field("devices", Listed(&Short(short::device, &Fields(DEVICE)), Unique::By(target))),
    field("dns", ONE_OR_MORE),
    field("dns_opt", Listed(&Text, Unique::By(before_equals))),
    field("dns_search", ONE_OR_MORE),
    field("domainname", Text),
    shown("entrypoint", Argv, Shown::Null),
    field("environment", Variables),
    field("env_file", Short(short::env_file, &Listed(&Fields(ENV_FILE), Unique::By(env_path)))),
    field("expose", SET),
    set("extends", Short(short::extends, &Fields(EXTENDS))),
    field("external_links", SET),
    field("extra_hosts", Hosts),
    field("group_add", SET),
    field("hostname", Text),
    set("healthcheck", Fields(HEALTHCHECK)),
    field("image", Text),
    set("init", Flag),
    field("ipc", Text),
    field("labels", Labels),
    field("label_file", Short(short::one, &Listed(&Path, Unique::No))),
    field("links", Listed(&Text, Unique::By(before_equals))),
    set("logging", SameOnly("driver", &[field("driver", Text), field("options", Labels)])),
    field("mem_limit", Size),
    field("mem_reservation", Size),
    field("memswap_limit", Size),
    field("mem_swappiness", Size),
    field("mac_address", Text),
    field("network_mode", Text),
    field("networks", Short(short::names, &Named(&Fields(ENDPOINT)))),
    field("oom_kill_disable", Flag),
    field("oom_score_adj", Whole),
    field("pid", Text),
    field("pids_limit", Whole),
    field("platform", Text),
    field("ports", Short(short::ports, &Listed(&Fields(PORT), Unique::By(port)))),
    field("privileged", Flag),
    field("pull_policy", Text),
    field("read_only", Flag),
    field("restart", Text),
    field("runtime", Text),
    set("scale", Whole),
    field("secrets", Listed(&GRANT, Unique::By(secret_target))),
    field("security_opt", SET),
    field("shm_size", Size),
    field("stdin_open", Flag),
    set("stop_grace_period", Span),
    field("stop_signal", Text),
    field("storage_opt", Labels),
    field("sysctls", Labels),
    field("tmpfs", ONE_OR_MORE),
    field("tty", Flag),
    field("ulimits", Named(&ULIMIT)),
    field("user", Loose),
    field("userns_mode", Text),
    field("uts", Text),
    field("volumes", Listed(&Short(short::volume, &Fields(VOLUME)), Unique::By(target))),
    field("volumes_from", SET),
    field("working_dir", Text),
    field("blkio_config", Unsupported),
    field("cpu_count", Unsupported),
    field("cpu_percent", Unsupported),
    field("credential_spec", Unsupported),
    field("gpus", Unsupported),
    field("isolation", Unsupported),
    field("models", Unsupported),
    field("post_start", Unsupported),
    field("pre_start", Unsupported),
    field("pre_stop", Unsupported),
    field("provider", Unsupported),
    field("pull_refresh_after", Unsupported),
    field("use_api_socket", Unsupported),
]);

static BUILD: Shape = Fields(&[
    field("context", Context),
    field("dockerfile", Text),
    field("dockerfile_inline", Text),
    field("entitlements", SET),
    field("args", Variables),
    field("provenance", Loose),
    field("sbom", Loose),
    field("ssh", Variables),
    field("labels", Labels),
    field("cache_from", TEXTS),
    field("cache_to", TEXTS),
    field("no_cache", Flag),
    field("no_cache_filter", ONE_OR_MORE),
    field("additional_contexts", Short(short::pairs, &Named(&Context))),
    field("pull", Flag),
    field("extra_hosts", Hosts),
    field("isolation", Unsupported),
    field("network", Text),
    field("target", Text),
    field("secrets", Listed(&GRANT, Unique::By(secret_target))),
    field("shm_size", Size),
    field("tags", SET),
    field("ulimits", Named(&ULIMIT)),
    field("platforms", SET),
    field("privileged", Flag),
]);

const DEVELOP: &[Field] = &[field(
    "watch",
    Listed(
        &Fields(&[
            set("path", Path),
            set("action", Choice(&["sync", "rebuild", "restart", "sync+restart", "sync+exec"])),
            field("target", Text),
            shown("exec", Fields(&[shown("command", Argv, Shown::Null)]), Shown::Struct),
            field("include", ONE_OR_MORE),
            field("ignore", ONE_OR_MORE),
            field("initial_sync", Flag),
        ]),
        Unique::No,
    ),
)];

static DEPENDENCY: Shape = Fields(&[
    field("condition", Choice(&["service_started", "service_healthy", "service_completed_successfully"])),
    field("restart", Flag),
    set("required", Flag),
]);

/// What a service is given of a secret or config.
static GRANT: Shape = Short(
    short::grant,
    &Fields(&[
        field("source", Text),
        field("target", Text),
        field("uid", Loose),
        field("gid", Loose),
        set("mode", Mode),
    ]),
);

const DEPLOY: &[Field] = &[
    field("mode", Text),
    set("replicas", Whole),
    field("labels", Labels),
    set("update_config", Fields(UPDATE)),
    set("rollback_config", Fields(UPDATE)),
    shown("resources", Fields(&[set("limits", Fields(LIMITS)), set("reservations", Fields(LIMITS))]), Shown::Struct),
    set(
        "restart_policy",
        Fields(&[field("condition", Text), set("delay", Span), set("max_attempts", Whole), set("window", Span)]),
    ),
    shown(
        "placement",
        Fields(&[
            field("constraints", TEXTS),
            field("preferences", Listed(&Fields(&[field("spread", Text)]), Unique::No)),
            field("max_replicas_per_node", Whole),
        ]),
        Shown::Struct,
    ),
    field("endpoint_mode", Text),
];

const UPDATE: &[Field] = &[
    set("parallelism", Whole),
    field("delay", Span),
    field("failure_action", Text),
    field("monitor", Span),
    field("max_failure_ratio", Real),
    field("order", Choice(&["start-first", "stop-first"])),
];

const LIMITS: &[Field] = &[
    field("cpus", Real),
    field("memory", Size),
    field("pids", Whole),
    field("devices", Unsupported),
    field("generic_resources", Unsupported),
];

const DEVICE: &[Field] = &[field("source", Text), field("target", Text), field("permissions", Text)];

const ENV_FILE: &[Field] = &[field("path", Path), shown("required", Flag, Shown::False), field("format", Text)];

const EXTENDS: &[Field] = &[field("file", Text), field("service", Text)];

const HEALTHCHECK: &[Field] = &[
    field("test", Test),
    set("timeout", Span),
    set("interval", Span),
    set("retries", Whole),
    set("start_period", Span),
    set("start_interval", Span),
    field("disable", Flag),
];

/// A service in a network.
const ENDPOINT: &[Field] = &[
    field("aliases", SET),
    field("driver_opts", Labels),
    field("gw_priority", Whole),
    field("interface_name", Text),
    field("ipv4_address", Text),
    field("ipv6_address", Text),
    field("link_local_ips", Unsupported),
    field("mac_address", Text),
    field("priority", Whole),
];

const PORT: &[Field] = &[
    field("name", Text),
    field("mode", Text),
    field("host_ip", Text),
    field("target", Whole),
    field("published", Loose),
    field("protocol", Text),
    field("app_protocol", Text),
];

const VOLUME: &[Field] = &[
    field("type", Choice(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
    field("source", Text),
    field("target", Text),
    field("read_only", Flag),
    field("consistency", Text),
    set(
        "bind",
        Fields(&[
            field("selinux", Choice(&["z", "Z"])),
            field("propagation", Text),
            shown("create_host_path", Flag, Shown::False),
            field("recursive", Choice(&["enabled", "disabled", "writable", "readonly"])),
        ]),
    ),
    set("volume", Fields(&[field("labels", Labels), field("nocopy", Flag), field("subpath", Text)])),
    set("tmpfs", Fields(&[field("size", Size), field("mode", Whole)])),
    set("image", Unsupported),
];

/// A single number stands for both; see [`crate::render`].
static ULIMIT: Shape = Short(short::ulimit, &Fields(&[set("single", Whole), set("soft", Whole), set("hard", Whole)]));

fn text_of(node: &Node, key: &str) -> String {
    node.find(&[key]).and_then(Node::scalar).unwrap_or_default()
}

fn secret_target(node: &Node) -> String {
    let target = target(node);
    if target.is_empty() { format!("/run/secrets/{}", text_of(node, "source")) } else { target }
}

fn config_target(node: &Node) -> String {
    let target = target(node);
    if target.is_empty() { format!("/{}", text_of(node, "source")) } else { target }
}

fn env_path(node: &Node) -> String {
    text_of(node, "path")
}

fn port(node: &Node) -> String {
    let or = |key, other: &str| Some(text_of(node, key)).filter(|text| !text.is_empty()).unwrap_or(other.to_owned());
    let (ip, protocol) = (or("host_ip", "0.0.0.0"), or("protocol", "tcp"));
    format!("{ip}:{}:{}/{protocol}", text_of(node, "published"), text_of(node, "target"))
}
