//! `--change` of commit and import: instructions as a Dockerfile has them, those that alter the recipe only.

use crate::dockerfile;
use crate::error::{Error, Result};
use crate::expand;
use crate::instruction::{Instruction, Step};
use crate::recipe;
use layers::ImageConfig;
use layers::image::Config;

/// What may be changed without a build.
const CHANGES: [&str; 11] = [
    "cmd",
    "entrypoint",
    "env",
    "expose",
    "healthcheck",
    "label",
    "onbuild",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// Applies instructions to a recipe, in order. Variables in their arguments (`ENV PATH=$PATH:/x`) come from the recipe.
///
/// # Errors
/// An instruction that is none, or malformed, or that would need a build; the recipe may then be half changed.
pub fn apply(config: &mut Config, changes: &[String]) -> Result<()> {
    if changes.iter().all(|change| change.trim().is_empty()) {
        return Ok(());
    }
    let text = format!("FROM scratch\n{}\n", changes.join("\n"));
    let parsed = dockerfile::parse("--change", text.as_bytes()).map_err(plain)?;
    let steps: Vec<&Step> = parsed.dockerfile.stages.iter().flat_map(|stage| &stage.steps).collect();
    if parsed.dockerfile.stages.len() > 1 {
        return Err(refused("from"));
    }
    let mut image = ImageConfig { config: std::mem::take(config), ..ImageConfig::default() };
    let mut cmd_set = false;
    let changed = steps.into_iter().try_for_each(|step| {
        let name = step.text.split_whitespace().next().unwrap_or_default().to_lowercase();
        if !CHANGES.contains(&name.as_str()) {
            return Err(refused(&name));
        }
        alter(&mut image, &mut cmd_set, &step.instruction, parsed.directives.escape)
    });
    *config = image.config;
    changed
}

fn alter(image: &mut ImageConfig, cmd_set: &mut bool, instruction: &Instruction, escape: char) -> Result<()> {
    let env = image.config.env.clone().unwrap_or_default();
    let lookup =
        |name: &str| env.iter().rev().find_map(|entry| Some(entry.strip_prefix(name)?.strip_prefix('=')?.to_owned()));
    let instruction = expand::instruction(instruction, &lookup, escape)?.instruction;
    match &instruction {
        Instruction::Workdir(path) => image.config.working_dir = recipe::workdir(&image.config.working_dir, path),
        other => {
            recipe::apply(image, cmd_set, other)?;
            // Only a build writes that.
            image.config.args_escaped = false;
        }
    }
    Ok(())
}

fn refused(name: &str) -> Error {
    Error::Recipe(format!("{name} is not a valid change command"))
}

/// There is no file whose lines could be shown.
fn plain(error: Error) -> Error {
    match error {
        Error::Dockerfile { message, .. } => match message.strip_prefix("dockerfile parse error on line ") {
            Some(located) => Error::Recipe(located.split_once(": ").map_or(located, |(_, why)| why).to_owned()),
            None => Error::Recipe(message),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> Result<Config> {
        let env = Some(vec!["PATH=/bin".to_owned(), "A=1".to_owned()]);
        let mut config = Config { cmd: Some(vec!["old".into()]), env, working_dir: "/srv".into(), ..Config::default() };
        apply(&mut config, &changes.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>())?;
        Ok(config)
    }

    #[test]
    fn every_instruction_alters_the_recipe() {
        let config = changed(&[
            r#"ENTRYPOINT ["/bin/app", "--flag"]"#,
            "cmd echo \"hi\" $A",
            "ENV PATH=$PATH:/x A=2 B=$A C='$A b'",
            "ENV D a \"b\"  c",
            "EXPOSE 80 53/udp 8000-8002",
            "LABEL a=b \"c d\"=\"e\\\nf\"",
            "USER 1000:1000",
            "VOLUME /data /more",
            r#"VOLUME ["/with space"]"#,
            "WORKDIR a/../b",
            "WORKDIR $B/./c",
            "STOPSIGNAL SIGRTMIN+3",
            "HEALTHCHECK --interval=1m30s --timeout=1.5s --retries=4 --start-period=100ms CMD curl -f http://localhost/",
            "ONBUILD RUN make",
        ]);
        insta::assert_json_snapshot!(config.unwrap());
    }

    #[test]
    fn an_entrypoint_forgets_the_command_it_inherits() {
        let config = changed(&["ENTRYPOINT x"]).unwrap();
        assert_eq!((config.entrypoint.unwrap().len(), config.cmd), (3, None));
        assert_eq!(changed(&["CMD a", "ENTRYPOINT x"]).unwrap().cmd.unwrap()[2], "a");
        assert_eq!(changed(&["CMD []"]).unwrap().cmd, None);
        assert_eq!(changed(&[r#"HEALTHCHECK CMD ["a"]"#]).unwrap().healthcheck.unwrap().test.unwrap(), ["CMD", "a"]);
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let texts: Vec<String> = [
            "RUN make",
            "ENV",
            "ENV A",
            "ENV A=1 B",
            "ENV =x",
            "LABEL",
            "EXPOSE x",
            "EXPOSE 90-80",
            "EXPOSE 1/icmp",
            "EXPOSE 70000",
            "STOPSIGNAL SIGX",
            "STOPSIGNAL 65",
            "HEALTHCHECK",
            "HEALTHCHECK NONE x",
            "HEALTHCHECK CMD",
            "HEALTHCHECK --interval=1us CMD a",
            "HEALTHCHECK --interval=x CMD a",
            "HEALTHCHECK --retries=-1 CMD a",
            "HEALTHCHECK --what=1 CMD a",
            "HEALTHCHECK RUN a",
            "ONBUILD ONBUILD a",
            "ONBUILD FROM a",
            "ENV A='b",
            "VOLUME \"\"",
        ]
        .iter()
        .map(|change| format!("{change}: {}", changed(&[change]).unwrap_err()))
        .collect();
        insta::assert_snapshot!(texts.join("\n"));
    }
}
