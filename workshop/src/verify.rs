//! The proof that the examiner is right: each exercise is left out by itself, and exactly its own tests have to notice.
//!
//! All of a chapter's variants are one build. In a scratch copy of the solution, each marked place becomes a choice
//! between the hole, the wrong answers and the solution's own lines ([`scratch`](crate::scratch)), and an environment variable makes it when
//! the suite runs. So the proof costs one build a chapter, however many exercises it has.

use crate::catalogue::{self, Chapter, Exercise};
use crate::marks::Id;
use crate::scratch::{self, CHOICE, Wrong};
use crate::suite::{self, Outcome, Suite};
use anyhow::{Result, bail};
use colored::Colorize as _;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Verify {
    /// A chapter (2) or an exercise (2.3); else all of them
    what: Option<String>,
}

impl Verify {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let begun = Instant::now();
        let mut complaints = Vec::new();
        let mut proved = 0;
        let what = catalogue::Selection::parse(self.what.as_deref())?;
        for chapter in what.chapters(catalogue::chapters(root)?)? {
            let wrong = scratch::wrong_answers(root, &chapter)?;
            let place = scratch::write(root, &chapter, &wrong)?;
            let suite = suite::build(&place, &format!("solution-{}", chapter.number))?;
            let Some(suite) = suite else { bail!("{} does not compile with its wrong answers in it", chapter.folder) };
            let proof = Proof { chapter: &chapter, wrong: &wrong, suite, complaints: Vec::new() };
            proved += what.exercises(&chapter).count();
            complaints.extend(proof.all(&what)?);
        }
        println!();
        for complaint in &complaints {
            println!("{} {complaint}", "✗".red());
        }
        let seconds = begun.elapsed().as_secs();
        match complaints.len() {
            0 => println!("{} {proved} exercises are proved, in {seconds} s", "✓".green()),
            count => println!("{count} complaints, in {seconds} s"),
        }
        Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

struct Proof<'a> {
    chapter: &'a Chapter,
    wrong: &'a [Wrong],
    suite: Suite,
    complaints: Vec<String>,
}

impl Proof<'_> {
    fn all(mut self, what: &catalogue::Selection) -> Result<Vec<String>> {
        println!("{}", format!("chapter {}: {}", self.chapter.number, self.chapter.title).bold());
        println!("  {:<24} {:<8} {:<10} {:<10} wrong answers", "", "tests", "left out", "in order");
        let before = self.complaints.len();
        self.whole()?;
        self.starter()?;
        let whole = self.mark(before);
        println!("  {:<24} {:<8} {whole}", "solution and starter", self.suite.tests()?.len());
        for exercise in what.exercises(self.chapter) {
            let title = format!("{} {}", exercise.id, exercise.about.name);
            let before = self.complaints.len();
            self.left_out(exercise)?;
            let left_out = self.mark(before);
            let before = self.complaints.len();
            self.in_order(exercise)?;
            let in_order = self.mark(before);
            print!("  {title:<24} {:<8} {left_out:<10} {in_order:<10}", exercise.about.tests.len());
            for wrong in self.wrong.iter().filter(|wrong| wrong.id == exercise.id) {
                let before = self.complaints.len();
                self.rejected(exercise, wrong)?;
                print!(" {} {}", wrong.letter, self.mark(before));
            }
            println!();
        }
        Ok(self.complaints)
    }

    /// Whether nothing was to complain of since.
    fn mark(&self, before: usize) -> colored::ColoredString {
        if self.complaints.len() == before { "ok".green() } else { "no".red() }
    }

    /// Runs these tests with a choice made for some of the exercises.
    fn run(&self, tests: &[String], choices: &[String]) -> Result<Outcome> {
        self.suite.run(tests, &[(CHOICE, &choices.join(" "))])
    }

    /// The solution passes everything, and the tests that are declared exist.
    fn whole(&mut self) -> Result<()> {
        let tests = self.suite.tests()?;
        for exercise in &self.chapter.exercises {
            for test in exercise.about.tests.iter().filter(|test| !tests.contains(*test)) {
                self.complaints.push(format!("{}: the suite has no test {test}", exercise.id));
            }
        }
        for (test, said) in self.run(&[], &[])?.failed {
            self.complaints.push(format!("the solution itself fails {test}:\n{said}"));
        }
        Ok(())
    }

    /// The starter, where all is open, fails all that is declared.
    fn starter(&mut self) -> Result<()> {
        let outcome =
            self.run(&[], &self.chapter.exercises.iter().map(|exercise| hole(exercise.id)).collect::<Vec<_>>())?;
        for exercise in &self.chapter.exercises {
            for test in exercise.about.tests.iter().filter(|test| outcome.passed.contains(*test)) {
                self.complaints.push(format!("{}: the starter passes {test}, with nothing written", exercise.id));
            }
        }
        Ok(())
    }

    /// Without it, exactly its tests fail, and say why.
    fn left_out(&mut self, exercise: &Exercise) -> Result<()> {
        let id = exercise.id;
        let outcome = self.run(&[], &[hole(id)])?;
        let declared: BTreeSet<_> = exercise.about.tests.iter().collect();
        for test in declared.iter().filter(|test| outcome.passed.contains(**test)) {
            self.complaints.push(format!("{id}: without it, {test} passes all the same"));
        }
        for (test, said) in outcome.failed {
            if !declared.contains(&test) {
                self.complaints.push(format!("{id}: without it, {test} fails too, which is not declared:\n{said}"));
            } else if !said.contains(&format!("exercise {id}")) {
                self.complaints.push(format!("{id}: {test} fails without saying `exercise {id}`:\n{said}"));
            }
        }
        Ok(())
    }

    /// Who has done all up to here passes its tests: they need nothing that comes later.
    fn in_order(&mut self, exercise: &Exercise) -> Result<()> {
        let later = self.chapter.exercises.iter().filter(|other| other.id > exercise.id);
        let holes: Vec<_> = later.map(|other| hole(other.id)).collect();
        if holes.is_empty() {
            return Ok(());
        }
        for (test, said) in self.run(&exercise.about.tests, &holes)?.failed {
            let id = exercise.id;
            self.complaints.push(format!("{id}: {test} needs what comes after it:\n{said}"));
        }
        Ok(())
    }

    /// A wrong answer fails one of its tests, at least.
    fn rejected(&mut self, exercise: &Exercise, wrong: &Wrong) -> Result<()> {
        let outcome = self.run(&exercise.about.tests, &[format!("{}={}", wrong.id, wrong.letter)])?;
        if outcome.failed.is_empty() {
            let Wrong { id, letter, mistake, .. } = wrong;
            self.complaints.push(format!("{id}: wrong answer {letter} is accepted: {mistake}"));
        }
        Ok(())
    }
}

fn hole(id: Id) -> String {
    format!("{id}=hole")
}
