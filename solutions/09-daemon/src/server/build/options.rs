//! What the classic API asks of a build: the query of `POST /build`.

use super::super::params::Params;
use engine::api::BuildOptions;
use engine::{Error, Kind, Result};
use serde::de::DeserializeOwned;

/// What a query asks for. What would change the build and is not to be had is refused.
pub(super) fn classic(params: &Params) -> Result<BuildOptions> {
    refuse_limits(params)?;
    refuse_the_rest(params)?;
    Ok(BuildOptions {
        tags: params.all("t").into_iter().filter(|tag| !tag.is_empty()).collect(),
        dockerfile: params.string("dockerfile"),
        context_url: remote(params)?,
        build_args: json(params, "buildargs", "error reading build args")?,
        labels: json(params, "labels", "error reading labels")?,
        target: params.string("target"),
        pull: params.flag("pull"),
        no_cache: params.flag("nocache"),
        network: params.string("networkmode"),
        add_hosts: params.all("extrahosts").into_iter().filter(|host| !host.is_empty()).collect(),
        platform: params.string("platform"),
        ..BuildOptions::default()
    })
}

/// A context that is to be fetched, instead of the body.
fn remote(params: &Params) -> Result<Option<String>> {
    match params.text("remote") {
        None => Ok(None),
        Some(url) if url.ends_with(".git") || url.contains(".git#") => {
            Err(unsupported("remote", "git repositories are not fetched; clone it, and send it as an archive"))
        }
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => Ok(Some(url.to_owned())),
        Some(other) => Err(invalid(format!("remote: {other:?} is no URL that could be fetched"))),
    }
}

/// What names a file or a folder may come only from within this process: to anybody else it would be a way to read, or
/// to write, what is not theirs. From the other side of a socket come texts, and the context as an archive.
pub(super) fn refuse_paths(options: &BuildOptions) -> Result<()> {
    let is_elsewhere = |place: &String| place.contains("://");
    let what = if options.context_folder.is_some() {
        "the context as a folder: send it as an archive"
    } else if !options.contexts.values().all(is_elsewhere) {
        "a build context that is a folder"
    } else if !options.ssh.is_empty() {
        "an SSH agent"
    } else if options.outputs.iter().any(|output| output.dest.is_some()) {
        "an output to a file"
    } else {
        return Ok(());
    };
    Err(invalid(format!("{what}: the daemon does not open files for those who are not in its process")))
}

/// Limits that a build has not.
fn refuse_limits(params: &Params) -> Result<()> {
    const NUMBERS: [&str; 6] = ["memory", "memswap", "cpushares", "cpuperiod", "cpuquota", "shmsize"];
    for name in NUMBERS {
        // As dockerd: what is no number is none.
        if params.number::<i64>(name).ok().flatten().unwrap_or(0) != 0 {
            return Err(unsupported(name, "the commands of a build have no limits of their own"));
        }
    }
    for name in ["cpusetcpus", "cpusetmems", "cgroupparent"] {
        if params.text(name).is_some() {
            return Err(unsupported(name, "the commands of a build have no cgroup of their own"));
        }
    }
    let ulimits: Vec<serde_json::Value> = json(params, "ulimits", "error reading ulimit settings")?;
    if !ulimits.is_empty() {
        return Err(unsupported("ulimits", "the commands of a build have those of the daemon"));
    }
    Ok(())
}

fn refuse_the_rest(params: &Params) -> Result<()> {
    if !params.all("securityopt").is_empty() {
        return Err(invalid("security options are not supported on linux"));
    }
    if params.flag("squash") {
        return Err(invalid("squash is only supported with experimental mode"));
    }
    if let Some(isolation) = params.text("isolation").filter(|isolation| *isolation != "default") {
        return Err(invalid(format!("unsupported isolation: {isolation:?}")));
    }
    match params.text("version") {
        None | Some("1") => {}
        Some("2") => return Err(unsupported("version=2", "BuildKit is another builder; use DOCKER_BUILDKIT=0")),
        Some(other) => return Err(invalid(format!("invalid version {other:?}"))),
    }
    if params.text("session").is_some() {
        return Err(unsupported("session", "it is of BuildKit; use DOCKER_BUILDKIT=0"));
    }
    if params.text("rm").is_some() && !params.flag("rm") && !params.flag("forcerm") {
        return Err(unsupported("rm=0", "there are no intermediate containers that could be kept"));
    }
    let sources: Vec<String> = json(params, "cachefrom", "error reading cache-from")?;
    if !sources.is_empty() {
        return Err(unsupported("cachefrom", "what was built here is reused without it"));
    }
    let outputs: Vec<serde_json::Value> = json(params, "outputs", "invalid outputs specified")?;
    if !outputs.is_empty() {
        return Err(unsupported("outputs", "they are of BuildKit; use DOCKER_BUILDKIT=0"));
    }
    Ok(())
}

/// A parameter whose value is JSON. Go writes an empty list or map as `null`.
fn json<T: DeserializeOwned + Default>(params: &Params, name: &str, complaint: &str) -> Result<T> {
    let Some(text) = params.text(name) else { return Ok(T::default()) };
    match serde_json::from_str::<Option<T>>(text) {
        Ok(value) => Ok(value.unwrap_or_default()),
        Err(error) => Err(invalid(format!("{complaint}: {error}"))),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, message)
}

fn unsupported(name: &str, why: &str) -> Error {
    Error::new(Kind::NotImplemented, format!("{name}: not supported: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::api::Output;

    fn read(query: &str) -> std::result::Result<BuildOptions, String> {
        classic(&Params::parse(query).map_err(|refusal| refusal.message)?).map_err(|error| error.message)
    }

    #[test]
    fn what_docker_sends_by_default_asks_for_nothing() {
        let query = "buildargs=%7B%7D&cachefrom=null&cgroupparent=&cpuperiod=0&cpuquota=0&cpusetcpus=&cpusetmems=&cpushares=0\
                     &dockerfile=Dockerfile&labels=%7B%7D&memory=0&memswap=0&networkmode=default&rm=1&shmsize=0&target=\
                     &ulimits=null&version=1";
        let expected =
            BuildOptions { dockerfile: "Dockerfile".into(), network: "default".into(), ..BuildOptions::default() };
        assert_eq!(read(query).unwrap(), expected);
    }

    #[test]
    fn each_parameter() {
        let query = "t=a&t=b:c&buildargs=%7B%22A%22:%221%22,%22B%22:null%7D&labels=%7B%22l%22:%22m%22%7D&target=x&pull=1&nocache=1\
                     &extrahosts=h:1.2.3.4&platform=linux/amd64&dockerfile=d/D";
        let expected = BuildOptions {
            tags: vec!["a".into(), "b:c".into()],
            dockerfile: "d/D".into(),
            build_args: [("A".into(), Some("1".into())), ("B".into(), None)].into(),
            labels: [("l".into(), "m".into())].into(),
            target: "x".into(),
            pull: true,
            no_cache: true,
            add_hosts: vec!["h:1.2.3.4".into()],
            platform: "linux/amd64".into(),
            ..BuildOptions::default()
        };
        assert_eq!(read(query).unwrap(), expected);
    }

    #[test]
    fn what_is_not_to_be_had_is_refused_by_name() {
        for name in ["memory=1", "memswap=-1", "cpushares=2", "shmsize=1", "cpusetcpus=0", "cgroupparent=/x", "rm=0"] {
            let refusal = read(name).unwrap_err();
            assert!(refusal.starts_with(name.split('=').next().unwrap()), "{refusal}");
        }
        for (query, text) in [
            ("ulimits=%5B%7B%22Name%22:%22nofile%22%7D%5D", "ulimits: not supported"),
            ("cachefrom=%5B%22a%22%5D", "cachefrom: not supported"),
            ("squash=1", "squash is only supported with experimental mode"),
            ("version=2", "BuildKit is another builder"),
            ("session=x", "session: not supported"),
            ("remote=https://x/y.git%23main", "git repositories are not fetched"),
            ("remote=client-session", "is no URL"),
            ("isolation=hyperv", "unsupported isolation: \"hyperv\""),
            ("buildargs=x", "error reading build args: "),
        ] {
            let refusal = read(query).unwrap_err();
            assert!(refusal.contains(text), "{refusal}");
        }
        assert_eq!(read("remote=http://x/y.tar").unwrap().context_url.as_deref(), Some("http://x/y.tar"));
        assert!(read("rm=0&forcerm=1").is_ok() && read("isolation=default").is_ok());
    }

    #[test]
    fn no_path_of_a_host_comes_through_a_socket() {
        let asked = |change: fn(&mut BuildOptions)| {
            let mut options = BuildOptions::default();
            change(&mut options);
            refuse_paths(&options).map_err(|refusal| refusal.message)
        };
        for change in [
            |options: &mut BuildOptions| options.context_folder = Some("/".into()),
            |options: &mut BuildOptions| drop(options.contexts.insert("a".into(), "/etc".into())),
            |options: &mut BuildOptions| options.ssh.push(("default".into(), vec!["/run/agent".into()])),
            |options: &mut BuildOptions| {
                options.outputs.push(Output { kind: "tar".into(), dest: Some("/etc/passwd".into()) })
            },
        ] {
            assert!(asked(change).unwrap_err().contains("the daemon does not open files"));
        }
        assert!(asked(|options| drop(options.contexts.insert("a".into(), "docker-image://b".into()))).is_ok());
        assert!(asked(|options| options.outputs.push(Output { kind: "image".into(), dest: None })).is_ok());
    }
}
