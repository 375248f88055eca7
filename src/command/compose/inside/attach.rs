//! `kesako compose attach`.

use super::name;
use crate::arguments::integer;
use crate::command::Verb;
use crate::command::attach;
use crate::command::compose::{Context, Member};

/// Attach local standard input, output, and error streams to a service's running container
#[derive(Debug, clap::Args)]
pub(in crate::command::compose) struct Attach {
    /// Override the key sequence for detaching from a container.
    #[arg(long)]
    detach_keys: Option<String>,
    /// index of the container if service has multiple replicas.
    #[arg(long, value_name = "int", value_parser = integer, default_value = "0")]
    index: i64,
    /// Do not attach STDIN
    #[arg(long)]
    no_stdin: bool,
    /// Proxy all received signals to the process
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    sig_proxy: bool,
    #[arg(required = true)]
    service: String,
}

impl Member for Attach {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let attach = attach::Attach {
            detach_keys: self.detach_keys,
            no_stdin: self.no_stdin,
            sig_proxy: self.sig_proxy,
            container: name(context, &self.service, self.index).await?,
        };
        attach.run(context.session()).await
    }
}
