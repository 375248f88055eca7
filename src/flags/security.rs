//! `--security-opt`: a seccomp profile is read here and sent whole, for the daemon may be on another machine.

use super::environment::go_text;

/// The options as they are sent, and whether `systempaths=unconfined` was among them, which is sent otherwise.
pub fn parse(options: &[String]) -> anyhow::Result<(Vec<String>, bool)> {
    let mut sent = Vec::new();
    let mut open_paths = false;
    for option in options {
        let split = option.split_once('=').or_else(|| option.split_once(':'));
        match split {
            _ if option == "no-new-privileges" => sent.push(option.clone()),
            Some(("systempaths", "unconfined")) => open_paths = true,
            Some(("seccomp", profile)) if !matches!(profile, "unconfined" | "builtin" | "") => {
                sent.push(format!("seccomp={}", read_profile(profile)?));
            }
            Some((_, value)) if !value.is_empty() => sent.push(option.clone()),
            _ => anyhow::bail!("Invalid --security-opt: {option:?}"),
        }
    }
    Ok((sent, open_paths))
}

fn read_profile(path: &str) -> anyhow::Result<String> {
    let text = std::fs::read(path).map_err(|error| {
        anyhow::anyhow!("opening seccomp profile ({path}) failed: open {path}: {}", go_text(&error))
    })?;
    let profile: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| anyhow::anyhow!("compacting json for seccomp profile ({path}) failed: {error}"))?;
    Ok(profile.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_sent_whole_and_on_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profile.json");
        std::fs::write(&file, "{\n  \"defaultAction\": \"SCMP_ACT_ALLOW\"\n}\n").unwrap();
        let options =
            [format!("seccomp={}", file.display()), "no-new-privileges".into(), "systempaths=unconfined".into()];
        let (sent, open) = parse(&options).unwrap();
        assert_eq!(sent, [r#"seccomp={"defaultAction":"SCMP_ACT_ALLOW"}"#, "no-new-privileges"]);
        assert!(open);
    }

    #[test]
    fn what_is_no_option_is_refused() {
        let error = |text: &str| parse(&[text.to_owned()]).unwrap_err().to_string();
        assert_eq!(error("foo"), "Invalid --security-opt: \"foo\"");
        assert_eq!(
            error("seccomp=/nope"),
            "opening seccomp profile (/nope) failed: open /nope: no such file or directory"
        );
    }
}
