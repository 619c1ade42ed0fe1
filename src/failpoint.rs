//! Points at which a test ends the program, as a power cut would, or holds it.
//!
//! [`hit`] stands before and after everything that lasts: an entry, a statement, a receipt, a lock. A
//! program that is built without the feature `failpoints` has none of this: the call is empty. With
//! it, `cli` hands over what TOLLGATE_FAILPOINT says:
//!
//! - `NAME[:N]`: the N-th time (the first, where it is not said) that this point is reached, the
//!   process ends at once, without a destructor.
//! - `NAME[:N]=pause:FILE`: there it writes its pid into FILE, and goes on when FILE is gone.
//! - `list:FILE`: every point that is reached is appended to FILE, a line each.

#[cfg(feature = "failpoints")]
pub(crate) use armed::{arm, hit};

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) const fn hit(_: &str) {}

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::BTreeMap;
    use std::fs::{File, OpenOptions};
    use std::io::Write as _;
    use std::path::PathBuf;
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::time::{Duration, Instant};

    /// A test that forgot a process does not leave it there for ever.
    const LONGEST_PAUSE: Duration = Duration::from_secs(600);

    static ARMED: OnceLock<Armed> = OnceLock::new();

    struct Armed {
        what: What,
        reached: Mutex<BTreeMap<String, u64>>,
    }

    #[derive(Debug, PartialEq, Eq)]
    enum What {
        List(PathBuf),
        At {
            name: String,
            nth: u64,
            pause: Option<PathBuf>,
        },
    }

    /// Takes what the variable says, once for the whole process.
    ///
    /// # Errors
    /// When it cannot be read: a test that waits for a point that never comes proves nothing.
    pub(crate) fn arm(spec: &str) -> Result<(), String> {
        let armed = Armed {
            what: read(spec)?,
            reached: Mutex::default(),
        };
        // Called once, at the beginning; a second word would come too late.
        let _ = ARMED.set(armed);
        Ok(())
    }

    fn read(spec: &str) -> Result<What, String> {
        let unread = || format!("TOLLGATE_FAILPOINT={spec} cannot be read");
        if let Some(file) = spec.strip_prefix("list:") {
            return Ok(What::List(PathBuf::from(file)));
        }
        let (point, pause) = match spec.split_once('=') {
            None => (spec, None),
            Some((point, action)) => {
                let file = action.strip_prefix("pause:").ok_or_else(unread)?;
                (point, Some(PathBuf::from(file)))
            }
        };
        let (name, nth) = match point.split_once(':') {
            None => (point, 1),
            Some((name, nth)) => (name, nth.parse().map_err(|_| unread())?),
        };
        if name.is_empty() || nth == 0 {
            return Err(unread());
        }
        Ok(What::At {
            name: name.to_owned(),
            nth,
            pause,
        })
    }

    /// The program is at this point.
    pub(crate) fn hit(name: &str) {
        let Some(armed) = ARMED.get() else { return };
        let mut reached = armed.reached.lock().unwrap_or_else(PoisonError::into_inner);
        match &armed.what {
            What::List(file) => {
                let line = OpenOptions::new().create(true).append(true).open(file);
                let written =
                    line.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
                if written.is_err() {
                    // A list that lacks a point would leave that point untried in silence.
                    std::process::abort();
                }
            }
            What::At {
                name: wanted,
                nth,
                pause,
            } if wanted == name => {
                let times = reached.entry(name.to_owned()).or_default();
                *times += 1;
                if times == nth {
                    match pause {
                        None => std::process::abort(),
                        Some(file) => wait(file),
                    }
                }
            }
            What::At { .. } => {}
        }
    }

    fn wait(file: &PathBuf) {
        let told = File::create(file).and_then(|mut file| writeln!(file, "{}", std::process::id()));
        if told.is_err() {
            std::process::abort();
        }
        let begun = Instant::now();
        while file.exists() {
            if begun.elapsed() > LONGEST_PAUSE {
                std::process::abort();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_read_with_and_without_its_number_and_action() {
            let at = |name: &str, nth, pause: Option<&str>| What::At {
                name: name.to_owned(),
                nth,
                pause: pause.map(PathBuf::from),
            };
            assert_eq!(read("a.b"), Ok(at("a.b", 1, None)));
            assert_eq!(read("a.b:3"), Ok(at("a.b", 3, None)));
            assert_eq!(read("a:2=pause:/x"), Ok(at("a", 2, Some("/x"))));
            assert_eq!(read("list:/x"), Ok(What::List(PathBuf::from("/x"))));
        }

        #[test]
        fn what_names_no_point_is_an_error() {
            for spec in ["", ":1", "a:0", "a:b", "a=stop", "a:1=pause"] {
                assert!(read(spec).is_err(), "{spec}");
            }
        }
    }
}
