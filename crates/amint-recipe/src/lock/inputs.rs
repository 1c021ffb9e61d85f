//! Digests of the files of this machine that reach the image, or that decide what does.
//!
//! A digest changes exactly when the image could: what the build takes of a source is names, kinds, contents, the
//! targets of links and whether files may be executed; owners and all other modes are the recipe's, times are
//! normalised. Where `[[files]]` set a `mode`, executable or not makes no difference and does not count.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use amint_types::{Digest, DigestWriter};

use super::frames::Frames;
use super::model::{InputKind, LockedInput};
use crate::diagnostic::Diagnostics;
use crate::load::RecipeFile;
use crate::problems::{Flaw, Problems};
use crate::section::RunAction;
use crate::source::{Item, SOURCE_BYTES_MAX, open_file, too_large, unreadable, walk};
use crate::validate_files::{KEYRING_BYTES_MAX, SCRIPT_BYTES_MAX};

/// Computes the digests of all files, folders, scripts and keyrings that the recipe names, by kind and path.
///
/// # Errors
/// Fails with one diagnostic for each path of the recipe that cannot be read.
pub fn hash_inputs(file: &RecipeFile) -> Result<Vec<LockedInput>, Diagnostics> {
    let mut problems = Problems::new(&file.text);
    let mut inputs = Vec::new();
    for ((role, path), wanted) in wanted(file) {
        match wanted.hash(role, &file.resolve(Path::new(path)), path) {
            Ok(input) => inputs.push(input),
            Err(flaw) => problems.push(flaw.at(wanted.span)),
        }
    }
    if problems.has_errors() {
        return Err(problems.finish(&file.path));
    }
    inputs.sort_by(|left, right| (left.kind, &left.path).cmp(&(right.kind, &right.path)));
    Ok(inputs)
}

/// What the recipe uses a path for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Source,
    Script,
    Keyring,
}

struct Wanted {
    span: Range<usize>,
    /// Whether it makes a difference that a file may be executed.
    is_mode_kept: bool,
}

/// Returns every path of the recipe once for each role; a path that is used twice counts by its stricter use.
fn wanted(file: &RecipeFile) -> BTreeMap<(Role, &str), Wanted> {
    let (recipe, places) = (&file.recipe, &file.recipe.places);
    let keyrings =
        recipe.base.keyring.iter().map(|path| (Role::Keyring, path, false, places.keyring.as_ref()));
    let vendors = recipe.repositories.iter().enumerate().map(|(index, repository)| {
        (Role::Keyring, &repository.keyring, false, places.repositories.get(index))
    });
    let sources =
        recipe.files.iter().enumerate().map(|(index, entry)| {
            (Role::Source, &entry.source, entry.mode.is_none(), places.files.get(index))
        });
    let scripts = recipe.run.iter().enumerate().filter_map(|(index, run)| match &run.action {
        RunAction::Script(script) => Some((Role::Script, script, true, places.run.get(index))),
        RunAction::Command(_) => None,
    });
    let mut all = BTreeMap::new();
    for (role, path, is_mode_kept, span) in keyrings.chain(vendors).chain(sources).chain(scripts) {
        // Paths come out of the recipe's text, so that none is lost here.
        let Some(path) = path.to_str() else { continue };
        let span = span.cloned().unwrap_or_default();
        all.entry((role, path)).or_insert(Wanted { span, is_mode_kept }).is_mode_kept |= is_mode_kept;
    }
    all
}

impl Wanted {
    fn hash(&self, role: Role, path: &Path, written: &str) -> Result<LockedInput, Flaw> {
        let (kind, bytes_max) = match role {
            Role::Keyring => (InputKind::Keyring, KEYRING_BYTES_MAX),
            Role::Script => (InputKind::Script, SCRIPT_BYTES_MAX),
            Role::Source => {
                // What the recipe names may be a link, here as in the build.
                let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
                if metadata.is_dir() {
                    return self.hash_folder(path, written);
                }
                (InputKind::File, SOURCE_BYTES_MAX)
            }
        };
        let (mut file, metadata) = open_file(path)?;
        let (sha256, bytes) = hash_content(&mut file, path, bytes_max)?;
        let is_executable = self.is_mode_kept && is_executable(&metadata);
        Ok(LockedInput { kind, path: written.to_owned(), sha256, bytes, files: 1, is_executable })
    }

    fn hash_folder(&self, path: &Path, written: &str) -> Result<LockedInput, Flaw> {
        let mut frames = Frames::new("amint folder 1");
        let (mut bytes, mut files) = (0_u64, 0_u64);
        walk(path, &mut |relative, item| {
            let name = relative.as_os_str().as_bytes();
            match item {
                Item::Folder => {
                    frames.add(b"folder");
                    frames.add(name);
                    return Ok(());
                }
                Item::Link(target) => {
                    frames.add(b"link");
                    frames.add(name);
                    frames.add(target.as_os_str().as_bytes());
                }
                Item::File(mut file, metadata) => {
                    let (digest, size) = hash_content(&mut file, &path.join(relative), SOURCE_BYTES_MAX)?;
                    let is_executable = self.is_mode_kept && is_executable(&metadata);
                    frames.add(if is_executable { b"executable" } else { b"file" });
                    frames.add(name);
                    frames.add(digest.as_bytes());
                    bytes = bytes.saturating_add(size);
                }
            }
            files += 1;
            Ok(())
        })?;
        let path = written.to_owned();
        let sha256 = frames.finish();
        Ok(LockedInput { kind: InputKind::Folder, path, sha256, bytes, files, is_executable: false })
    }
}

/// Tells whether the build would copy or start a file as an executable one.
fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

/// Reads a file to its end, however much it grows meanwhile, up to a limit.
fn hash_content(file: &mut File, path: &Path, bytes_max: u64) -> Result<(Digest, u64), Flaw> {
    let mut digest = DigestWriter::new();
    let bytes =
        io::copy(&mut file.take(bytes_max + 1), &mut digest).map_err(|error| unreadable(path, &error))?;
    if bytes > bytes_max { Err(too_large(path, bytes_max)) } else { Ok((digest.finish(), bytes)) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::recipe::parse;

    const SITE: &str = "[[files]]\nsource = \"site/\"\ntarget = \"/srv\"\n";

    fn try_hash(folder: &Path, section: &str) -> Result<Vec<LockedInput>, Diagnostics> {
        let text =
            format!("[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n{section}");
        let path = folder.join("amint.toml");
        let recipe = parse(&text, &path).unwrap();
        hash_inputs(&RecipeFile { path, text, recipe })
    }

    fn hash(folder: &Path, section: &str) -> Vec<LockedInput> {
        try_hash(folder, section).unwrap()
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn site() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("site/css")).unwrap();
        fs::write(folder.path().join("site/index.html"), "<p>").unwrap();
        fs::write(folder.path().join("site/css/a.css"), "p {}").unwrap();
        symlink("index.html", folder.path().join("site/home")).unwrap();
        folder
    }

    #[test]
    fn digests_of_single_files_are_those_of_their_content() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "abc").unwrap();
        fs::write(folder.path().join("b.sh"), "echo\n").unwrap();
        fs::write(folder.path().join("keys.gpg"), "key").unwrap();
        let section = "keyring = \"keys.gpg\"\n[[files]]\nsource = \"a\"\ntarget = \"/a\"\n[[run]]\nscript = \"b.sh\"\n";
        let inputs = hash(folder.path(), section);
        let found: Vec<_> =
            inputs.iter().map(|input| (input.kind, input.path.as_str(), input.bytes)).collect();
        assert_eq!(
            found,
            [(InputKind::File, "a", 3), (InputKind::Script, "b.sh", 5), (InputKind::Keyring, "keys.gpg", 3)]
        );
        assert_eq!(inputs[0].sha256, Digest::of(b"abc"));
        assert!(inputs.iter().all(|input| input.files == 1 && !input.is_executable));
    }

    #[test]
    fn folders_change_with_all_that_reaches_the_image() {
        let folder = site();
        let path = |name: &str| folder.path().join("site").join(name);
        let mut seen = vec![hash(folder.path(), SITE).remove(0)];
        assert_eq!((seen[0].kind, seen[0].files, seen[0].bytes), (InputKind::Folder, 3, 7));
        let mut changed = |what: &str| {
            let now = hash(folder.path(), SITE).remove(0);
            assert!(seen.iter().all(|before| before.sha256 != now.sha256), "{what}");
            seen.push(now);
        };
        fs::write(path("index.html"), "<b>").unwrap();
        changed("content");
        fs::rename(path("css/a.css"), path("css/b.css")).unwrap();
        changed("name");
        chmod(&path("css/b.css"), 0o755);
        changed("executable");
        fs::remove_file(path("home")).unwrap();
        symlink("css", path("home")).unwrap();
        changed("link");
        fs::remove_file(path("home")).unwrap();
        fs::write(path("home"), "css").unwrap();
        changed("a file in place of a link");
        fs::create_dir(path("empty")).unwrap();
        changed("an empty folder");
    }

    #[test]
    fn folders_do_not_change_with_what_the_build_leaves_out() {
        let folder = site();
        let path = |name: &str| folder.path().join("site").join(name);
        let before = hash(folder.path(), SITE);
        let file = File::options().write(true).open(path("index.html")).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(7)).unwrap();
        chmod(&path("index.html"), 0o600);
        chmod(&path("css"), 0o700);
        assert_eq!(hash(folder.path(), SITE), before);
    }

    #[test]
    fn executable_counts_unless_the_recipe_sets_the_mode() {
        let folder = site();
        let with_mode = format!("{SITE}mode = \"0644\"\n");
        let single = "[[files]]\nsource = \"site/index.html\"\ntarget = \"/x\"\n";
        let single_with_mode = format!("{single}mode = \"0644\"\n");
        let before = [SITE, &with_mode, single, &single_with_mode].map(|text| hash(folder.path(), text));
        chmod(&folder.path().join("site/index.html"), 0o755);
        let after = [SITE, &with_mode, single, &single_with_mode].map(|text| hash(folder.path(), text));
        let changed: Vec<bool> = before.iter().zip(&after).map(|(before, after)| before != after).collect();
        assert_eq!(changed, [true, false, true, false]);
        assert!(after[2][0].is_executable && after[2][0].sha256 == before[2][0].sha256);
        // Once more without a mode: then it counts.
        let both = format!("{single_with_mode}{}", single.replace("/x", "/y"));
        assert_eq!(hash(folder.path(), &both), after[2]);
    }

    #[test]
    fn reports_every_path_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let section = format!("{SITE}[[run]]\nscript = \"a.sh\"\n");
        let error = try_hash(folder.path(), &section).unwrap_err();
        let lines: Vec<_> = error.items.iter().map(|item| (item.line, item.text.as_str())).collect();
        assert_eq!(lines, [(7, "\"site/\""), (10, "\"a.sh\"")]);
    }
}
