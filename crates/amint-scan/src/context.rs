//! What rules look through.

use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use amint_disk::tree::{Attribute, DirEntry, FileTree, Metadata, TreeError};

use crate::facts::accounts::Accounts;
use crate::facts::cloud::CloudConfig;
use crate::facts::homes;
use crate::facts::secrets::FoundSecrets;
use crate::facts::sshd::SshdConfig;
use crate::facts::sweep;
use crate::{CheckError, Profile, ScanRequest};

/// The largest configuration file that is read.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// What rules look through: the tree, the request, and facts that several rules need, each gathered once.
pub struct Context<'scan> {
    tree: &'scan dyn FileTree,
    request: &'scan ScanRequest,
    read: RefCell<BTreeSet<PathBuf>>,
    accounts: OnceCell<Result<Accounts, CheckError>>,
    homes: OnceCell<Result<Vec<PathBuf>, CheckError>>,
    sshd: OnceCell<Result<Option<SshdConfig>, CheckError>>,
    cloud: OnceCell<Result<Option<CloudConfig>, CheckError>>,
    facts: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
}

impl<'scan> Context<'scan> {
    /// Makes a context in which nothing is known yet.
    pub fn new(tree: &'scan dyn FileTree, request: &'scan ScanRequest) -> Self {
        Self {
            tree,
            request,
            read: RefCell::default(),
            accounts: OnceCell::new(),
            homes: OnceCell::new(),
            sshd: OnceCell::new(),
            cloud: OnceCell::new(),
            facts: RefCell::default(),
        }
    }

    /// Returns the tree.
    pub fn tree(&self) -> &'scan dyn FileTree {
        self.tree
    }

    /// Returns what was asked for.
    pub fn request(&self) -> &'scan ScanRequest {
        self.request
    }

    /// Tells whether a profile was asked for.
    pub fn has_profile(&self, profile: Profile) -> bool {
        self.request.profiles.contains(&profile)
    }

    /// Returns how many different files were read so far.
    pub fn files(&self) -> u64 {
        self.read.borrow().len() as u64
    }

    /// Notes that a file was read by other means than [`Self::read`].
    pub(crate) fn note_read(&self, path: &Path) {
        self.read.borrow_mut().insert(path.to_owned());
    }

    /// Reads a file; none when there is none.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, CheckError> {
        let content = missing_is_none(self.tree.read(path, FILE_BYTES_MAX))?;
        if content.is_some() {
            self.note_read(path);
        }
        Ok(content)
    }

    /// Reads a file as text, with what is no text replaced; none when there is none.
    pub fn text(&self, path: impl AsRef<Path>) -> Result<Option<String>, CheckError> {
        let content = self.read(path.as_ref())?;
        Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Tells what is known of a path without following a link at its end; none when nothing is there.
    pub fn metadata(&self, path: impl AsRef<Path>) -> Result<Option<Metadata>, CheckError> {
        missing_is_none(self.tree.metadata(path.as_ref()))
    }

    /// Tells what is known of what a path leads to; none when it leads nowhere.
    pub fn metadata_following(&self, path: impl AsRef<Path>) -> Result<Option<Metadata>, CheckError> {
        match missing_is_none(self.tree.resolve(path.as_ref()))? {
            Some(resolved) => self.metadata(resolved),
            None => Ok(None),
        }
    }

    /// Tells whether a path leads to something.
    pub fn exists(&self, path: impl AsRef<Path>) -> Result<bool, CheckError> {
        Ok(self.metadata_following(path)?.is_some())
    }

    /// Returns the extended attributes of a path; none where the tree does not know them or nothing is there.
    pub(crate) fn attributes(&self, path: &Path) -> Result<Option<Vec<Attribute>>, CheckError> {
        Ok(missing_is_none(self.tree.attributes(path))?.flatten())
    }

    /// Lists a folder; a missing folder is an empty one.
    pub fn list(&self, path: impl AsRef<Path>) -> Result<Vec<DirEntry>, CheckError> {
        Ok(missing_is_none(self.tree.read_dir(path.as_ref()))?.unwrap_or_default())
    }

    /// Returns a fact that several rules need; the first that asks gathers it.
    ///
    /// One value of each type is kept. A fact that could not be gathered stays so for all that ask.
    ///
    /// # Errors
    /// Fails as `load` did.
    pub fn fact<T: 'static>(
        &self,
        load: impl FnOnce(&Self) -> Result<T, CheckError>,
    ) -> Result<Rc<T>, CheckError> {
        let known = self.facts.borrow().get(&TypeId::of::<T>()).cloned();
        if let Some(fact) = known.and_then(|fact| fact.downcast::<Result<Rc<T>, CheckError>>().ok()) {
            return Result::clone(&fact);
        }
        // Facts may be made of other facts: nothing is borrowed while one is gathered.
        let fact = load(self).map(Rc::new);
        self.facts.borrow_mut().insert(TypeId::of::<T>(), Rc::new(fact.clone()));
        fact
    }

    /// Takes a fact that is known before anything asks for it.
    pub(crate) fn know<T: 'static>(&self, fact: T) {
        let fact: Result<Rc<T>, CheckError> = Ok(Rc::new(fact));
        self.facts.borrow_mut().insert(TypeId::of::<T>(), Rc::new(fact));
    }

    /// Returns the accounts.
    pub(crate) fn accounts(&self) -> Result<&Accounts, CheckError> {
        self.accounts.get_or_init(|| Accounts::load(self)).as_ref().map_err(Clone::clone)
    }

    /// Returns every folder that is somebody's home, sorted.
    pub(crate) fn homes(&self) -> Result<&[PathBuf], CheckError> {
        self.homes.get_or_init(|| homes::load(self)).as_deref().map_err(Clone::clone)
    }

    /// Returns the configuration of the ssh server; none when there is no ssh server.
    pub(crate) fn sshd(&self) -> Result<Option<&SshdConfig>, CheckError> {
        self.sshd.get_or_init(|| SshdConfig::load(self)).as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// Returns the configuration of cloud-init; none when it is not installed.
    pub(crate) fn cloud(&self) -> Result<Option<&CloudConfig>, CheckError> {
        self.cloud.get_or_init(|| CloudConfig::load(self)).as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// Returns the secrets in the files.
    pub(crate) fn secrets(&self) -> Result<Rc<FoundSecrets>, CheckError> {
        self.fact(sweep::load)
    }
}

fn missing_is_none<T>(result: Result<T, TreeError>) -> Result<Option<T>, CheckError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
