//! From instructions to stages: a FROM begins one, and what stands before the first is for all of them.

use super::arguments::{self, Meaning};
use super::line::Line;
use super::{Fault, run};
use crate::instruction::{Dockerfile, Instruction, Step};

/// Whoever goes through the stages may follow each to its base, and from there on.
const MAX_STAGES: usize = 1000;

pub(super) fn gather(lines: &[Line]) -> Result<Dockerfile, Fault> {
    let mut dockerfile = Dockerfile { meta_args: Vec::new(), stages: Vec::new() };
    for line in lines {
        match meaning(line)? {
            Meaning::Stage(stage) if dockerfile.stages.len() == MAX_STAGES => {
                let message = format!("the Dockerfile has more than {MAX_STAGES} stages");
                return Err(Fault::new(message, stage.lines));
            }
            Meaning::Stage(stage) => dockerfile.stages.push(stage),
            Meaning::Instruction(instruction) => {
                let step = step(line, instruction);
                match (dockerfile.stages.last_mut(), &step.instruction) {
                    (Some(stage), _) => stage.steps.push(step),
                    (None, Instruction::Arg(_)) => dockerfile.meta_args.push(step),
                    (None, _) => return Err(Fault::new("no build stage in current context", step.lines)),
                }
            }
        }
    }
    if dockerfile.stages.is_empty() {
        return Err(Fault::of_the_file("dockerfile contains no stages to build"));
    }
    Ok(dockerfile)
}

/// The only instruction of a trigger.
pub(super) fn single(lines: &[Line]) -> Result<Step, Fault> {
    let [line] = lines else { return Err(Fault::of_the_file("onbuild trigger should be a single expression")) };
    match meaning(line)? {
        Meaning::Instruction(instruction) => Ok(step(line, instruction)),
        Meaning::Stage(_) => Err(Fault::of_the_file("FROM isn't allowed as an ONBUILD trigger")),
    }
}

fn meaning(line: &Line) -> Result<Meaning, Fault> {
    let lines = line.logical.lines.clone();
    let located = |why| format!("dockerfile parse error on line {}: {why}", lines.start());
    arguments::meaning(line).map_err(|why| Fault::new(located(why), lines.clone()))
}

fn step(line: &Line, instruction: Instruction) -> Step {
    let mut text = line.logical.text.trim().to_owned();
    if let (Instruction::Run(_), Some(summary)) = (&instruction, run::summary(&line.arguments, &line.logical.heredocs))
    {
        text = format!("{text} {summary}");
    }
    Step { instruction, lines: line.logical.lines.clone(), text }
}
