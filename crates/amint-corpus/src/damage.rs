//! Damage to files, as disks and hostile people do it.

use std::path::PathBuf;

use crate::numbers::Numbers;
use crate::{Case, Corpus, CorpusError, MemoryTree};

/// How large damage may make a file.
const DAMAGED_BYTES_MAX: usize = 1 << 20;

impl Corpus {
    /// Builds the tree of a case and damages every file that the case brings; the same seed does the same damage.
    pub fn damaged_tree(&self, case: &Case, seed: &str) -> Result<MemoryTree, CorpusError> {
        let mut tree = self.tree(case)?;
        let mut numbers = Numbers::new(&format!("{seed} {}", case.name));
        let paths: Vec<PathBuf> = case.entries.iter().map(|entry| entry.path().to_owned()).collect();
        for path in paths {
            if let Some(content) = tree.content_mut(&path) {
                damage(content, &mut numbers);
            }
        }
        Ok(tree)
    }
}

fn damage(content: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(content.len() + 1);
    match numbers.below(7) {
        0 => content.truncate(at),
        1 => {
            for _ in 0..=content.len() / 50 {
                let at = numbers.below(content.len());
                if let Some(byte) = content.get_mut(at) {
                    *byte = u8::try_from(numbers.below(256)).unwrap_or(0);
                }
            }
        }
        2 => drop(content.splice(at..at, [0xff, 0x00, 0xc3, 0x28, b'\n'])),
        3 => content.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b'\r'),
        4 => {
            // One name, sign or bracket too often.
            let end = (at + numbers.below(12)).min(content.len());
            let piece = content[at..end].repeat(1 + numbers.below(5000));
            drop(content.splice(at..at, piece.into_iter().take(DAMAGED_BYTES_MAX)));
        }
        5 => content.retain(|byte| !b"'\"{}[]=:".contains(byte)),
        _ => content.reverse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_damage_is_done_and_is_always_the_same() {
        let damaged = |seed: usize| {
            let mut content = b"PermitRootLogin = \"no\"\nUsePAM yes\n".to_vec();
            damage(&mut content, &mut Numbers::new(&seed.to_string()));
            content
        };
        let all: std::collections::BTreeSet<Vec<u8>> = (0..100).map(damaged).collect();
        assert!(all.len() > 30, "{}", all.len());
        assert_eq!(damaged(7), damaged(7));
    }
}
