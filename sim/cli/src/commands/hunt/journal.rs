//! The journal: what a hunt has found so far, so that the same command goes on where it was killed.
//!
//! One line of JSON for the hunt, then one for each batch of seeds, each with the digest of what it says. A line that was
//! torn, and all after it, count for nothing. It lies in `.schism` in the folder of the cases, and goes when the hunt has
//! said what it found.

use std::fs::{self, File, OpenOptions};
use std::hash::Hasher as _;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use schism_core::Digest;
use schism_runner::hunt::Found;
use serde::{Deserialize, Serialize};

use super::folder;
use crate::exit::Trouble;

/// A file that is written from its beginning, line by line.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// The first seed of the hunt.
    first: u64,
}

/// What the first line says: whose journal it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Title {
    schema: String,
    version: String,
    /// Of the program: another build may run otherwise.
    build: String,
    family: String,
    seeds: (u64, u64),
}

/// The folder, in that of the cases.
const FOLDER: &str = ".schism";

impl Title {
    fn of(family: &str, seeds: &Range<u64>) -> Title {
        Title {
            schema: "schism.journal/1".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: build(),
            family: family.to_owned(),
            seeds: (seeds.start, seeds.end),
        }
    }
}

/// What tells one build of the program from another: its size and when it was made.
fn build() -> String {
    let found = std::env::current_exe().and_then(fs::metadata);
    let Ok(found) = found else { return String::new() };
    let made = found.modified().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    format!("{}-{}", found.len(), made.map_or(0, |made| made.as_nanos()))
}

/// Where the journal of such a hunt is.
fn path(cases: &Path, family: &str, seeds: &Range<u64>) -> PathBuf {
    let short = &family[..family.len().min(12)];
    cases.join(FOLDER).join(format!("hunt-{short}-{}-{}.jsonl", seeds.start, seeds.end))
}

/// Removes the journal of a hunt that is over, and its folder if nothing else is in it.
pub(super) fn remove(cases: &Path, family: &str, seeds: &Range<u64>) {
    fs::remove_file(path(cases, family, seeds)).ok();
    fs::remove_dir(cases.join(FOLDER)).ok();
}

/// What was found as the journal keeps it: JSON has no more digits than it has, and what is counted must be the same
/// whether the hunt was interrupted or not.
pub(super) fn as_kept(found: &Found) -> Found {
    let text = serde_json::to_string(found).expect("plain data with text keys");
    serde_json::from_str(&text).expect("what was written can be read")
}

impl Journal {
    /// Opens the journal of a hunt; empty, if there is none of the same family, seeds and program, or if it is to be.
    pub(super) fn open(
        cases: &Path,
        family: &str,
        seeds: &Range<u64>,
        fresh: bool,
    ) -> Result<Journal, Trouble> {
        let path = path(cases, family, seeds);
        folder(path.parent().expect("it is in a folder"))?;
        let failed = |error: std::io::Error| Trouble::new(format!("cannot open {}: {error}", path.display()));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(failed)?;
        if !is_locked(&file) {
            let message = format!("another hunt of the same seeds is going on: it writes {}", path.display());
            return Err(Trouble::new(message).help("wait for it, or give this one other --seeds or --cases"));
        }
        let title = Title::of(family, seeds);
        let mut first = String::new();
        BufReader::new(&file).read_line(&mut first).ok();
        if fresh || unsealed(&first).and_then(|text| serde_json::from_str(text).ok()) != Some(title.clone()) {
            file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(failed)?;
            file.write_all(sealed(&title).as_bytes()).map_err(failed)?;
        }
        Ok(Journal { path, file, first: seeds.start })
    }

    /// Tells all that has been found, seed by seed, and how many there were. What follows a torn line is cut off.
    pub(super) fn replay(&mut self, tell: &mut dyn FnMut(&Found) -> bool) -> Result<u64, Trouble> {
        let failed = |error: std::io::Error| Trouble::new(format!("cannot read the journal: {error}"));
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut lines = BufReader::new(&self.file);
        let (mut line, mut good, mut known) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line).map_err(failed)? as u64;
            let text = std::str::from_utf8(&line).ok().and_then(unsealed);
            let Some(text) = text else { break };
            if good > 0 {
                let Ok(batch) = serde_json::from_str::<Vec<Found>>(text) else { break };
                // Seed after seed: a line that stands there twice, or is missing, ends what is believed.
                let next = self.first + known;
                if !(next..).zip(&batch).all(|(seed, found)| found.seed == seed) {
                    break;
                }
                known += batch.iter().filter(|found| tell(found)).count() as u64;
            }
            good += read;
        }
        self.file.set_len(good).map_err(failed)?;
        self.file.seek(SeekFrom::Start(good)).map_err(failed)?;
        Ok(known)
    }

    /// Adds a batch.
    pub(super) fn append(&mut self, batch: &[Found]) -> Result<(), Trouble> {
        let failed = |error: std::io::Error| {
            Trouble::new(format!("cannot write the journal {}: {error}", self.path.display()))
        };
        self.file.write_all(sealed(&batch).as_bytes()).and_then(|()| self.file.flush()).map_err(failed)
    }
}

/// What stands before the digest, and what between it and what is said.
const SUM: &str = "{\"sum\":\"";
const SAYS: &str = "\",\"says\":";

/// A line of JSON with the digest of what it says.
fn sealed(says: &impl Serialize) -> String {
    let says = serde_json::to_string(says).expect("plain data with text keys");
    format!("{SUM}{}{SAYS}{says}}}\n", sum(&says))
}

/// What a line says, if it is whole.
fn unsealed(line: &str) -> Option<&str> {
    let (given, says) = line.strip_suffix("}\n")?.strip_prefix(SUM)?.split_once(SAYS)?;
    (sum(says) == given).then_some(says)
}

fn sum(text: &str) -> String {
    let mut digest = Digest::new();
    digest.write(text.as_bytes());
    digest.value().to_string()
}

/// Whether the lock of a file can be had. A process that is just being started holds what its parent had open for a
/// moment, until it is the program that it is to be: so it is tried for a while.
fn is_locked(file: &File) -> bool {
    const TRIES: u32 = 50;
    (0..TRIES).any(|_| {
        let is_ours = file.try_lock().is_ok();
        if !is_ours {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        is_ours
    })
}

#[cfg(test)]
mod tests {
    use schism_runner::report::Verdict;

    use super::*;

    const SEEDS: Range<u64> = 0..100;

    fn found(seed: u64) -> Found {
        Found {
            seed,
            verdict: Verdict::Holds,
            digest: format!("{seed:032x}"),
            events: 7,
            simulated: 9,
            failures: Vec::new(),
            vacuous: None,
            states: vec![seed],
        }
    }

    fn known(journal: &mut Journal) -> Vec<u64> {
        let mut seeds = Vec::new();
        journal
            .replay(&mut |found| {
                seeds.push(found.seed);
                true
            })
            .unwrap();
        seeds
    }

    fn open(folder: &Path, family: &str, fresh: bool) -> Journal {
        Journal::open(folder, family, &SEEDS, fresh).unwrap()
    }

    #[test]
    fn what_was_written_is_known_up_to_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path(), "0123456789abcdef", false);
        assert!(known(&mut journal).is_empty());
        journal.append(&[found(0), found(1)]).unwrap();
        journal.append(&[found(2)]).unwrap();
        let path = journal.path.clone();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let title = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let first = title + whole[title..].iter().position(|&byte| byte == b'\n').unwrap() + 1;
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut journal = open(folder.path(), "0123456789abcdef", false);
            let expected: &[u64] = match length {
                length if length == whole.len() => &[0, 1, 2],
                length if length >= first => &[0, 1],
                _ => &[],
            };
            assert_eq!(known(&mut journal), expected, "cut off at {length}");
            let next = expected.len() as u64;
            journal.append(&[found(next)]).unwrap();
            assert_eq!(known(&mut journal).last(), Some(&next), "and it goes on from there");
        }
    }

    #[test]
    fn a_line_that_stands_there_twice_is_believed_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path(), "0123456789abcdef", false);
        known(&mut journal);
        for seeds in [[found(0), found(1)], [found(2), found(3)], [found(2), found(3)]] {
            journal.append(&seeds).unwrap();
        }
        assert_eq!(known(&mut journal), [0, 1, 2, 3]);
    }

    #[test]
    fn a_byte_that_has_changed_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path(), "0123456789abcdef", false);
        known(&mut journal);
        journal.append(&[found(0)]).unwrap();
        journal.append(&[found(1)]).unwrap();
        let path = journal.path.clone();
        drop(journal);
        let changed = fs::read_to_string(&path).unwrap().replacen("\"events\":7", "\"events\":8", 1);
        fs::write(&path, changed).unwrap();
        assert!(known(&mut open(folder.path(), "0123456789abcdef", false)).is_empty());
    }

    #[test]
    fn the_journal_of_another_hunt_or_a_fresh_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path(), "0123456789abcdef", false);
        known(&mut journal);
        journal.append(&[found(0)]).unwrap();
        drop(journal);
        let other = known(&mut open(folder.path(), "0123456789abcxyz", false));
        assert!(other.is_empty(), "by the first twelve it is the same");
        let mut journal = open(folder.path(), "0123456789abcdef", false);
        assert!(known(&mut journal).is_empty());
        journal.append(&[found(0)]).unwrap();
        drop(journal);
        assert!(known(&mut open(folder.path(), "0123456789abcdef", true)).is_empty());
    }

    #[test]
    fn two_hunts_do_not_write_one_journal() {
        let folder = tempfile::tempdir().unwrap();
        let _first = open(folder.path(), "0123456789abcdef", false);
        assert!(Journal::open(folder.path(), "0123456789abcdef", &SEEDS, false).is_err());
    }
}
