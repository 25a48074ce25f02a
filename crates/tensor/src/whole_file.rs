//! Files that are written whole or not at all.

use crate::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes a file: into a new one beside, which then takes the old one's place.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("notes.txt");
/// gradus_tensor::write_whole(&file, b"to be kept")?;
/// assert_eq!(std::fs::read(&file)?, b"to be kept");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file can't be written; what stood there before stays.
pub fn write_whole(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let failed = |why: &dyn ToString| Error::File { file: path.display().to_string(), why: why.to_string() };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = beside(folder, path).map_err(|e| failed(&e))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    // The new name is on the disk only when the folder is: a machine that loses its power then may have either file, whole.
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| failed(&e))?;
    Ok(())
}

/// A new file in `folder`, with the permissions that any new file gets: a temporary one would be its owner's alone. What a killed
/// process leaves behind can be told by its name, `.weights.safetensors.XXXXXX.partial`.
fn beside(folder: &Path, path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // less the umask
    }
    builder.tempfile_in(folder)
}
