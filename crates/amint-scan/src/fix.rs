//! What fixes change the tree through.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use amint_disk::tree::{DirTree, FileTree, TreeEdit};

use crate::waive::is_waived;
use crate::{CheckError, Context, Profile, ScanRequest};

/// Lines of the ssh server's drop-in: keyword to value and the rule that asks for it.
pub(crate) type SshdLines = BTreeMap<&'static str, (&'static str, &'static str)>;

/// What one rule's fix changes the tree through.
///
/// Every change is confined to the tree and recorded; what a waiver of the rule covers is left alone.
pub struct FixContext<'fix> {
    pub(crate) rule: &'static str,
    pub(crate) edit: &'fix TreeEdit<'fix>,
    pub(crate) request: &'fix ScanRequest,
    pub(crate) sshd_lines: &'fix RefCell<SshdLines>,
}

impl FixContext<'_> {
    /// Makes a view of the tree as it is now.
    pub fn look(&self) -> Context<'_> {
        Context::new(self.tree(), self.request)
    }

    /// Returns the tree.
    pub fn tree(&self) -> &DirTree {
        self.edit.tree()
    }

    /// Returns what was asked for.
    pub fn request(&self) -> &ScanRequest {
        self.request
    }

    /// Tells whether a profile was asked for.
    pub fn has_profile(&self, profile: Profile) -> bool {
        self.request.profiles.contains(&profile)
    }

    /// Asks for a line of the ssh server's drop-in, which is composed after all fixes.
    pub fn set_sshd(&self, keyword: &'static str, value: &'static str) {
        self.sshd_lines.borrow_mut().entry(keyword).or_insert((value, self.rule));
    }

    /// Writes a file that belongs to whom the tree's root belongs to: root, in an operating system.
    pub fn write(&self, path: impl AsRef<Path>, content: &str, mode: u32) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.write_always(path.as_ref(), content, mode)?;
        }
        Ok(())
    }

    /// Writes a file as [`Self::write`] does, whatever is waived, and tells whether that changed anything.
    pub(crate) fn write_always(&self, path: &Path, content: &str, mode: u32) -> Result<bool, CheckError> {
        let owner = self.tree().metadata(Path::new("/"))?;
        if let Some(parent) = path.parent() {
            self.edit.create_dir_all(parent, 0o755, owner.uid, owner.gid)?;
        }
        Ok(self.edit.write_file(path, content.as_bytes(), mode, owner.uid, owner.gid)?)
    }

    /// Replaces the content of an existing file, keeping its mode and owner.
    pub fn replace(&self, path: impl AsRef<Path>, content: &[u8]) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.replace_content(path.as_ref(), content)?;
        }
        Ok(())
    }

    /// Removes a file or link.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.remove_file(path.as_ref())?;
        }
        Ok(())
    }

    /// Removes a folder with all that it holds.
    pub fn remove_tree(&self, path: impl AsRef<Path>) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.remove_dir_all(path.as_ref())?;
        }
        Ok(())
    }

    /// Removes all that a folder holds.
    pub fn empty_dir(&self, path: impl AsRef<Path>) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.remove_contents(path.as_ref())?;
        }
        Ok(())
    }

    /// Empties a file in place.
    pub fn truncate(&self, path: impl AsRef<Path>) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.truncate(path.as_ref())?;
        }
        Ok(())
    }

    /// Makes a folder and those around it.
    pub fn make_dir(&self, path: impl AsRef<Path>) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            let owner = self.tree().metadata(Path::new("/"))?;
            self.edit.create_dir_all(path.as_ref(), 0o755, owner.uid, owner.gid)?;
        }
        Ok(())
    }

    /// Makes a symbolic link.
    pub fn link(&self, target: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.symlink(target.as_ref(), path.as_ref())?;
        }
        Ok(())
    }

    /// Sets permission bits.
    pub fn chmod(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.chmod(path.as_ref(), mode)?;
        }
        Ok(())
    }

    /// Sets owner and group.
    pub fn chown(&self, path: impl AsRef<Path>, uid: u32, gid: u32) -> Result<(), CheckError> {
        if self.is_allowed(path.as_ref()) {
            self.edit.chown(path.as_ref(), uid, gid)?;
        }
        Ok(())
    }

    fn is_allowed(&self, path: &Path) -> bool {
        !is_waived(self.request, self.rule, &path.to_string_lossy())
    }
}
