//! Files: scenarios are read here, with clear words when they cannot be; results are written whole or not at all.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::exit::Trouble;

/// A file as read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// What it is called in messages.
    pub(crate) name: String,
    /// What is in it; whether that is text is for the language to say.
    pub(crate) bytes: Vec<u8>,
}

/// Whether a path stands for stdin or stdout.
pub(crate) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file, or stdin for `-`, of at most so many bytes; more is refused without being read.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Source, Trouble> {
    if is_dash(path) {
        return stdin(limit);
    }
    let name = path.display().to_string();
    let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if found.is_dir() {
        return Err(Trouble::new(format!("{name} is a folder, not a file")));
    }
    if found.len() > limit as u64 {
        return Err(too_large(&name, limit));
    }
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    bytes(name, file, limit)
}

/// Stdin, which can be read once, for whoever asks.
fn stdin(limit: usize) -> Result<Source, Trouble> {
    static READ: OnceLock<Vec<u8>> = OnceLock::new();
    let name = "<stdin>".to_owned();
    if let Some(read) = READ.get() {
        return Ok(Source { name, bytes: read.clone() });
    }
    let source = bytes(name, io::stdin().lock(), limit)?;
    READ.get_or_init(|| source.bytes.clone());
    Ok(source)
}

/// Reads to the end, but no further than one byte beyond the limit: a pipe or a device may have no end.
fn bytes(name: String, from: impl Read, limit: usize) -> Result<Source, Trouble> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Trouble::new(format!("cannot read {name}: {}", reason(&error))))?;
    if bytes.len() > limit {
        return Err(too_large(&name, limit));
    }
    Ok(Source { name, bytes })
}

fn too_large(name: &str, limit: usize) -> Trouble {
    Trouble::new(format!("{name} is larger than {} MiB, the limit", limit >> 20))
}

fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    let trouble = Trouble::new(format!("cannot read {}: {}", path.display(), reason(error)));
    match similar(path) {
        Some(other) if error.kind() == io::ErrorKind::NotFound => {
            trouble.help(format!("did you mean {}?", other.display()))
        }
        Some(_) | None => trouble,
    }
}

/// The reason in words that are the same on every system, as far as there are any.
fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        "there is no such file".to_owned()
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        "permission denied".to_owned()
    } else {
        error.to_string()
    }
}

/// How alike two names must be for one to be taken for a slip of the other; 1 is the same.
const ALIKE: f64 = 0.8;
/// A folder with more files than this is not searched for similar names.
const SEARCHED: usize = 10_000;

/// The file in the same folder whose name is most like this one.
fn similar(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_str()?;
    let folder = folder(path);
    let likeness = |name: &str| {
        let stem = Path::new(name).file_stem().and_then(OsStr::to_str).unwrap_or(name);
        strsim::jaro_winkler(wanted, name).max(strsim::jaro_winkler(wanted, stem))
    };
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .take(SEARCHED)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| likeness(name) >= ALIKE)
        .collect();
    // The order of a folder is the file system's own.
    names.sort();
    let best = names.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    Some(path.with_file_name(best))
}

/// The folder that a path is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Why a file cannot be written there, as far as that can be seen before it is.
pub(crate) fn is_free_to_write(path: &Path) -> Result<(), String> {
    if is_dash(path) {
        Ok(())
    } else if path.is_dir() {
        Err("it is a folder".to_owned())
    } else if !folder(path).is_dir() {
        Err(format!("there is no folder {}", folder(path).display()))
    } else {
        Ok(())
    }
}

/// Refuses to write over what is read.
pub(crate) fn keep_apart(read: &Path, written: &Path) -> Result<(), Trouble> {
    let same = matches!((read.canonicalize(), written.canonicalize()), (Ok(one), Ok(other)) if one == other);
    if same && !is_dash(read) {
        let message = format!("{} would be written over: it is the scenario", written.display());
        return Err(Trouble::new(message).help("name another file"));
    }
    Ok(())
}

/// Writes a file whole or not at all: to another file in the same folder, which then takes its place.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    write_parts(path, [text])
}

/// The same with a text that comes in parts, and need not be in memory at once.
pub(crate) fn write_parts(
    path: &Path,
    parts: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<(), Trouble> {
    let failed = |error: io::Error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let reason = if missing { "there is no such folder".to_owned() } else { reason(&error) };
        Trouble::new(format!("cannot write {}: {reason}", path.display()))
    };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(Trouble::new(format!("cannot write {}: it is a folder", path.display())))
        }
        // A device or a pipe has no place that another file could take.
        Ok(found) if !found.is_file() => {
            fs::File::create(path).and_then(|file| write_all(file, parts)).map_err(failed)
        }
        // Behind a link, the file that it leads to.
        Ok(found) => {
            let path = path.canonicalize().map_err(failed)?;
            replace(&path, parts, Some(found.permissions())).map_err(failed)
        }
        Err(_) => replace(path, parts, None).map_err(failed),
    }
}

fn write_all(file: impl Write, parts: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
    let mut file = io::BufWriter::new(file);
    parts.into_iter().try_for_each(|part| file.write_all(part.as_ref().as_bytes()))?;
    file.flush()
}

fn replace(
    path: &Path,
    parts: impl IntoIterator<Item = impl AsRef<str>>,
    permissions: Option<fs::Permissions>,
) -> io::Result<()> {
    let mut draft = draft(folder(path))?;
    write_all(&mut draft, parts)?;
    if let Some(permissions) = permissions {
        draft.as_file().set_permissions(permissions)?;
    }
    draft.persist(path)?;
    Ok(())
}

/// Writes a file that must not be there yet.
pub(crate) fn create(path: &Path, text: &str) -> Result<(), Trouble> {
    let failed = |error: io::Error| {
        let name = path.display();
        if error.kind() == io::ErrorKind::AlreadyExists {
            Trouble::new(format!("{name} is already there; it has been left as it is"))
        } else {
            Trouble::new(format!("cannot write {name}: {}", reason(&error)))
        }
    };
    let mut draft = draft(folder(path)).map_err(failed)?;
    draft.write_all(text.as_bytes()).map_err(failed)?;
    draft.persist_noclobber(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A file beside the one to be written, with the permissions that a new file has.
fn draft(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".schism-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T: std::fmt::Debug>(outcome: Result<T, Trouble>) -> String {
        crate::console::plain(outcome.expect_err("it is refused").text())
    }

    #[test]
    fn a_file_of_the_limit_is_read_and_one_byte_more_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "x".repeat(1 << 20)).unwrap();
        assert_eq!(read(&path, 1 << 20).unwrap().bytes.len(), 1 << 20);
        assert!(said(read(&path, (1 << 20) - 1)).contains("larger than 0 MiB"));
        assert!(said(bytes("<stdin>".to_owned(), io::repeat(b'x'), 1 << 20)).contains("larger than 1 MiB"));
    }

    #[test]
    fn a_missing_file_names_the_one_that_was_probably_meant() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["zone-outage.toml", "zone-cut.toml", "unrelated.toml"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let refused = |name: &str| said(read(&folder.path().join(name), 100));
        assert!(refused("zone-outge.toml").contains("zone-outage.toml?"));
        assert!(refused("zone-cut").contains("zone-cut.toml?"));
        assert!(!refused("qqq.txt").contains("did you mean"));
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert!(said(create(&path, "three")).contains("already there"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
