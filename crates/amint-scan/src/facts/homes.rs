//! Where people's files may lie.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amint_disk::tree::FileKind;

use crate::{CheckError, Context};

/// Lists every folder that is somebody's home: those of all accounts, `/root`, all of `/home`, and the
/// skeleton that new homes are copied from.
pub(crate) fn load(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut homes: BTreeSet<PathBuf> = ["/root", "/etc/skel"].map(PathBuf::from).into();
    homes.extend(cx.accounts()?.users.iter().map(|user| PathBuf::from(&user.home)));
    for entry in cx.list("/home")? {
        if entry.kind == FileKind::Directory {
            homes.insert(Path::new("/home").join(entry.name));
        }
    }
    let mut found = Vec::new();
    for home in homes.into_iter().filter(|home| home.is_absolute()) {
        if cx.metadata_following(&home)?.is_some_and(|metadata| metadata.is_dir()) {
            found.push(home);
        }
    }
    Ok(found)
}
