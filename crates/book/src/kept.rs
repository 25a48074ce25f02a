//! What only other crates can change, kept beside the programs: figures, and what the properties have shown. Neither the next start nor the next
//! program of the same crates need compute it again.

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Stands for all sources that what is kept depends on, as they were compiled into this program.
const FINGERPRINT: &str = env!("GRADUS_FINGERPRINT");

/// A folder for what these very crates compute; none where it can't be made.
static FOLDER: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| folder(&std::env::current_exe().ok()?, FINGERPRINT));

/// `kept/<fingerprint>` in the folder of all programs. What other states of the crates have kept is deleted.
fn folder(program: &Path, fingerprint: &str) -> Option<PathBuf> {
    let folder = program.parent()?;
    // Cargo puts tests into a folder of their own.
    let folder = if folder.ends_with("deps") { folder.parent()? } else { folder };
    let all = folder.join("kept");
    let own = all.join(fingerprint);
    for old in std::fs::read_dir(&all).into_iter().flatten().flatten().filter(|old| old.path() != own) {
        // Whatever is in the way of that is in nobody's way.
        let _ = std::fs::remove_dir_all(old.path());
    }
    std::fs::create_dir_all(&own).ok().map(|()| own)
}

/// The text that these crates have kept under this name, or else what `compute` gives, which is kept.
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
    fn other_crates_have_another_folder_and_the_old_one_goes() {
        let dir = tempfile::tempdir().unwrap();
        let first = folder(&dir.path().join("program"), "first").unwrap();
        assert_eq!(folder(&dir.path().join("deps/test-of-it"), "first").unwrap(), first);
        let second = folder(&dir.path().join("program"), "second").unwrap();
        assert!(second != first && second.is_dir() && !first.exists());
    }
}
