//! How long steps took in earlier runs: what a plan estimates from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use amint_types::report::StepTime;

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Most images that are remembered.
const IMAGE_COUNT_MAX: usize = 200;

/// Milliseconds by step, by image.
#[derive(Debug, Default)]
pub(crate) struct Times(BTreeMap<String, BTreeMap<String, u64>>);

impl Times {
    /// Reads what is remembered; nothing where that cannot be read, because it only serves estimates.
    pub(crate) fn read(home: &Path) -> Self {
        let path = file(home);
        let is_small = path.metadata().is_ok_and(|metadata| metadata.len() <= FILE_BYTES_MAX);
        let text = is_small.then(|| fs::read(&path).ok()).flatten().unwrap_or_default();
        Self(serde_json::from_slice(&text).unwrap_or_default())
    }

    /// Returns how long a step of an image took last time, or that of any other image.
    pub(crate) fn of(&self, image: &str, step: &str) -> Option<u64> {
        let own = self.0.get(image).and_then(|steps| steps.get(step));
        own.or_else(|| self.0.values().find_map(|steps| steps.get(step))).copied()
    }

    /// Remembers the steps of a run.
    pub(crate) fn remember(mut self, home: &Path, image: &str, steps: &[StepTime]) -> io::Result<()> {
        let own = self.0.entry(image.to_owned()).or_default();
        for step in steps {
            own.insert(step.step.clone(), step.elapsed_ms);
        }
        while self.0.len() > IMAGE_COUNT_MAX {
            self.0.pop_first();
        }
        let path = file(home);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let temporary = path.with_extension(format!("{}.new", std::process::id()));
        fs::write(&temporary, serde_json::to_vec(&self.0)?)?;
        fs::rename(&temporary, &path)
    }
}

fn file(home: &Path) -> PathBuf {
    home.join("cache/times.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_run_of_each_image() {
        let home = tempfile::tempdir().unwrap();
        let step = |elapsed_ms| StepTime {
            step: "base".to_owned(),
            title: "Base".to_owned(),
            elapsed_ms,
            detail: None,
        };
        Times::read(home.path()).remember(home.path(), "a", &[step(5)]).unwrap();
        Times::read(home.path()).remember(home.path(), "b", &[step(7)]).unwrap();
        let times = Times::read(home.path());
        assert_eq!(
            [times.of("a", "base"), times.of("b", "base"), times.of("c", "base")],
            [Some(5), Some(7), Some(5)]
        );
        assert_eq!(times.of("a", "store"), None);
        fs::write(file(home.path()), "nonsense").unwrap();
        assert_eq!(Times::read(home.path()).of("a", "base"), None);
    }
}
