//! Files that are there whole or not at all, for one's own eyes where that matters.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of a key.
pub(crate) const KEY: usize = 32;

/// Writes beside and renames over, so that no reader ever sees half a file. Only its owner can read it.
pub(crate) fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let beside = write_beside(path, parts)?;
    std::fs::rename(&beside, path).inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// As [`write`], for files that others may read: one that is there stays as readable as it is.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = write_beside_with(path, &[text.as_bytes()], OpenOptions::new())?;
    let kept = std::fs::metadata(path).map(|old| std::fs::set_permissions(&beside, old.permissions()));
    let moved = kept.unwrap_or(Ok(())).and_then(|()| std::fs::rename(&beside, path));
    moved.inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// As [`write`], but whoever comes first wins: an existing file stays, and that is no error.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = write_beside(path, &[bytes])?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The key in a file, made at first use. Whichever process writes it first, all use that one.
pub(crate) fn key(path: &Path) -> io::Result<[u8; KEY]> {
    let known = || std::fs::read(path).and_then(|bytes| bytes.try_into().map_err(|_| io::Error::other("not a key")));
    if let Ok(key) = known() {
        return Ok(key);
    }
    create(path, &new_key()?)?;
    known()
}

/// Random bytes.
pub(crate) fn new_key() -> io::Result<[u8; KEY]> {
    let mut key = [0; KEY];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    Ok(key)
}

/// A text file's content; nothing if there is no such file.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        outcome => outcome,
    }
}

/// As [`read_text`], for a file that others have a say in: never more than `largest` bytes, and never what is no file,
/// since reading that may not end.
pub(crate) fn read_foreign(path: &Path, largest: u64) -> io::Result<Option<String>> {
    use std::io::Read;
    let metadata = match std::fs::metadata(path) {
        Err(error) if is_absent(&error) => return Ok(None),
        metadata => metadata?,
    };
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    File::open(path)?.take(largest + 1).read_to_string(&mut text)?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= largest => Ok(Some(text)),
        _ => Err(io::Error::other(format!("it is larger than {largest} bytes"))),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Creates a folder of kosmo's own that only its owner can enter, or closes one that others could.
#[cfg(unix)]
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    new_folder(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// Creates the folder that a person chose for everything, for its owner alone. One that is there may hold more than
/// kosmo's files and stays as it is; where everybody could put a file in the place of another, nothing is kept.
#[cfg(unix)]
pub(crate) fn home(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    new_folder(folder)?;
    check_alone(folder, std::fs::metadata(folder)?.permissions().mode())
}

/// Whether something could be kept in the home as it is, or as it would be made.
#[cfg(unix)]
pub(crate) fn check_home(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let metadata = match std::fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    check_alone(folder, metadata.mode())?;
    let user = rustix::process::geteuid();
    // Whoever is in its group may write there if anybody may who does not own it.
    let written = if metadata.uid() == user.as_raw() { 0o200 } else { 0o020 };
    if user.is_root() || metadata.mode() & written != 0 { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Whether not everybody can change what is in a folder.
#[cfg(unix)]
fn check_alone(folder: &Path, mode: u32) -> io::Result<()> {
    if mode & 0o002 == 0 {
        return Ok(());
    }
    let folder = folder.display();
    let told = format!("everybody can change what is in {folder} (as its owner, run: chmod o-w {folder})");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, told))
}

#[cfg(unix)]
fn new_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Creates a folder.
#[cfg(not(unix))]
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Creates a folder.
#[cfg(not(unix))]
pub(crate) fn home(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Finds out when something is kept.
#[cfg(not(unix))]
pub(crate) fn check_home(_: &Path) -> io::Result<()> {
    Ok(())
}

/// How it is told that a file of the home cannot be made or changed.
pub(crate) fn unwritable(file: &Path, error: &dyn std::fmt::Display) -> String {
    let file = file.display();
    format!("Cannot write {file}: {error}. Let the kosmo home be yours to write, or set KOSMO_HOME.")
}

/// Takes away what others than the owner may do with a file.
pub(crate) fn close(path: &Path) -> io::Result<()> {
    forbid(path, 0o077)
}

/// Takes everything from others than the owner, if they may do any of this (as `chmod` has it). An absent file is closed.
#[cfg(unix)]
pub(crate) fn forbid(path: &Path, forbidden: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?.permissions().mode(),
    };
    if mode & forbidden == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700))
}

/// Leaves a file as it is.
#[cfg(not(unix))]
pub(crate) fn forbid(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Opens a file of which the end can be read and added to. If it is made, only its owner can read it.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    private_options().read(true).append(true).create(true).open(path)
}

/// Whether an open file is in no folder any more.
#[cfg(unix)]
pub(crate) fn is_deleted(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// Whether an open file is in no folder any more, which only some systems allow.
#[cfg(not(unix))]
pub(crate) fn is_deleted(_: &File) -> bool {
    false
}

fn write_beside(path: &Path, parts: &[&[u8]]) -> io::Result<PathBuf> {
    write_beside_with(path, parts, private_options())
}

fn write_beside_with(path: &Path, parts: &[&[u8]], mut options: OpenOptions) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let beside = path.with_extension(format!("{:016x}", u64::from_le_bytes(random)));
    let mut file = options.write(true).create_new(true).open(&beside)?;
    let written = parts.iter().try_for_each(|part| file.write_all(part));
    match written {
        Ok(()) => Ok(beside),
        Err(error) => {
            let _ = std::fs::remove_file(&beside);
            Err(error)
        }
    }
}

#[cfg(unix)]
fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_options() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_create_a_file_wins_and_nothing_stays_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        create(&path, b"one").expect("created");
        create(&path, b"two").expect("kept");
        assert_eq!(read_text(&path).expect("text"), "one");
        write(&path, &[b"th", b"ree"]).expect("replaced");
        assert_eq!(read_text(&path).expect("text"), "three");
        assert_eq!(read_text(&folder.path().join("absent")).expect("nothing"), "");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
