//! `kesako history`.

use super::Verb;
use crate::format::{Format, Row, Rows, ellipsis, short_id, units};
use crate::help;
use crate::session::Session;
use engine::api::HistoryEntry;

/// Show the history of an image
#[derive(Debug, clap::Args)]
pub(super) struct History {
    #[arg(long, help = help::LIST_FORMAT)]
    format: Option<String>,
    /// Print sizes and dates in human readable format
    #[arg(short = 'H', long, default_value_t = true, action = clap::ArgAction::Set)]
    human: bool,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
    #[arg(required = true)]
    image: String,
}

const ROWS: Rows = Rows {
    go_type: "*image.historyContext",
    headings: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ],
};

impl Verb for History {
    async fn run(self, session: Session) -> anyhow::Result<()> {
        let client = session.connect()?;
        let history: Vec<HistoryEntry> = client.get(format!("/images/{}/history", self.image)).json().await?;
        let format = match self.format.as_deref() {
            _ if self.quiet => "{{.ID}}",
            None | Some("" | "table") if self.human => {
                "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
            }
            None | Some("" | "table") => "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
            Some(format) => format,
        };
        ROWS.print(&Format::new(format), history.iter().map(|entry| self.row(entry)).collect())
    }
}

impl History {
    fn row(&self, entry: &HistoryEntry) -> Row {
        let by = entry.created_by.replace('\t', " ");
        // In the years before 1970 Docker has no images, only layers without a date.
        let since = if entry.created <= 0 { "N/A".to_owned() } else { units::ago(entry.created) };
        let at = jiff::Timestamp::from_second(entry.created).map(|t| {
            t.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().replace("+00:00", "Z")
        });
        Row::new(vec![
            ("ID", (if self.no_trunc { entry.id.as_str() } else { short_id(&entry.id) }).into()),
            ("CreatedSince", since.into()),
            ("CreatedAt", at.unwrap_or_default().into()),
            ("CreatedBy", (if self.no_trunc { by } else { ellipsis(&by, 45) }).into()),
            ("Size", (if self.human { units::size(entry.size, 3) } else { entry.size.to_string() }).into()),
            ("Comment", entry.comment.as_str().into()),
        ])
    }
}
