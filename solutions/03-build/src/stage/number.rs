//! `[first 2/3]`: which steps are counted, and how progress calls them.

use crate::instruction::{Instruction, Step};

/// How many steps of a stage are counted: its FROM, if that is an image, and those that change files.
pub fn count<'a>(image: bool, steps: impl Iterator<Item = &'a Step>) -> usize {
    usize::from(image) + steps.filter(|step| counts(&step.instruction)).count()
}

fn counts(instruction: &Instruction) -> bool {
    matches!(instruction, Instruction::Add(_) | Instruction::Copy(_) | Instruction::Run(_) | Instruction::Workdir(_))
}

#[derive(Debug)]
pub(super) struct Numbers {
    stage: String,
    reached: usize,
    total: usize,
}

impl Numbers {
    pub(super) fn new(stage: &str, total: usize) -> Self {
        Self { stage: stage.to_owned(), reached: 0, total }
    }

    /// The name of the next step.
    pub(super) fn next(&mut self, triggered: bool, text: &str) -> String {
        self.reached += 1;
        let stage = if self.stage.is_empty() { String::new() } else { format!("{} ", self.stage) };
        let width = self.total.to_string().len();
        let trigger = if triggered { "ONBUILD " } else { "" };
        format!("[{stage}{:width$}/{}] {trigger}{text}", self.reached, self.total)
    }

    /// Of the step that was named last, from 1.
    pub(super) fn reached(&self) -> usize {
        self.reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned_within_a_stage() {
        let mut numbers = Numbers::new("first", 10);
        assert_eq!(numbers.next(false, "FROM x"), "[first  1/10] FROM x");
        assert_eq!(numbers.next(true, "RUN y"), "[first  2/10] ONBUILD RUN y");
        assert_eq!(Numbers::new("", 1).next(false, "RUN z"), "[1/1] RUN z");
    }
}
