//! The flags that `run` and `create` share.

use super::{device, environment, mount, network, size, ulimit};
use crate::arguments::integer;
use engine::api::{MountRequest, Ulimit};

/// What a new container shall be like.
#[derive(Clone, Debug, clap::Args)]
pub struct ContainerFlags {
    /// Assign a name to the container
    #[arg(long)]
    pub name: Option<String>,
    /// Pull image before running ("always", "missing", "never")
    #[arg(long, default_value = "missing")]
    pub pull: String,
    /// Suppress the pull output
    #[arg(short, long)]
    pub quiet: bool,
    /// Set platform if server is multi-platform capable
    #[arg(long)]
    pub platform: Option<String>,
    /// Write the container ID to the file
    #[arg(long)]
    pub cidfile: Option<String>,

    // What runs.
    /// Overwrite the default ENTRYPOINT of the image
    #[arg(long)]
    pub entrypoint: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_parser = environment::check_variable)]
    pub env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long)]
    pub env_file: Vec<String>,
    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, default_value = "")]
    pub user: String,
    /// Add additional groups to join
    #[arg(long)]
    pub group_add: Vec<String>,
    /// Working directory inside the container
    #[arg(short, long, default_value = "")]
    pub workdir: String,
    /// Set meta data on a container
    #[arg(short, long, value_parser = environment::check_label)]
    pub label: Vec<String>,
    /// Read in a line delimited file of labels
    #[arg(long)]
    pub label_file: Vec<String>,
    /// Signal to stop the container
    #[arg(long)]
    pub stop_signal: Option<String>,
    /// Timeout (in seconds) to stop a container
    #[arg(long, value_name = "int", value_parser = integer)]
    pub stop_timeout: Option<i64>,
    /// Command to run to check health
    #[arg(long, default_value = "")]
    pub health_cmd: String,
    /// Time between running the check (ms|s|m|h)
    #[arg(long, value_name = "duration", default_value = "0s", value_parser = engine::duration::parse)]
    pub health_interval: i64,
    /// Consecutive failures needed to report unhealthy
    #[arg(long, value_name = "int", default_value = "0", value_parser = integer)]
    pub health_retries: i64,
    /// Time between running the check during the start period (ms|s|m|h)
    #[arg(long, value_name = "duration", default_value = "0s", value_parser = engine::duration::parse)]
    pub health_start_interval: i64,
    /// Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)
    #[arg(long, value_name = "duration", default_value = "0s", value_parser = engine::duration::parse)]
    pub health_start_period: i64,
    /// Maximum time to allow one check to run (ms|s|m|h)
    #[arg(long, value_name = "duration", default_value = "0s", value_parser = engine::duration::parse)]
    pub health_timeout: i64,
    /// Disable any container-specified HEALTHCHECK
    #[arg(long)]
    pub no_healthcheck: bool,
    /// Run an init inside the container that forwards signals and reaps processes
    #[arg(long)]
    pub init: Option<bool>,
    /// Automatically remove the container and its associated anonymous volumes when it exits
    #[arg(long)]
    pub rm: bool,
    /// Restart policy to apply when a container exits
    #[arg(long, default_value = "no")]
    pub restart: String,

    // Its streams.
    /// Attach to STDIN, STDOUT or STDERR
    #[arg(short, long, value_parser = stream)]
    pub attach: Vec<String>,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    pub interactive: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub tty: bool,
    /// Logging driver for the container
    #[arg(long, default_value = "")]
    pub log_driver: String,
    /// Log driver options
    #[arg(long)]
    pub log_opt: Vec<String>,

    // What it sees.
    /// Container host name
    #[arg(short = 'h', long, default_value = "")]
    pub hostname: String,
    /// Container NIS domain name
    #[arg(long, default_value = "")]
    pub domainname: String,
    /// Connect a container to a network
    #[arg(long, visible_alias = "net", value_name = "network")]
    pub network: Vec<String>,
    /// Add link to another container
    #[arg(long, value_parser = super::network::link)]
    pub link: Vec<String>,
    /// Add network-scoped alias for the container
    #[arg(long, visible_alias = "net-alias")]
    pub network_alias: Vec<String>,
    /// IPv4 address (e.g., 172.30.100.104)
    #[arg(long, value_name = "ip", default_value = "")]
    pub ip: String,
    /// IPv6 address (e.g., 2001:db8::33)
    #[arg(long, value_name = "ip", default_value = "")]
    pub ip6: String,
    /// Container MAC address (e.g., 92:d0:c6:0a:29:33)
    #[arg(long, default_value = "")]
    pub mac_address: String,
    /// Set custom DNS servers
    #[arg(long, value_parser = network::server)]
    pub dns: Vec<String>,
    /// Set DNS options
    #[arg(long, visible_alias = "dns-opt")]
    pub dns_option: Vec<String>,
    /// Set custom DNS search domains
    #[arg(long, value_parser = network::search_domain)]
    pub dns_search: Vec<String>,
    /// Add a custom host-to-IP mapping (host:ip)
    #[arg(long, value_parser = network::extra_host)]
    pub add_host: Vec<String>,
    /// Publish a container's port(s) to the host
    #[arg(short, long)]
    pub publish: Vec<String>,
    /// Publish all exposed ports to random ports
    #[arg(short = 'P', long)]
    pub publish_all: bool,
    /// Expose a port or a range of ports
    #[arg(long)]
    pub expose: Vec<String>,
    /// PID namespace to use
    #[arg(long, default_value = "")]
    pub pid: String,
    /// IPC mode to use
    #[arg(long, default_value = "")]
    pub ipc: String,
    /// UTS namespace to use
    #[arg(long, default_value = "")]
    pub uts: String,
    /// Mount the container's root filesystem as read only
    #[arg(long)]
    pub read_only: bool,
    /// Mount a tmpfs directory
    #[arg(long)]
    pub tmpfs: Vec<String>,
    /// Attach a filesystem mount to the container
    #[arg(long, value_name = "mount", value_parser = mount::parse)]
    pub mount: Vec<MountRequest>,
    /// Bind mount a volume
    #[arg(short, long)]
    pub volume: Vec<String>,
    /// Mount volumes from the specified container(s)
    #[arg(long)]
    pub volumes_from: Vec<String>,
    /// Optional volume driver for the container
    #[arg(long, default_value = "")]
    pub volume_driver: String,
    /// Size of /dev/shm
    #[arg(long, value_name = "bytes", value_parser = size::bytes)]
    pub shm_size: Option<i64>,
    /// Add a host device to the container
    #[arg(long)]
    pub device: Vec<String>,
    /// Sysctl options
    #[arg(long, value_name = "map")]
    pub sysctl: Vec<String>,

    // What it may.
    /// Give extended privileges to this container
    #[arg(long)]
    pub privileged: bool,
    /// Add Linux capabilities
    #[arg(long)]
    pub cap_add: Vec<String>,
    /// Drop Linux capabilities
    #[arg(long)]
    pub cap_drop: Vec<String>,
    /// Security Options
    #[arg(long)]
    pub security_opt: Vec<String>,
    /// Add a rule to the cgroup allowed devices list
    #[arg(long, value_parser = device::cgroup_rule)]
    pub device_cgroup_rule: Vec<String>,

    // How much of it.
    /// Memory limit
    #[arg(short, long, value_name = "bytes", value_parser = size::bytes)]
    pub memory: Option<i64>,
    /// Memory soft limit
    #[arg(long, value_name = "bytes", value_parser = size::bytes)]
    pub memory_reservation: Option<i64>,
    /// Swap limit equal to memory plus swap: '-1' to enable unlimited swap
    #[arg(long, value_name = "bytes", value_parser = size::bytes_or_unlimited)]
    pub memory_swap: Option<i64>,
    /// Number of CPUs
    #[arg(long, value_name = "decimal", value_parser = size::cpus)]
    pub cpus: Option<i64>,
    /// CPU shares (relative weight)
    #[arg(short, long, value_name = "int", value_parser = integer)]
    pub cpu_shares: Option<i64>,
    /// Limit CPU CFS (Completely Fair Scheduler) period
    #[arg(long, value_name = "int", value_parser = integer)]
    pub cpu_period: Option<i64>,
    /// Limit CPU CFS (Completely Fair Scheduler) quota
    #[arg(long, value_name = "int", value_parser = integer)]
    pub cpu_quota: Option<i64>,
    /// CPUs in which to allow execution (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub cpuset_cpus: String,
    /// MEMs in which to allow execution (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub cpuset_mems: String,
    /// Tune container pids limit (set -1 for unlimited)
    #[arg(long, value_name = "int", value_parser = integer)]
    pub pids_limit: Option<i64>,
    /// Ulimit options
    #[arg(long, value_name = "ulimit", value_parser = ulimit::parse)]
    pub ulimit: Vec<Ulimit>,
    /// Tune host's OOM preferences (-1000 to 1000)
    #[arg(long, value_name = "int", value_parser = integer)]
    pub oom_score_adj: Option<i64>,

    /// The image, and the command in it
    #[arg(required = true, trailing_var_arg = true)]
    pub words: Vec<String>,
}

fn stream(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "stdin" | "stdout" | "stderr" => Ok(lower),
        _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
    }
}
