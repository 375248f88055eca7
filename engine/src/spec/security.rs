//! `--security-opt`: how far the walls are taken down, or raised.

use crate::{Error, Kind, Result};

/// What a container's security options add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Security {
    pub no_new_privileges: bool,
    pub seccomp: Seccomp,
    /// The container may write to its cgroup folder.
    pub writable_cgroups: Option<bool>,
}

/// Which filter its system calls go through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Seccomp {
    /// Docker's default profile.
    #[default]
    Builtin,
    /// None at all.
    Unconfined,
    /// A profile in Docker's JSON: its text, as clients send it, and not the name of a file.
    Profile(String),
}

impl Security {
    /// Adds up the options.
    ///
    /// # Errors
    /// [`Kind::Invalid`], in Docker's words, for what it does not know either; [`Kind::NotImplemented`] for a security
    /// module's profile: to run without one that was asked for would be a lie.
    pub(crate) fn parse(options: &[String]) -> Result<Self> {
        let mut security = Self::default();
        for option in options {
            security.add(option)?;
        }
        Ok(security)
    }

    fn add(&mut self, option: &str) -> Result<()> {
        let invalid = |step| Error::new(Kind::Invalid, format!("invalid --security-opt {step}: {option:?}"));
        let (key, value) = match option {
            "no-new-privileges" | "writable-cgroups" => (option, "true"),
            // SELinux is off here anyway.
            "disable" => ("label", "disable"),
            _ => option.split_once('=').or_else(|| option.split_once(':')).ok_or_else(|| invalid(1))?,
        };
        match key {
            "no-new-privileges" => self.no_new_privileges = boolean(value).ok_or_else(|| invalid(2))?,
            "writable-cgroups" => self.writable_cgroups = Some(boolean(value).ok_or_else(|| invalid(2))?),
            "seccomp" => {
                self.seccomp = match value {
                    "unconfined" => Seccomp::Unconfined,
                    "" | "builtin" => Seccomp::Builtin,
                    profile => Seccomp::Profile(profile.to_owned()),
                }
            }
            "label" if value == "disable" => {}
            "apparmor" if value == "unconfined" => {}
            "label" | "apparmor" => {
                let text = format!("--security-opt {option}: Kesako does not apply {key} profiles");
                return Err(Error::new(Kind::NotImplemented, text));
            }
            _ => return Err(invalid(2)),
        }
        Ok(())
    }
}

/// As Go's strconv.ParseBool reads it.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: &[&str]) -> Result<Security> {
        Security::parse(&options.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn options_add_up_and_the_last_one_wins() {
        let security =
            parse(&["no-new-privileges", "seccomp=unconfined", "no-new-privileges:false", "label=disable"]).unwrap();
        assert_eq!(security, Security { seccomp: Seccomp::Unconfined, ..Default::default() });
        assert!(parse(&["no-new-privileges=true"]).unwrap().no_new_privileges);
        assert_eq!(parse(&["seccomp={}"]).unwrap().seccomp, Seccomp::Profile("{}".into()));
    }

    #[test]
    fn what_is_unknown_is_refused_and_so_is_what_is_not_applied() {
        assert_eq!(parse(&["nonsense"]).unwrap_err().message, "invalid --security-opt 1: \"nonsense\"");
        assert_eq!(parse(&["a=b"]).unwrap_err().message, "invalid --security-opt 2: \"a=b\"");
        assert_eq!(parse(&["apparmor=mine"]).unwrap_err().kind, Kind::NotImplemented);
    }
}
