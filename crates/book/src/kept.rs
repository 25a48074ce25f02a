//! What only a new build of this program can change, kept beside it: figures, and what the properties have shown. The next start of the same
//! program need not compute it again.

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

/// A folder for what this very build of this program has computed; none where it can't be made.
static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| folder(&std::env::current_exe().ok()?));

/// `kept/<program>/<size and time of its file>` in the program's folder. What older builds of it have kept is deleted.
fn folder(program: &Path) -> Option<PathBuf> {
    let meta = program.metadata().ok()?;
    let written = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    let all = program.parent()?.join("kept").join(program.file_stem()?);
    let own = all.join(format!("{}-{written}", meta.len()));
    for old in std::fs::read_dir(&all).into_iter().flatten().flatten().filter(|old| old.path() != own) {
        // Whatever is in the way of that is in nobody's way.
        let _ = std::fs::remove_dir_all(old.path());
    }
    std::fs::create_dir_all(&own).ok().map(|()| own)
}

/// The text that this build of this program has kept under this name, or else what `compute` gives, which is kept.
///
/// # Errors
/// Those of `compute`.
pub(crate) fn text(name: &str, compute: impl FnOnce() -> Result<String>) -> Result<String> {
    text_in(FOLDER.as_deref(), name, compute)
}

fn text_in(folder: Option<&Path>, name: &str, compute: impl FnOnce() -> Result<String>) -> Result<String> {
    let Some(folder) = folder else { return compute() };
    if let Ok(kept) = std::fs::read_to_string(folder.join(name)) {
        return Ok(kept);
    }
    let text = compute()?;
    // Written whole under another name first: who reads meanwhile finds all of it or nothing. A full disk only costs time.
    let _ = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.persist(folder.join(name)).map_err(|e| e.error)
    });
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn what_is_kept_is_not_computed_again() {
        let folder = tempfile::tempdir().unwrap();
        let kept = |compute: fn() -> Result<String>| text_in(Some(folder.path()), "a", compute);
        assert!(kept(|| bail!("not yet")).is_err());
        assert_eq!(kept(|| Ok("once".into())).unwrap(), "once");
        assert_eq!(kept(|| bail!("asked again")).unwrap(), "once");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(text_in(None, "a", || Ok("nowhere".into())).unwrap(), "nowhere");
    }

    #[test]
    fn another_build_has_another_folder_and_the_old_one_goes() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        std::fs::write(&program, "one").unwrap();
        let first = folder(&program).unwrap();
        assert_eq!(folder(&program).unwrap(), first);
        std::fs::write(&program, "another").unwrap();
        let second = folder(&program).unwrap();
        assert!(second != first && second.is_dir() && !first.exists());
    }
}
