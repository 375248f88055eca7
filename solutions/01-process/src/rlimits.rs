//! Resource limits of a process (setrlimit(2)): how many files it may open, how big its core dump may be.
//!
//! A container inherits those of the engine; `--ulimit` asks for others. Lowering is everybody's right. Raising the
//! hard limit takes CAP_SYS_RESOURCE over the whole machine, which neither an ordinary user has nor root in many cloud
//! machines, so it is tried before there is a container, and refused with a word on what would work.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::errno_text;
use crate::{Error, Result, oci};
use oci::{PosixRlimit, PosixRlimitType as Type};

/// The names `--ulimit` knows, with the specification's and the kernel's.
const NAMES: [(&str, Type, Resource); 15] = [
    ("core", Type::RlimitCore, Resource::Core),
    ("cpu", Type::RlimitCpu, Resource::Cpu),
    ("data", Type::RlimitData, Resource::Data),
    ("fsize", Type::RlimitFsize, Resource::Fsize),
    ("locks", Type::RlimitLocks, Resource::Locks),
    ("memlock", Type::RlimitMemlock, Resource::Memlock),
    ("msgqueue", Type::RlimitMsgqueue, Resource::Msgqueue),
    ("nice", Type::RlimitNice, Resource::Nice),
    ("nofile", Type::RlimitNofile, Resource::Nofile),
    ("nproc", Type::RlimitNproc, Resource::Nproc),
    ("rss", Type::RlimitRss, Resource::Rss),
    ("rtprio", Type::RlimitRtprio, Resource::Rtprio),
    ("rttime", Type::RlimitRttime, Resource::Rttime),
    ("sigpending", Type::RlimitSigpending, Resource::Sigpending),
    ("stack", Type::RlimitStack, Resource::Stack),
];

/// The specification's form of a limit as the API names it (`nofile`, 1024, 2048; -1 is «no limit»).
///
/// # Errors
/// A name that does not exist, in Docker's words.
pub fn rlimit(name: &str, soft: i64, hard: i64) -> Result<PosixRlimit> {
    let row = NAMES.iter().find(|row| row.0 == name);
    let (_, typ, _) = row.ok_or_else(|| Error::Rlimit(format!("invalid ulimit type: {name}")))?;
    // The kernel's infinity is all ones, so -1 becomes it by itself. (The builder cannot fail: every field is set.)
    let limit = oci::PosixRlimitBuilder::default().typ(*typ).soft(soft as u64).hard(hard as u64);
    Ok(limit.build().unwrap_or_default())
}

/// Limits as setrlimit(2) takes them.
#[derive(Debug, Clone, Default)]
pub struct Prepared(Vec<(Resource, Rlimit)>);

impl Prepared {
    /// Finds out whether this process may set the limits at all, and leaves out those that hold already.
    ///
    /// # Errors
    /// A hard limit beyond what this process may give.
    pub fn new(limits: &[PosixRlimit]) -> Result<Self> {
        let mut prepared = vec![];
        for limit in limits {
            let Some(&(name, _, resource)) = NAMES.iter().find(|row| row.1 == limit.typ()) else {
                return Err(Error::Rlimit(format!("invalid ulimit type: {}", limit.typ())));
            };
            let finite = |value: u64| (value != u64::MAX).then_some(value);
            let wanted = Rlimit { current: finite(limit.soft()), maximum: finite(limit.hard()) };
            let held = getrlimit(resource);
            if wanted == held {
                continue;
            }
            may_raise(name, resource, held, wanted)?;
            prepared.push((resource, wanted));
            tracing::info!(
                target: "explain",
                man = "setrlimit(2)",
                shell = format!("ulimit … # {name} {}:{}", show(wanted.current), show(wanted.maximum)),
                "limiting {name} to {} (hard {})", show(wanted.current), show(wanted.maximum)
            );
        }
        Ok(Self(prepared))
    }

    /// Puts the limits in force. Async-signal-safe.
    pub fn apply(&self) -> rustix::io::Result<()> {
        self.0.iter().try_for_each(|(resource, limit)| setrlimit(*resource, *limit))
    }
}

/// Whether the hard limit may go up, found out by doing it and taking it back: capabilities alone do not tell, since
/// those of a user namespace's root do not count here.
fn may_raise(name: &str, resource: Resource, held: Rlimit, wanted: Rlimit) -> Result<()> {
    let infinity = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    if infinity(wanted.maximum) <= infinity(held.maximum) {
        return Ok(());
    }
    let raised = Rlimit { current: held.current, maximum: wanted.maximum };
    setrlimit(resource, raised).and_then(|()| setrlimit(resource, held)).map_err(|error| {
        // runc's words, and a hint.
        Error::Rlimit(format!(
            "error setting rlimits for ready process: error setting rlimit type {}: {}: the hard limit of {name} can be at most {} \
             here (raising it takes CAP_SYS_RESOURCE on the host)",
            resource as u32,
            errno_text(error),
            show(held.maximum)
        ))
    })
}

fn show(limit: Option<u64>) -> String {
    limit.map_or("unlimited".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_is_refused_with_what_would_work_or_done() {
        let held = getrlimit(Resource::Nofile).maximum.unwrap();
        let raised = rlimit("nofile", 1, held as i64 + 1).unwrap();
        match Prepared::new(&[raised]) {
            Ok(prepared) => assert_eq!(prepared.0.len(), 1),
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("error setting rlimit type 7: operation not permitted"), "{text}");
                assert!(text.contains(&format!("at most {held}")), "{text}");
            }
        }
        assert_eq!(getrlimit(Resource::Nofile).maximum, Some(held), "the engine's own limit is what it was");
        assert!(Prepared::new(&[rlimit("nofile", 1, held as i64 - 1).unwrap()]).is_ok());
    }

    #[test]
    fn what_holds_already_is_not_set_again() {
        let held = getrlimit(Resource::Core);
        let signed = |limit: Option<u64>| limit.map_or(-1, |limit| limit as i64);
        let limit = rlimit("core", signed(held.current), signed(held.maximum)).unwrap();
        assert!(Prepared::new(&[limit]).unwrap().0.is_empty());
    }
}
