//! The proof that the examiner is right: each exercise is left out by itself, and exactly its own tests have to notice.
//!
//! All of a chapter's variants are one build. In a scratch copy of the solution, each marked place becomes a choice
//! between the hole, the wrong answers and the solution's own lines ([`scratch`](crate::scratch)), and an environment variable makes it when
//! the suite runs. So the proof costs one build a chapter, however many exercises it has.

use crate::catalogue::{self, Chapter, Exercise, Selection};
use crate::marks::Id;
use crate::runtime;
use crate::scratch::{self, CHOICE, Wrong};
use crate::suite::{self, Outcome, Suite};
use anyhow::{Result, bail};
use colored::Colorize as _;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

#[derive(clap::Args)]
pub struct Verify {
    /// A chapter (2) or an exercise (2.3); else all of them
    what: Option<String>,
    /// Prove that the runtime says which exercise it met, instead of what the tests say
    #[arg(long)]
    runtime: bool,
    /// With --runtime: of the release build, in which a panic ends the process
    #[arg(long, requires = "runtime")]
    release: bool,
}

impl Verify {
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let begun = Instant::now();
        let mut complaints = Vec::new();
        let what = Selection::parse(self.what.as_deref())?;
        let chapters = what.chapters(catalogue::chapters(root)?)?;
        let exercises: Vec<_> = chapters.iter().flat_map(|chapter| what.exercises(chapter)).collect();
        let proved = exercises.len();
        if self.runtime {
            complaints = runtime::prove(root, &catalogue::chapters(root)?, &exercises, self.release)?;
        } else {
            for chapter in &chapters {
                let wrong = scratch::wrong_answers(root, chapter)?;
                let place = scratch::write(root, chapter, &wrong)?;
                let suite = suite::build(&place, &format!("solution-{}", chapter.number), &scratch::target(root))?;
                let Some(suite) = suite else {
                    bail!("{} does not compile with its wrong answers in it", chapter.folder)
                };
                complaints.extend(Proof { chapter, wrong: &wrong, suite }.all(what)?);
            }
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

/// What is to be proved of an exercise, each by a run of the suite.
#[derive(Clone, Copy)]
enum Claim<'a> {
    /// Without it, exactly its tests fail.
    LeftOut,
    /// Its tests need nothing that comes later.
    InOrder,
    /// One of its tests, at least, fails with this.
    Rejected(&'a Wrong),
}

struct Proof<'a> {
    chapter: &'a Chapter,
    wrong: &'a [Wrong],
    suite: Suite,
}

impl Proof<'_> {
    /// Prints the table, and returns what there is to complain of.
    fn all(&self, what: Selection) -> Result<Vec<String>> {
        println!("{}", format!("chapter {}: {}", self.chapter.number, self.chapter.title).bold());
        println!("  {:<28} tests  left out  in order  wrong answers", "");
        let mut complaints = self.whole()?;
        complaints.extend(self.starter()?);
        println!("  {:<28} {:>5}  {}", "solution and starter", self.suite.tests()?.len(), mark(&complaints));

        let mut claims = Vec::new();
        for exercise in what.exercises(self.chapter) {
            claims.extend([(exercise, Claim::LeftOut), (exercise, Claim::InOrder)]);
            let wrong = self.wrong.iter().filter(|wrong| wrong.id == exercise.id);
            claims.extend(wrong.map(|wrong| (exercise, Claim::Rejected(wrong))));
        }
        let found = self.examine_all(&claims)?;
        for (&(exercise, claim), found) in claims.iter().zip(&found) {
            match claim {
                Claim::LeftOut => {
                    let title = format!("{} {}", exercise.id, exercise.about.name);
                    print!("  {title:<28} {:>5}  {:<8}", exercise.about.tests.len(), mark(found));
                }
                Claim::InOrder => print!("  {:<9}", mark(found)),
                Claim::Rejected(wrong) => print!(" {} {}", wrong.letter, mark(found)),
            }
            // Its last claim.
            if matches!(claim, Claim::Rejected(wrong) if !self.wrong.iter().any(|w| w.id == wrong.id && w.letter > wrong.letter))
            {
                println!();
            }
        }
        complaints.extend(found.into_iter().flatten());
        Ok(complaints)
    }

    /// Several at a time: a suite waits for the disk and for its containers more than it computes.
    fn examine_all(&self, claims: &[(&Exercise, Claim)]) -> Result<Vec<Vec<String>>> {
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut found = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(&(exercise, claim)) = claims.get(number) else { return Ok(found) };
                found.push((number, self.examine(exercise, claim)?));
            }
        };
        let workers = std::thread::available_parallelism().map_or(2, usize::from) * 2;
        let mut found = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Result<Vec<_>>>| {
                thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("an examiner panicked")))
            };
            threads.into_iter().map(join).collect::<Result<Vec<_>>>()
        })?
        .concat();
        found.sort_by_key(|(number, _)| *number);
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }

    fn examine(&self, exercise: &Exercise, claim: Claim) -> Result<Vec<String>> {
        match claim {
            Claim::LeftOut => self.left_out(exercise),
            Claim::InOrder => self.in_order(exercise),
            Claim::Rejected(wrong) => self.rejected(exercise, wrong),
        }
    }

    /// Runs these tests with a choice made for some of the exercises.
    fn run(&self, tests: &[String], choices: &[String]) -> Result<Outcome> {
        self.suite.run(tests, &[(CHOICE, &choices.join(" "))])
    }

    /// The solution passes everything, and the tests that are declared exist.
    fn whole(&self) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        let tests = self.suite.tests()?;
        for exercise in &self.chapter.exercises {
            for test in exercise.about.tests.iter().filter(|test| !tests.contains(*test)) {
                complaints.push(format!("{}: the suite has no test {test}", exercise.id));
            }
        }
        for (test, said) in self.run(&[], &[])?.failed {
            complaints.push(format!("the solution itself fails {test}:\n{said}"));
        }
        Ok(complaints)
    }

    /// The starter, where all is open, fails all that is declared.
    fn starter(&self) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        let outcome =
            self.run(&[], &self.chapter.exercises.iter().map(|exercise| hole(exercise.id)).collect::<Vec<_>>())?;
        for exercise in &self.chapter.exercises {
            for test in exercise.about.tests.iter().filter(|test| outcome.passed.contains(*test)) {
                complaints.push(format!("{}: the starter passes {test}, with nothing written", exercise.id));
            }
        }
        Ok(complaints)
    }

    /// Without it, exactly its tests fail, and say why.
    fn left_out(&self, exercise: &Exercise) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        let id = exercise.id;
        let outcome = self.run(&[], &[hole(id)])?;
        let declared: BTreeSet<_> = exercise.about.tests.iter().collect();
        for test in declared.iter().filter(|test| outcome.passed.contains(**test)) {
            complaints.push(format!("{id}: without it, {test} passes all the same"));
        }
        for (test, said) in outcome.failed {
            if !declared.contains(&test) {
                complaints.push(format!("{id}: without it, {test} fails too, which is not declared:\n{said}"));
            } else if !said.contains(&format!("exercise {id}")) {
                complaints.push(format!("{id}: {test} fails without saying `exercise {id}`:\n{said}"));
            }
        }
        Ok(complaints)
    }

    /// Who has done all up to here passes its tests: they need nothing that comes later.
    fn in_order(&self, exercise: &Exercise) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        let later = self.chapter.exercises.iter().filter(|other| other.id > exercise.id);
        let holes: Vec<_> = later.map(|other| hole(other.id)).collect();
        if holes.is_empty() {
            return Ok(complaints);
        }
        for (test, said) in self.run(&exercise.about.tests, &holes)?.failed {
            let id = exercise.id;
            complaints.push(format!("{id}: {test} needs what comes after it:\n{said}"));
        }
        Ok(complaints)
    }

    /// A wrong answer fails one of its tests, at least.
    fn rejected(&self, exercise: &Exercise, wrong: &Wrong) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        let outcome = self.run(&exercise.about.tests, &[format!("{}={}", wrong.id, wrong.letter)])?;
        if outcome.failed.is_empty() {
            let Wrong { id, letter, mistake, .. } = wrong;
            complaints.push(format!("{id}: wrong answer {letter} is accepted: {mistake}"));
        }
        Ok(complaints)
    }
}

fn hole(id: Id) -> String {
    format!("{id}=hole")
}

fn mark(complaints: &[String]) -> colored::ColoredString {
    if complaints.is_empty() { "ok".green() } else { "no".red() }
}
