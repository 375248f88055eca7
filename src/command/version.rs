//! `kesako version`.

use super::Verb;
use crate::failure::Exit;
use crate::format::template::{Template, Value};
use crate::help;
use crate::output::{put, say};
use crate::session::{self, Session};
use daemon::API_VERSION;
use serde_json::{Value as Json, json};

/// Show the version information
#[derive(Debug, clap::Args)]
pub(super) struct Version {
    #[arg(short, long, help = help::OBJECT_FORMAT)]
    format: Option<String>,
}

impl Verb for Version {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let template = Template::of_object(self.format.as_deref())
            .map_err(|error| Exit::with(64, format!("template parsing error: {error}")))?;
        let client = session.connect()?;
        let server = session::raw_json(client.get("/version")).await;
        let spoken = client.api_version().await.unwrap_or(API_VERSION);
        let mut us = json!({
            "Version": env!("CARGO_PKG_VERSION"), "ApiVersion": spoken, "DefaultAPIVersion": API_VERSION,
            "Os": "linux", "Arch": engine::architecture(),
        });
        // The engine tells of the chapters beneath it; this one is above.
        if let Some(chapters) = engine::yours(&[compose::PACKAGE]) {
            us["BuiltOn"] = chapters.into();
        }
        match template {
            Some(template) => {
                let both = json!({"Client": us, "Server": server.as_ref().ok()});
                say(template.execute(&Value::typed(&both, "system.versionInfo"))?)?;
            }
            None => put(text(&us, server.as_ref().ok()))?,
        }
        // We are told about in any case, even when nobody answers.
        server.map(drop).map_err(Into::into)
    }
}

fn text(us: &Json, server: Option<&Json>) -> String {
    let string = |of: &Json, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let api = match (string(us, "ApiVersion"), string(us, "DefaultAPIVersion")) {
        (spoken, ours) if spoken == ours => ours,
        (spoken, ours) => format!("{spoken} (downgraded from {ours})"),
    };
    let mut text = format!("Client: Kesako\n Version:           {}\n", string(us, "Version"));
    text += &format!(" API version:       {api}\n");
    if let Some(chapters) = us["BuiltOn"].as_str() {
        text += &format!(" Built on:          {chapters}\n");
    }
    text += &format!(" OS/Arch:           linux/{}\n", string(us, "Arch"));
    let Some(server) = server else { return text };
    let name = server["Platform"]["Name"].as_str().filter(|name| !name.is_empty());
    text += &format!("\nServer:{}\n", name.map(|name| format!(" {name}")).unwrap_or_default());
    for component in server["Components"].as_array().into_iter().flatten() {
        let details = &component["Details"];
        text += &format!(" {}:\n", string(component, "Name"));
        text += &format!("  Version:          {}\n", string(component, "Version"));
        if string(component, "Name") != "Engine" {
            text += &format!("  GitCommit:        {}\n", string(details, "GitCommit"));
            continue;
        }
        let least = string(details, "MinAPIVersion");
        text += &format!("  API version:      {} (minimum version {least})\n", string(details, "ApiVersion"));
        for (name, label) in [
            ("GoVersion", "Go version:"),
            ("GitCommit", "Git commit:"),
            ("BuildTime", "Built:"),
            ("BuiltOn", "Built on:"),
        ] {
            if !string(details, name).is_empty() {
                text += &format!("  {label:<17} {}\n", string(details, name));
            }
        }
        text += &format!("  OS/Arch:          {}/{}\n", string(details, "Os"), string(details, "Arch"));
        let experimental = Some(string(details, "Experimental")).filter(|e| !e.is_empty());
        text += &format!("  Experimental:     {}\n", experimental.unwrap_or_else(|| "false".to_owned()));
    }
    text
}
