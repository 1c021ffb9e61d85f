//! All cases and bases.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::format::Parts;
use crate::{Case, CorpusError, MemoryTree};

/// The folder of the bases.
const BASES: &str = "bases";
/// How many bases may stand on each other.
const BASE_DEPTH_MAX: usize = 4;

/// All cases, by name, and the trees that they stand on.
#[derive(Clone, Debug)]
pub struct Corpus {
    cases: Vec<Case>,
    bases: BTreeMap<String, Base>,
}

#[derive(Clone, Debug)]
struct Base {
    tree: MemoryTree,
    /// The rules that rightly object to the base itself.
    objections: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaseHeader {
    /// The base that this one changes.
    base: Option<String>,
    /// The rules that rightly object to the base itself.
    #[serde(default)]
    objections: Vec<String>,
}

impl Corpus {
    /// Returns the folder in which the corpus of this repository stands.
    pub fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../amint-scan/corpus")
    }

    /// Reads all cases and bases below a folder.
    pub fn load(folder: &Path) -> Result<Self, CorpusError> {
        let mut texts = BTreeMap::new();
        for group in list(folder)? {
            if !group.is_dir() {
                continue;
            }
            for file in list(&group)? {
                let text = fs::read_to_string(&file).map_err(|source| failed(&file, source))?;
                texts.insert((stem(&group), stem(&file)), text);
            }
        }
        let mut parts = BTreeMap::new();
        let mut cases = Vec::new();
        for ((group, name), text) in &texts {
            let full = format!("{group}/{name}");
            if group == BASES {
                parts.insert(name.clone(), Parts::parse(&full, text)?);
            } else {
                cases.push(Case::parse(&full, text)?);
            }
        }
        let mut bases = BTreeMap::new();
        for name in parts.keys() {
            bases.insert(name.clone(), build_base(name, &parts, 0)?);
        }
        Ok(Self { cases, bases })
    }

    /// Returns all cases, by name; the first are the bases alone.
    pub fn cases(&self) -> impl Iterator<Item = Case> {
        self.bases
            .iter()
            .map(|(name, base)| Case::of_base(name, &base.objections))
            .chain(self.cases.iter().cloned())
    }

    /// Returns the tree that a case stands on.
    pub fn base(&self, case: &Case) -> Result<&MemoryTree, CorpusError> {
        let base = &case.header.base;
        self.bases
            .get(base)
            .map(|base| &base.tree)
            .ok_or_else(|| CorpusError::Base { name: case.name.clone(), base: base.clone() })
    }

    /// Builds the tree of a case.
    pub fn tree(&self, case: &Case) -> Result<MemoryTree, CorpusError> {
        let mut tree = self.base(case)?.clone();
        for entry in &case.entries {
            entry.apply(&mut tree)?;
        }
        Ok(tree)
    }
}

fn build_base(name: &str, all: &BTreeMap<String, Parts>, depth: usize) -> Result<Base, CorpusError> {
    let text = format!("{BASES}/{name}");
    let parts = match all.get(name) {
        Some(parts) if depth < BASE_DEPTH_MAX => parts,
        _ => return Err(CorpusError::Base { name: text, base: name.to_owned() }),
    };
    let header: BaseHeader = toml::from_str(&parts.header)
        .map_err(|source| CorpusError::Header { name: text, source: Box::new(source) })?;
    let mut tree = match header.base {
        Some(below) => build_base(&below, all, depth + 1)?.tree,
        None => MemoryTree::default(),
    };
    for entry in &parts.entries {
        entry.apply(&mut tree)?;
    }
    Ok(Base { tree, objections: header.objections })
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let entries = fs::read_dir(folder).map_err(|source| failed(folder, source))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(|source| failed(folder, source))
}

fn failed(path: &Path, source: std::io::Error) -> CorpusError {
    CorpusError::Read { path: path.to_owned(), source: Arc::new(source) }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
