//! Each expectation is what `docker inspect --format` or `docker ps --format` printed for the same template.

use super::{Template, Value};
use serde_json::json;

fn data() -> Value {
    Value::from_json(&json!({
        "Id": "0123", "Name": "/web", "Created": "2024-01-01T00:00:00Z",
        "State": {"Status": "running", "Running": true, "Pid": 42, "ExitCode": 0, "Error": ""},
        "Args": ["-c", "echo hi"],
        "Config": {"Env": ["PATH=/bin", "A=b"], "Cmd": null, "Labels": {"b": "2", "a": "1"}},
    }))
}

fn render(template: &str) -> String {
    match Template::parse(template).and_then(|t| t.execute(&data())) {
        Ok(text) => text,
        Err(error) => format!("ERROR {error}"),
    }
}

#[test]
fn fields_and_values_print_as_go_prints_them() {
    assert_eq!(render("{{.Name}} {{.State.Pid}} {{.State.Running}}"), "/web 42 true");
    assert_eq!(render("{{.Args}}"), "[-c echo hi]");
    assert_eq!(render("{{.Config.Labels}}"), "map[a:1 b:2]");
    assert_eq!(render("{{.Config.Cmd}} {{json .Config.Cmd}} {{len .Config.Cmd}}"), "[] null 0");
    assert_eq!(render("{{.Config.Labels.nope}}"), "<no value>");
    assert_eq!(render("{{index .Config.Labels \"nope\"}}."), ".");
    assert_eq!(render("{{json .State}}"), r#"{"Status":"running","Running":true,"Pid":42,"ExitCode":0,"Error":""}"#);
    assert_eq!(render("{{.State}}"), "{running true 42 0 }");
}

#[test]
fn control_flow() {
    assert_eq!(render("{{range .Config.Env}}<{{.}}>{{end}}"), "<PATH=/bin><A=b>");
    assert_eq!(render("{{range $i, $e := .Args}}{{$i}}={{$e}};{{end}}"), "0=-c;1=echo hi;");
    assert_eq!(render("{{range $k, $v := .Config.Labels}}{{$k}}{{$v}}{{end}}"), "a1b2");
    assert_eq!(render("{{range .Config.Cmd}}x{{else}}none{{end}}"), "none");
    assert_eq!(render("{{if .State.Error}}bad{{else if .State.Running}}up{{else}}down{{end}}"), "up");
    assert_eq!(render("{{with .State}}{{.Status}} of {{$.Name}}{{end}}"), "running of /web");
    assert_eq!(render("{{$x := 1}}{{range .Args}}{{$x = .}}{{end}}{{$x}}"), "echo hi");
    assert_eq!(render("{{range .Args}}{{if eq . \"-c\"}}{{continue}}{{end}}{{.}}{{end}}"), "echo hi");
    assert_eq!(render("a {{- /* no */ -}} b {{- .Id -}} c"), "ab0123c");
}

#[test]
fn functions() {
    assert_eq!(render("{{len .Args}} {{index .Args 1}} {{index .Config.Labels \"a\"}}"), "2 echo hi 1");
    assert_eq!(render("{{.Name | upper}} {{lower \"AB\"}} {{title \"foo bar\"}}"), "/WEB ab Foo Bar");
    assert_eq!(render("{{join .Args \",\"}} {{split .Name \"/\"}} {{truncate .Id 2}}"), "-c,echo hi [ web] 01");
    assert_eq!(render("[{{pad .Id 1 2}}]"), "[ 0123  ]");
    assert_eq!(render("{{printf \"%-6s|%04d|%q|%x\" .Id .State.Pid .Name 255}}"), "0123  |0042|\"/web\"|ff");
    assert_eq!(render("{{printf \"%d\" .Name}}"), "%!d(string=/web)");
    assert_eq!(render("{{print 1 2 \"a\" 3}}"), "1 2a3");
    assert_eq!(render("{{println .Id}}"), "0123\n");
    assert_eq!(
        render("{{and .State.Running (eq .State.Pid 42)}} {{or .State.Error \"none\"}} {{not true}}"),
        "true none false"
    );
    assert_eq!(render("{{if and (gt .State.Pid 1) (lt .State.Pid 100)}}yes{{end}}"), "yes");
    assert_eq!(render("{{html \"<a>\"}}"), "&lt;a&gt;");
    assert_eq!(render("{{slice .Id 1 3}}"), "12");
}

#[test]
fn errors_are_gos() {
    let missing = "ERROR template: :1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\"";
    assert_eq!(render("{{.Foo}}"), missing);
    assert_eq!(
        render("{{.State.Health.Status}}"),
        "ERROR template: :1:8: executing \"\" at <.State.Health.Status>: map has no entry for key \"Health\""
    );
    assert_eq!(render("{{.Foo"), "ERROR template: :1: unclosed action");
    assert_eq!(render("{{nope .}}"), "ERROR template: :1: function \"nope\" not defined");
    assert_eq!(render("{{}}"), "ERROR template: :1: missing value for command");
    assert_eq!(render("{{if .Id}}"), "ERROR template: :1: unexpected EOF");
    assert_eq!(render("{{end}}"), "ERROR template: :1: unexpected {{end}}");
    assert_eq!(render("{{$x}}"), "ERROR template: :1: undefined variable \"$x\"");
    assert_eq!(
        render("{{index .Args 5}}"),
        "ERROR template: :1:2: executing \"\" at <index .Args 5>: error calling index: index out of range: 5"
    );
    assert_eq!(
        render("{{.Name.Foo}}"),
        "ERROR template: :1:7: executing \"\" at <.Name.Foo>: can't evaluate field Foo in type interface {}"
    );
}
