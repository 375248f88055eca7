//! Lists: a table with headings, or a template printed once for each row.

use super::template::{Kind, Object, Template, Value};
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;

/// What `--format` asks for.
#[derive(Clone, Debug)]
pub struct Format {
    template: String,
    table: bool,
}

impl Format {
    /// `table TEMPLATE` is a table, `json` an object on each line, and anything else a template. The two characters
    /// `\t` stand for a tab, as a shell would not let one through easily.
    pub fn new(source: &str) -> Self {
        let (table, template) = match source.strip_prefix("table") {
            Some(rest) => (true, rest),
            None if source == "json" => (false, "{{json .}}"),
            None => (false, source),
        };
        Self { template: template.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n"), table }
    }

    /// Whether the template speaks of this.
    pub fn mentions(&self, field: &str) -> bool {
        self.template.contains(field)
    }
}

/// A row: its columns by Docker's names, and the labels that `.Label "x"` finds.
#[derive(Debug, Default)]
pub struct Row {
    pub columns: Vec<(&'static str, Value)>,
    pub labels: Option<BTreeMap<String, String>>,
}

impl Row {
    /// A row without labels.
    pub fn new(columns: Vec<(&'static str, Value)>) -> Self {
        Self { columns, labels: None }
    }

    fn into_value(self, kind: Kind) -> Value {
        let mut fields: Vec<_> = self.columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        // `{{json .}}` prints them sorted.
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        Value::Object(Rc::new(Object { kind, fields, aliases: Vec::new(), labels: self.labels }))
    }
}

/// A kind of list.
#[derive(Debug)]
pub struct Rows {
    /// The Go type that Docker's error texts name, `*formatter.ContainerContext`.
    pub go_type: &'static str,
    /// The heading of each column.
    pub headings: &'static [(&'static str, &'static str)],
}

impl Rows {
    /// Prints a list.
    pub fn print(&self, format: &Format, rows: Vec<Row>) -> anyhow::Result<()> {
        crate::output::put(self.render(format, rows)?)
    }

    /// Whether the template speaks only of columns that there are.
    pub fn check(&self, format: &Format) -> anyhow::Result<()> {
        let template =
            Template::parse(&format.template).map_err(|e| anyhow::anyhow!("failed to parse template: {e}"))?;
        let columns = self.headings.iter().map(|(name, _)| (*name, "".into())).collect();
        let row = Row { columns, labels: Some(BTreeMap::new()) }.into_value(Kind::Typed(self.go_type));
        template.execute(&row).map(drop).map_err(|e| anyhow::anyhow!("failed to execute template: {e}"))
    }

    /// What [`Rows::print`] prints.
    pub fn render(&self, format: &Format, rows: Vec<Row>) -> anyhow::Result<String> {
        let template = Template::parse(&format.template).map_err(|e| anyhow::anyhow!("template parsing error: {e}"))?;
        let mut body = String::new();
        for row in rows {
            let row = row.into_value(Kind::Typed(self.go_type));
            body += &template.execute(&row).map_err(|e| anyhow::anyhow!("template parsing error: {e}"))?;
            body.push('\n');
        }
        if !format.table {
            return Ok(body);
        }
        let names = self.headings.iter().map(|(name, heading)| (*name, (*heading).into())).collect();
        let names = Row { columns: names, labels: Some(BTreeMap::new()) }.into_value(Kind::Map);
        let heading = template.heading(&names).unwrap_or_default();
        Ok(align(&format!("{heading}\n{body}")))
    }
}

const PADDING: usize = 3;

/// Columns of tabbed text side by side, three spaces between them and ten columns each at least.
pub fn align(text: &str) -> String {
    align_from(text, 10)
}

/// As [`align`], each column at least so wide.
pub fn align_from(text: &str, least: usize) -> String {
    align_by(text, least, PADDING)
}

/// As [`align_from`], so many spaces between the columns.
pub fn align_by(text: &str, least: usize, padding: usize) -> String {
    // The crate counts the padding on top of the least width, Go within it.
    let mut writer = tabwriter::TabWriter::new(Vec::new()).minwidth(least - padding).padding(padding);
    let written = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
    match (written, writer.into_inner()) {
        (Ok(()), Ok(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        // Memory does not refuse a write; unaligned text would be the worst of it.
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Rows = Rows {
        go_type: "*formatter.ContainerContext",
        headings: &[("ID", "CONTAINER ID"), ("Names", "NAMES"), ("Ports", "PORTS")],
    };

    fn row(id: &str, ports: &str, name: &str) -> Row {
        Row {
            columns: vec![("ID", id.into()), ("Ports", ports.into()), ("Names", name.into())],
            labels: Some(BTreeMap::from([("a.my-label".to_owned(), "v".to_owned())])),
        }
    }

    fn render(format: &str) -> String {
        let rows = vec![row("0123456789ab", "", "web"), row("ba9876543210", "80/tcp", "database")];
        match ROWS.render(&Format::new(format), rows) {
            Ok(text) => text,
            Err(error) => format!("ERROR {error}"),
        }
    }

    #[test]
    fn a_table_aligns() {
        insta::assert_snapshot!(render(r"table {{.ID}}\t{{.Ports}}\t{{.Names}}"), @r"
        CONTAINER ID   PORTS     NAMES
        0123456789ab             web
        ba9876543210   80/tcp    database
        ");
    }

    #[test]
    fn headings_survive_functions_and_labels_make_their_own() {
        insta::assert_snapshot!(render(r#"table {{upper .Names}}\t{{.Label "a.my-label"}}\t{{json .ID}}"#), @r#"
        NAMES      my label   CONTAINER ID
        WEB        v          "0123456789ab"
        DATABASE   v          "ba9876543210"
        "#);
    }

    #[test]
    fn templates_and_json_print_a_line_each() {
        insta::assert_snapshot!(render("{{.Names}}: {{.ID}}"), @r"
        web: 0123456789ab
        database: ba9876543210
        ");
        insta::assert_snapshot!(render("json"), @r#"
        {"ID":"0123456789ab","Names":"web","Ports":""}
        {"ID":"ba9876543210","Names":"database","Ports":"80/tcp"}
        "#);
    }

    #[test]
    fn an_unknown_column_is_dockers_error() {
        assert_eq!(
            render("{{.Foo}}"),
            "ERROR template parsing error: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in \
             type *formatter.ContainerContext"
        );
    }
}
