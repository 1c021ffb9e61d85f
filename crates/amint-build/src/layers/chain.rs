//! The steps of one build, each run or taken from its layer.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use amint_types::{Cancel, Digest, DigestWriter};

use super::{Changes, Key, Layer, LayerCache, Step, TreeState, path_of};
use crate::error::BuildError;
use crate::steps::Steps;

/// Folders that nothing of a Debian initramfs comes from, as long as all its hooks are those of packages.
const NOT_IN_INITRAMFS: [&[u8]; 5] = [b"home/", b"opt/", b"root/", b"srv/", b"var/www/"];
/// Folders of hooks and scripts that make the initramfs: with new ones, anything may get into it.
const INITRAMFS_HOOKS: [&[u8]; 4] = [
    b"etc/initramfs-tools/hooks/",
    b"etc/initramfs-tools/scripts/",
    b"usr/share/initramfs-tools/hooks/",
    b"usr/share/initramfs-tools/scripts/",
];

/// A step as it is asked for.
pub(crate) struct Asked<'a> {
    /// Its id: `base`, `run-1`.
    pub(crate) step: &'a str,
    pub(crate) title: &'a str,
    /// Everything that its result depends on, beside the tree before it.
    pub(crate) inputs: &'a [&'a [u8]],
    /// Whether the same inputs give the same result.
    pub(crate) is_repeatable: bool,
}

/// Runs steps on a tree, or takes their results from layers.
pub(crate) struct Chain<'a> {
    cache: Option<&'a LayerCache>,
    tree: &'a Path,
    steps: Steps<'a>,
    cancel: &'a Cancel,
    key: Key,
    /// Whether a step that is not repeatable ran: nothing after it is kept.
    is_open: bool,
    /// Layers that are not in the tree yet.
    pending: Vec<Layer>,
    /// The tree as it is, where it is known.
    state: Option<TreeState>,
    packages: Packages,
}

/// What is remembered of the moment when all packages were installed.
struct Packages {
    key: Option<Key>,
    /// How many pending layers bring them.
    pending: usize,
    state: Option<TreeState>,
}

impl<'a> Chain<'a> {
    pub(crate) fn new(
        cache: Option<&'a LayerCache>,
        tree: &'a Path,
        start: Key,
        steps: Steps<'a>,
        cancel: &'a Cancel,
    ) -> Self {
        Self {
            cache,
            tree,
            steps,
            cancel,
            key: start,
            is_open: false,
            pending: Vec::new(),
            state: Some(TreeState::default()),
            packages: Packages { key: None, pending: 0, state: None },
        }
    }

    /// Runs a step unless its layer is there; returns what it noted. The work returns a note and, for people, what came
    /// out in few words.
    pub(crate) fn step(
        &mut self,
        asked: &Asked<'_>,
        work: impl FnOnce() -> Result<(String, String), BuildError>,
    ) -> Result<String, BuildError> {
        self.key = self.key.then(&[asked.step.as_bytes()]).then(asked.inputs);
        self.is_open |= !asked.is_repeatable;
        let cache = self.cache.filter(|_| !self.is_open);
        if let Some(layer) = cache.and_then(|cache| cache.find(self.key)) {
            self.steps.reused(asked.step, asked.title, layer.elapsed());
            let note = layer.note().to_owned();
            self.pending.push(layer);
            return Ok(note);
        }
        self.bring()?;
        let started = Instant::now();
        let note = self.steps.run(asked.step, asked.title, work)?;
        let elapsed = started.elapsed();
        let before = self.state.take();
        if let (Some(cache), Some(before)) = (cache, before) {
            let now = self.look()?;
            let step = Step { key: self.key, title: asked.title, note: note.clone(), elapsed };
            self.keep(cache, step, &now.changes_since(&before))?;
            self.state = Some(now);
        }
        Ok(note)
    }

    /// Marks the moment when all packages are installed.
    pub(crate) fn packages_are_there(&mut self) {
        self.packages =
            Packages { key: Some(self.key), pending: self.pending.len(), state: self.state.clone() };
    }

    /// Brings all layers that are waited for into the tree.
    pub(crate) fn bring(&mut self) -> Result<(), BuildError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let layers = std::mem::take(&mut self.pending);
        let (tree, cancel) = (self.tree, self.cancel);
        let state = self.steps.run("restore", "Restoring what is reused", || {
            let mut bytes = 0;
            let mut packages = None;
            for (index, layer) in layers.iter().enumerate() {
                layer.restore(tree, cancel).map_err(|source| {
                    if cancel.is_cancelled() {
                        return BuildError::Cancelled(amint_types::Cancelled);
                    }
                    // The next try does not find it.
                    let _ = layer.remove();
                    BuildError::DamagedLayer { source }
                })?;
                bytes += layer.bytes();
                if index + 1 == self.packages.pending {
                    packages = Some(look(tree)?);
                }
            }
            let detail = format!("{} layers, {}", layers.len(), amint_types::format_bytes(bytes));
            Ok((packages, detail))
        })?;
        if state.is_some() {
            self.packages.state = state;
        }
        self.state = Some(self.look()?);
        Ok(())
    }

    /// Makes the initramfs, or takes it from its layer. It depends on the packages and on whatever changed since in a
    /// place that it may take something from.
    pub(crate) fn initramfs(
        &mut self,
        asked: &Asked<'_>,
        work: impl FnOnce() -> Result<(String, String), BuildError>,
    ) -> Result<String, BuildError> {
        self.bring()?;
        let (Some(cache), Some(packages), Some(then)) =
            (self.cache, self.packages.key, self.packages.state.take())
        else {
            return self.steps.run(asked.step, asked.title, work);
        };
        let now = self.look()?;
        let digest = self.digest_of_changes(&now.changes_since(&then))?;
        let key = packages.then(&[asked.step.as_bytes(), digest.to_string().as_bytes()]).then(asked.inputs);
        if let Some(layer) = cache.find(key) {
            layer.restore(self.tree, self.cancel).map_err(|source| {
                let _ = layer.remove();
                BuildError::DamagedLayer { source }
            })?;
            self.steps.reused(asked.step, asked.title, layer.elapsed());
            return Ok(layer.note().to_owned());
        }
        let started = Instant::now();
        let note = self.steps.run(asked.step, asked.title, work)?;
        let step = Step { key, title: asked.title, note: note.clone(), elapsed: started.elapsed() };
        let after = self.look()?;
        self.keep(cache, step, &after.changes_since(&now))?;
        Ok(note)
    }

    fn keep(&self, cache: &LayerCache, step: Step<'_>, changes: &Changes) -> Result<(), BuildError> {
        match cache.save(step, self.tree, changes, self.cancel) {
            Ok(_) => Ok(()),
            Err(_) if self.cancel.is_cancelled() => Err(amint_types::Cancelled.into()),
            // The image does not need it; the next build takes longer.
            Err(error) => {
                self.steps.sink.warn(&format!("a layer could not be kept for later builds: {error}"), None);
                Ok(())
            }
        }
    }

    fn look(&self) -> Result<TreeState, BuildError> {
        look(self.tree)
    }

    /// Digests what an initramfs may take from changed paths: content, mode and owner, not times.
    fn digest_of_changes(&self, changes: &Changes) -> Result<Digest, BuildError> {
        let all: BTreeSet<&Vec<u8>> = changes.changed.iter().chain(&changes.removed).collect();
        let is_below = |path: &[u8], folders: &[&[u8]]| folders.iter().any(|folder| path.starts_with(folder));
        let has_hooks = all.iter().any(|path| is_below(path, &INITRAMFS_HOOKS));
        let mut writer = DigestWriter::new();
        for path in all.into_iter().filter(|path| has_hooks || !is_below(path, &NOT_IN_INITRAMFS)) {
            let full = self.tree.join(path_of(path));
            let described = describe(&full).map_err(|source| BuildError::Work { path: full, source })?;
            writer.update(format!("{}\n", path.len()).as_bytes());
            writer.update(path);
            writer.update(described.as_bytes());
        }
        Ok(writer.finish())
    }
}

fn look(tree: &Path) -> Result<TreeState, BuildError> {
    TreeState::of(tree).map_err(|source| BuildError::Work { path: tree.to_owned(), source })
}

fn describe(path: &Path) -> io::Result<String> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok("gone\n".to_owned()),
        Err(error) => return Err(error),
    };
    let content = if metadata.is_file() {
        let mut writer = DigestWriter::new();
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match io::Read::read(&mut file, &mut buffer)? {
                0 => break writer.finish().to_string(),
                count => writer.update(&buffer[..count]),
            }
        }
    } else if metadata.is_symlink() {
        Digest::of(fs::read_link(path)?.as_os_str().as_bytes()).to_string()
    } else {
        String::new()
    };
    Ok(format!("{:o} {} {} {content}\n", metadata.mode(), metadata.uid(), metadata.gid()))
}
