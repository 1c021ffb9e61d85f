//! Files that give their caller more rights: setuid, setgid, file capabilities.

use amint_fs::Kind;
use amint_scan::system::capabilities_text;
use amint_types::scan::Privileged;

use crate::index::Index;

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o010;
const EXECUTE: u32 = 0o111;
/// How many problems are told; the rest is counted.
const PROBLEMS_TOLD: usize = 5;

/// What was found, and how many files could not be asked.
#[derive(Debug, Default)]
pub struct PrivilegedFiles {
    /// The files, without the packages that own them.
    pub files: Vec<Privileged>,
    /// How many files were asked.
    pub asked: u64,
    /// The first files whose attributes could not be read, and a count of the others.
    pub problems: Vec<String>,
}

/// Looks at the mode of every file, and at the attributes of those that can be executed.
pub fn privileged_files(index: &Index) -> PrivilegedFiles {
    let mut found = PrivilegedFiles::default();
    let mut problem_count = 0_usize;
    for (id, entry) in index.iter().filter(|(_, entry)| entry.kind == Kind::File) {
        // Set-group-id without the right to execute once meant a mandatory lock; it gives nothing.
        let is_set =
            entry.mode & SETUID != 0 || entry.mode & (SETGID | GROUP_EXECUTE) == SETGID | GROUP_EXECUTE;
        let mut capabilities = None;
        if entry.mode & EXECUTE != 0 {
            found.asked += 1;
            match index.xattrs(id) {
                Ok(attributes) => {
                    let value = attributes.iter().find(|attribute| attribute.name == b"security.capability");
                    capabilities = value.map(|attribute| {
                        capabilities_text(&attribute.value).unwrap_or_else(|| "in an unknown form".to_owned())
                    });
                }
                Err(error) => {
                    problem_count += 1;
                    if found.problems.len() < PROBLEMS_TOLD {
                        found.problems.push(format!(
                            "{}: {}",
                            index.path_text(id),
                            crate::index::chain(&error)
                        ));
                    }
                }
            }
        }
        if is_set || capabilities.is_some() {
            found.files.push(Privileged {
                path: index.path_text(id),
                mode: format!("{:o}", entry.mode),
                owner: format!("{}:{}", entry.uid, entry.gid),
                capabilities,
                package: None,
            });
        }
    }
    if problem_count > found.problems.len() {
        found.problems.push(format!("and {} more", problem_count - found.problems.len()));
    }
    found
}
