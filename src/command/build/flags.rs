//! The flags of `build`, in Docker's words.

use super::rare::Given;
use crate::flags::environment;

/// Start a build
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Flags {
    /// Add a custom host-to-IP mapping (format: "host:ip")
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    pub(super) add_host: Vec<String>,
    /// Set build-time variables
    #[arg(long, value_name = "stringArray", value_parser = environment::check_variable)]
    pub(super) build_arg: Vec<String>,
    /// Additional build contexts (e.g., name=path)
    #[arg(long, value_name = "stringArray")]
    pub(super) build_context: Vec<String>,
    /// Set method for evaluating build ("check")
    #[arg(long, default_value = "build", value_name = "string")]
    pub(super) call: String,
    /// Shorthand for "--call=check"
    #[arg(long)]
    pub(super) check: bool,
    /// If a command fails, open a shell in the state before it
    #[arg(long)]
    pub(super) debug_shell: bool,
    /// Tell of each step why it was or was not reused
    #[arg(long)]
    pub(super) explain: bool,
    /// Name of the Dockerfile (default: "PATH/Dockerfile")
    #[arg(short, long)]
    pub(super) file: Option<String>,
    /// Write the image ID to a file
    #[arg(long)]
    pub(super) iidfile: Option<String>,
    /// Set metadata for an image
    #[arg(long, value_name = "stringArray", value_parser = environment::check_label)]
    pub(super) label: Vec<String>,
    /// Shorthand for "--output=type=docker"
    #[arg(long)]
    pub(super) load: bool,
    /// Write build result metadata to a file
    #[arg(long)]
    pub(super) metadata_file: Option<String>,
    /// Set the networking mode for the "RUN" instructions during build
    #[arg(long, default_value = "default", value_name = "string")]
    pub(super) network: String,
    /// Do not use cache when building the image
    #[arg(long, alias = "nocache")]
    pub(super) no_cache: bool,
    /// Do not cache specified stages
    #[arg(long, value_name = "stringArray", value_delimiter = ',')]
    pub(super) no_cache_filter: Vec<String>,
    /// Output destination (format: "type=local,dest=path")
    #[arg(short, long, value_name = "stringArray")]
    pub(super) output: Vec<String>,
    /// Set target platform for build
    #[arg(long, value_name = "stringArray", value_delimiter = ',')]
    pub(super) platform: Vec<String>,
    /// Set type of progress output ("auto", "quiet", "plain", "tty", "rawjson"). Use plain to show container output
    #[arg(long, default_value = "auto", value_name = "string")]
    pub(super) progress: String,
    /// Always attempt to pull all referenced images
    #[arg(long)]
    pub(super) pull: bool,
    /// Suppress the build output and print image ID on success
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")
    #[arg(long, value_name = "stringArray")]
    pub(super) secret: Vec<String>,
    /// SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")
    #[arg(long, value_name = "stringArray")]
    pub(super) ssh: Vec<String>,
    /// Name and optionally a tag (format: "name:tag")
    #[arg(short, long, value_name = "stringArray")]
    pub(super) tag: Vec<String>,
    /// Set the target build stage to build
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) target: String,
    /// Build twice, and show the first difference
    #[arg(long)]
    pub(super) verify: bool,
    /// Remove intermediate containers after a successful build
    #[arg(long, hide = true, default_value_t = true, action = clap::ArgAction::Set)]
    pub(super) rm: bool,
    #[command(flatten)]
    pub(super) rare: Given,
    /// The context
    #[arg(required = true)]
    pub(super) context: String,
}
