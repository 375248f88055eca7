//! Shows what a Dockerfile says: its instructions, with variables expanded as far as the file alone tells, and what the
//! build checks find. `cargo run -p chapter-3 --example dockerfile -- FILE [NAME=VALUE…]`

use layers::manifest::Platform;
use std::collections::BTreeMap;

use chapter_3::checks::{Image, Known, with_values};
use chapter_3::dockerfile;
use chapter_3::expand::{self, Args, args};
use chapter_3::instruction::Instruction;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: dockerfile FILE [NAME=VALUE…]")?;
    let given =
        arguments.filter_map(|arg| arg.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
    if let Err(error) = show(&name, &given.collect()) {
        eprintln!("{error}");
        std::process::exit(1);
    }
    Ok(())
}

fn show(name: &str, given: &BTreeMap<String, String>) -> Result<(), Box<dyn std::error::Error>> {
    let parsed = dockerfile::parse(name, &std::fs::read(name)?)?;
    let escape = parsed.directives.escape;
    let host = Platform::host();
    let args = Args::new(&parsed, given, args::automatic(&host, &host, ""))?;
    let mut stages: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for stage in &parsed.dockerfile.stages {
        let base = args.base(stage, &parsed)?.from.text;
        println!("{}\n    from {base}", stage.text);
        let mut env = stages.get(&base).cloned().unwrap_or_default();
        for step in &stage.steps {
            let blame = |error: chapter_3::Error| parsed.source.blame(&step.lines, error.to_string());
            let lookup = |name: &str| env.get(name).cloned();
            let expanded = expand::instruction(&step.instruction, &lookup, escape).map_err(blame)?;
            println!("{}\n    {:?}", step.text, expanded.instruction);
            match expanded.instruction {
                Instruction::Env(pairs) => env.extend(pairs),
                Instruction::Arg(names) => {
                    for (name, default) in names {
                        let lookup = |name: &str| env.get(name).cloned();
                        let value = args.declared(&name, default.as_deref(), &lookup, escape).map_err(blame)?;
                        env.extend(value.map(|value| (name, value.text)));
                    }
                }
                _ => {}
            }
        }
        stages.extend(stage.name.clone().map(|name| (name, env)));
    }
    let known = Known { args: &args, image: &|_| Image::default(), ignored: &|_| false };
    for warning in parsed.warnings.iter().chain(&with_values(&parsed, &known)) {
        println!("{warning}\n    {}", warning.rule.url());
    }
    Ok(())
}
