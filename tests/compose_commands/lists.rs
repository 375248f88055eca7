//! `kesako compose ps`, `ls`, `images`, `volumes`, `top`, `port`, `events`, `stats`, `version`.

use crate::shop::Shop;
use serde_json::Value as Json;

const FOREVER: &str = "exec sleep 1000";

#[test]
fn ps_shows_what_runs_and_with_all_the_rest() {
    Shop::each(|shop| {
        shop.run("web", 1, &["--health-cmd", "true", "--health-interval", "50ms"], FOREVER);
        shop.run("web", 2, &[], FOREVER);
        shop.run("job", 1, &[], "exit 3");
        shop.run("old", 1, &[], FOREVER);
        shop.sandbox.ok(&["wait", "shop-job-1"]);
        crate::support::eventually("it is well", || shop.ok(&["ps", "--format", "{{.Status}}"]).contains("(healthy)"));

        let table = shop.ok(&["ps"]);
        let mut lines = table.lines();
        let columns: Vec<_> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(columns, ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]);
        let names: Vec<_> = lines.map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(names, ["shop-old-1", "shop-web-1", "shop-web-2"], "{table}");

        assert_eq!(shop.ok(&["ps", "--services", "-a"]), "job\nold\nweb\n");
        assert_eq!(shop.ok(&["ps", "-q", "web"]).lines().map(str::len).collect::<Vec<_>>(), [64, 64]);
        let line = "{{.Name}} {{.State}} {{.ExitCode}} {{.Health}}";
        assert_eq!(shop.ok(&["ps", "--status", "exited", "--format", line]), "shop-job-1 exited 3 \n");
        let up = shop.ok(&["ps", "--filter", "status=running", "--orphans=false", "--format", line]);
        assert_eq!(up, "shop-web-1 running 0 healthy\nshop-web-2 running 0 \n");

        let json: Json = serde_json::from_str(&shop.ok(&["ps", "-a", "job", "--format", "json"])).unwrap();
        assert_eq!((&json["Service"], &json["Project"], &json["ExitCode"]), (&"job".into(), &"shop".into(), &3.into()));
        assert_eq!(json["Publishers"], Json::Array(Vec::new()));

        assert_eq!(shop.fails(1, &["ps", "nobody"]), "no such service: nobody\n");
        assert_eq!(shop.fails(1, &["ps", "--filter", "name=x"]), "unknown filter name\n");
    });
}

#[test]
fn ls_counts_the_containers_of_each_project() {
    let shop = Shop::new();
    shop.run("web", 1, &[], FOREVER);
    shop.run("job", 1, &[], "exit 0");
    shop.sandbox.ok(&["wait", "shop-job-1"]);
    let file = shop.folder().join("compose.yaml").display().to_string();
    let expected = format!("{:20}{:20}CONFIG FILES\n{:20}{:20}{file}\n", "NAME", "STATUS", "shop", "running(1)");
    assert_eq!(shop.ok(&["ls"]), expected);
    let json: Json = serde_json::from_str(&shop.ok(&["ls", "-a", "--format", "json"])).unwrap();
    assert_eq!(json, serde_json::json!([{"Name": "shop", "Status": "exited(1), running(1)", "ConfigFiles": file}]));
    assert_eq!(shop.ok(&["ls", "-q", "--filter", "name=^sho"]), "shop\n");
    assert_eq!(shop.ok(&["ls", "-q", "--filter", "name=^hop"]), "");
    assert_eq!(shop.fails(1, &["ls", "--filter", "status=running"]), "invalid filter 'status'\n");
}

#[test]
fn images_and_volumes_are_those_of_the_project() {
    let shop = Shop::new();
    shop.sandbox.ok(&["volume", "create", "--label", "com.docker.compose.project=shop", "shop_data"]);
    shop.sandbox.ok(&["volume", "create", "--label", "com.docker.compose.project=shop", "shop_logs"]);
    shop.sandbox.ok(&["volume", "create", "other"]);
    shop.run("web", 1, &["-v", "shop_data:/data"], FOREVER);
    shop.create("job", 1, &[], "true");

    let table = shop.ok(&["images"]);
    let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    let expected = [
        ["CONTAINER", "REPOSITORY", "TAG"],
        ["shop-job-1", "workbench", "latest"],
        ["shop-web-1", "workbench", "latest"],
    ];
    assert_eq!(rows, expected);
    let id = shop.sandbox.ok(&["image", "inspect", "--format", "{{.Id}}", "workbench"]);
    assert_eq!(shop.ok(&["images", "-q"]), format!("{}\n", id.trim_start_matches("sha256:")));
    let json: Json = serde_json::from_str(&shop.ok(&["images", "web", "--format", "json"])).unwrap();
    assert_eq!((&json[0]["ContainerName"], &json[0]["ID"]), (&"shop-web-1".into(), &id.into()));

    assert_eq!(shop.ok(&["volumes", "-q"]), "shop_data\nshop_logs\n");
    assert_eq!(shop.ok(&["volumes", "web", "--format", "{{.Driver}} {{.Name}}"]), "local shop_data\n");
}

#[test]
fn top_stats_and_port_look_inside() {
    let shop = Shop::new();
    shop.run("web", 1, &["--network", "bridge", "-p", "127.0.0.1::80", "--expose", "53/udp"], "sleep 1000 & wait");
    shop.run("db", 1, &[], FOREVER);
    let top = shop.ok(&["top"]);
    let of = |service: &str| top.lines().filter(|line| line.starts_with(service)).count();
    assert!(top.starts_with("SERVICE  #"), "{top}");
    assert_eq!((of("db "), of("web ")), (1, 2), "{top}");
    assert_eq!(shop.ok(&["top", "job"]), "");

    let stats = shop.ok(&["stats", "--no-stream", "--format", "{{.Name}}", "db"]);
    assert_eq!(stats, "shop-db-1\n");

    let place = shop.sandbox.ok(&["port", "shop-web-1", "80"]);
    assert_eq!(shop.ok(&["port", "web", "80"]), format!("{place}\n"));
    let complaint = shop.fails(1, &["port", "--protocol", "UDP", "web", "80"]);
    assert!(complaint.starts_with("no port 80/udp for container shop-web-1: "), "{complaint}");
    assert_eq!(shop.fails(1, &["port", "job", "80"]), "service \"job\" is not running\n");
    assert_eq!(shop.fails(1, &["port", "web", "http"]), "strconv.ParseUint: parsing \"http\": invalid syntax\n");
}

#[test]
fn events_are_those_of_the_services() {
    let shop = Shop::new();
    shop.run("web", 1, &[], "exit 4");
    shop.run("db", 1, &[], "true");
    shop.sandbox.ok(&["wait", "shop-web-1", "shop-db-1"]);
    shop.sandbox.ok(&["run", "--rm", "workbench", "true"]);

    let text = shop.ok(&["events", "--since", "1m", "--until", "0s", "web"]);
    let words: Vec<_> = text.lines().map(|line| line.split(' ').nth(3).unwrap()).collect();
    assert_eq!(words, ["create", "start", "die"], "{text}");
    assert!(text.trim_end().ends_with("(exitCode=4, image=workbench, name=shop-web-1)"), "{text}");

    let text = shop.ok(&["events", "--json", "--since", "1m", "--until", "0s"]);
    let events: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 6, "{text}");
    let first = &events[0];
    assert_eq!(
        (&first["type"], &first["service"], &first["action"]),
        (&"container".into(), &"web".into(), &"create".into())
    );
    assert_eq!(first["attributes"], serde_json::json!({"image": "workbench", "name": "shop-web-1"}));
}

#[test]
fn version_is_the_composes_whose_commands_these_are() {
    let shop = Shop::new();
    let short = shop.ok(&["version", "--short"]);
    assert!(short.starts_with(|c: char| c.is_ascii_digit()) && short.trim_end().split('.').count() == 3, "{short}");
    assert!(shop.ok(&["version"]).starts_with(&format!("Docker Compose version v{}", short.trim_end())));
    let json: Json = serde_json::from_str(&shop.ok(&["version", "-f", "json"])).unwrap();
    assert_eq!(json["version"], format!("v{}", short.trim_end()));
}
