//! A fingerprint of everything that decides what a figure shows and what a property finds: figures and findings are kept from one build of the
//! book's programs to the next, and between them, as long as it stays the same.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Result;
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // The versions of all libraries, and how the crates are optimised.
    let mut watched = vec![root.join("Cargo.lock"), root.join("Cargo.toml")];
    for krate in sorted(&root.join("crates"))? {
        if krate.ends_with("book") {
            // Of this crate only what draws and runs.
            watched
                .extend(["catalog.rs", "evidence.rs", "figures.rs"].map(|file| krate.join("src").join(file)));
        } else {
            watched.extend(
                ["Cargo.toml", "src", "data"].map(|part| krate.join(part)).into_iter().filter(|p| p.exists()),
            );
        }
    }
    watched.extend(["src", "measured"].map(|part| root.join("benches").join(part)));
    let mut hasher = DefaultHasher::new();
    for name in ["PROFILE", "OPT_LEVEL", "TARGET"] {
        std::env::var(name).ok().hash(&mut hasher);
    }
    for path in watched {
        println!("cargo::rerun-if-changed={}", path.display());
        hash(&path, &mut hasher)?;
    }
    println!("cargo::rustc-env=GRADUS_FINGERPRINT={:016x}", hasher.finish());
    Ok(())
}

/// A file's name and bytes, or those of all files below a folder.
fn hash(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    path.file_name().hash(hasher);
    if path.is_dir() {
        return sorted(path)?.iter().try_for_each(|entry| hash(entry, hasher));
    }
    std::fs::read(path)?.hash(hasher);
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}
