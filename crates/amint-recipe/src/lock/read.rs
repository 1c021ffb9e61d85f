//! Reading a lock file: strictly, with everything that is wrong at once.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::path::Path;

use toml::de::DeTable;

use super::forms::{architecture, digest, file_in_archive, version};
use super::model::{
    InputKind, LOCK_FORMAT, Lock, LockedBase, LockedInput, LockedPackage, LockedSuite, Stage, base_digest,
};
use crate::diagnostic::Diagnostics;
use crate::problems::{Document, Problem, Problems};
use crate::table::{Located, Table, values};
use crate::text::archive::{REPOSITORY_ID_PREFIX, component, shown, suite, suite_id};
use crate::text::{choose, mirror_url, package, plain};

/// The oldest format that is read: the one before the present, once there is one.
const FORMAT_OLDEST: u32 = if LOCK_FORMAT > 1 { LOCK_FORMAT - 1 } else { 1 };

/// Most suites, packages and inputs of a lock file, and most entries of the lists within.
const SUITE_COUNT_MAX: usize = 200;
const PACKAGE_COUNT_MAX: usize = 20_000;
const INPUT_COUNT_MAX: usize = 5000;
const LIST_COUNT_MAX: usize = 100;
/// Most characters of a fingerprint, of a version and of the like.
const WORD_CHARS_MAX: usize = 256;
/// Most characters of a path.
const PATH_CHARS_MAX: usize = 4096;
/// The whole numbers that any reader of TOML knows.
const NUMBERS: RangeInclusive<u64> = 0..=i64::MAX.unsigned_abs();

const TOP_KEYS: [&str; 6] = ["format", "tool", "base", "suite", "package", "input"];
const BASE_KEYS: [&str; 4] = ["debian", "architecture", "digest", "wishes"];
const SUITE_KEYS: [&str; 8] =
    ["id", "suite", "components", "date", "release_sha256", "signers", "uri", "keyring_sha256"];
const PACKAGE_KEYS: [&str; 13] = [
    "name",
    "version",
    "architecture",
    "source",
    "source_version",
    "suite",
    "component",
    "file",
    "bytes",
    "sha256",
    "installed_kib",
    "stage",
    "requested",
];
const INPUT_KEYS: [&str; 6] = ["kind", "path", "sha256", "bytes", "files", "executable"];

/// The lock file.
const LOCK: Document = Document {
    noun: "lock file",
    sections: &[
        ("[base]", &BASE_KEYS),
        ("[[suite]]", &SUITE_KEYS),
        ("[[package]]", &PACKAGE_KEYS),
        ("[[input]]", &INPUT_KEYS),
    ],
};

impl Lock {
    /// Reads a lock file from its text; `path` only names it in diagnostics.
    ///
    /// # Errors
    /// Fails with everything that is wrong, not only the first mistake; of a format that is not known, with that
    /// alone.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Diagnostics> {
        let mut problems = Problems::of(LOCK, text);
        if let Some(problem) = conflict_mark(text) {
            problems.push(problem);
            return Err(problems.finish(path));
        }
        let (root, syntax_errors) = DeTable::parse_recoverable(text);
        for error in &syntax_errors {
            problems.push_syntax(error);
        }
        if let Some(problem) = foreign_format(&Table::unchecked(root.get_ref())) {
            problems.push(problem);
            return Err(problems.finish(path));
        }
        let root = Table::new(&mut problems, root.get_ref(), 0..0, "", &TOP_KEYS);
        let lock = read(&root, &mut problems);
        match lock {
            Some(lock) if !problems.has_errors() => Ok(lock),
            _ => Err(problems.finish(path)),
        }
    }
}

/// Finds what a merge leaves in a file that both sides changed.
fn conflict_mark(text: &str) -> Option<Problem> {
    let start = ["<<<<<<< ", ">>>>>>> "]
        .iter()
        .filter_map(
            |mark| if text.starts_with(mark) { Some(0) } else { Some(text.find(&format!("\n{mark}"))? + 1) },
        )
        .min()?;
    Some(
        Problem::error(start..start + 7, "the file holds the marks of a merge that was not finished")
            .hint("take the file of one side as it is, then run `amint lock`"),
    )
}

/// Tells a format that cannot be read, before anything of it is judged by the rules of this one.
fn foreign_format(root: &Table<'_>) -> Option<Problem> {
    // Mistakes in the number itself are told when it is read again.
    let format = root.integer(&mut Problems::of(LOCK, ""), "format", 0..=u32::MAX)?;
    let message = format!("the lock file has format {}", format.value);
    if format.value > LOCK_FORMAT {
        let problem =
            Problem::error(format.span, format!("{message}, and {LOCK_FORMAT} is the newest known"));
        return Some(problem.hint("a newer amint wrote it: update amint"));
    }
    if format.value < FORMAT_OLDEST {
        let problem = Problem::error(format.span, format!("{message}, which is no longer read"));
        return Some(problem.hint("`amint lock` writes it anew"));
    }
    None
}

fn read(root: &Table<'_>, problems: &mut Problems<'_>) -> Option<Lock> {
    for key in ["format", "tool"] {
        if !root.has(key) {
            problems.push(Problem::relation(0..0, format!("missing key `{key}`")));
        }
    }
    let format = root.integer(problems, "format", FORMAT_OLDEST..=LOCK_FORMAT);
    let tool = root.parsed(problems, "tool", plain("tool", WORD_CHARS_MAX, false));
    let base = read_base(root, problems);
    let (suites, ids) = read_suites(root, problems);
    let packages = read_packages(root, problems, &ids);
    let inputs = read_inputs(root, problems);
    let (base, digest_span) = base?;
    if !problems.has_errors() && base_digest(&packages) != base.digest {
        let message = "`digest` does not fit the packages of the base";
        problems.push(
            Problem::relation(digest_span, message).hint("the file was edited: `amint lock` writes it anew"),
        );
    }
    let mut lock = Lock { format: format?.value, tool: tool?.value, base, suites, packages, inputs };
    lock.sort();
    Some(lock)
}

fn read_base(root: &Table<'_>, problems: &mut Problems<'_>) -> Option<(LockedBase, std::ops::Range<usize>)> {
    let Some(table) = root.table(problems, "base", "[base]", &BASE_KEYS) else {
        root.require(problems, "base");
        return None;
    };
    require(&table, problems, &BASE_KEYS);
    let debian = table.parsed(problems, "debian", suite);
    let architecture = table.parsed(problems, "architecture", architecture);
    let digest = table.parsed(problems, "digest", digest);
    let wishes = table.parsed(problems, "wishes", self::digest);
    let digest = digest?;
    let base = LockedBase {
        debian: debian?.value,
        architecture: architecture?.value,
        digest: digest.value,
        wishes: wishes?.value,
    };
    Some((base, digest.span))
}

/// Returns the suites, and the ids of all, the broken ones included.
fn read_suites(root: &Table<'_>, problems: &mut Problems<'_>) -> (Vec<LockedSuite>, HashSet<String>) {
    let mut ids = HashSet::new();
    let mut suites = Vec::new();
    for table in root.tables(problems, "suite", "[[suite]]", SUITE_COUNT_MAX, &SUITE_KEYS) {
        require(&table, problems, &SUITE_KEYS[..6]);
        let id = table.parsed(problems, "id", suite_id);
        if let Some(id) = &id
            && !ids.insert(id.value.clone())
        {
            problems.push(Problem::error(id.span.clone(), format!("`{}` is listed twice", id.value)));
        }
        suites.extend(read_suite(&table, problems, id));
    }
    (suites, ids)
}

fn read_suite(
    table: &Table<'_>,
    problems: &mut Problems<'_>,
    id: Option<Located<String>>,
) -> Option<LockedSuite> {
    let suite = table.parsed(problems, "suite", suite);
    let components = table.parsed_list(problems, "components", LIST_COUNT_MAX, component);
    let date = table.moment(problems, "date");
    let release_sha256 = table.parsed(problems, "release_sha256", digest);
    let signer = plain("signers", WORD_CHARS_MAX, false);
    let signers = table.parsed_list(problems, "signers", LIST_COUNT_MAX, signer);
    let uri = table.parsed(problems, "uri", mirror_url);
    let keyring_sha256 = table.parsed(problems, "keyring_sha256", digest);
    let id = id?.value;
    if let Some(uri) = uri.as_ref().filter(|_| !id.starts_with(REPOSITORY_ID_PREFIX)) {
        problems.push(
            Problem::error(
                uri.span.clone(),
                format!("`{id}` has an address, and no repository of the recipe is it"),
            )
            .hint("which mirror of the distribution is used is not locked: leave out `uri`"),
        );
    }
    Some(LockedSuite {
        id,
        suite: suite?.value,
        components: values(components?),
        date: date?.value,
        release_sha256: release_sha256?.value,
        signers: values(signers?),
        uri: uri.map(|uri| uri.value),
        keyring_sha256: keyring_sha256.map(|digest| digest.value),
    })
}

fn read_packages(
    root: &Table<'_>,
    problems: &mut Problems<'_>,
    suites: &HashSet<String>,
) -> Vec<LockedPackage> {
    let mut names = HashSet::new();
    let mut packages = Vec::new();
    for table in root.tables(problems, "package", "[[package]]", PACKAGE_COUNT_MAX, &PACKAGE_KEYS) {
        require(&table, problems, &PACKAGE_KEYS[..12]);
        let name = table.parsed(problems, "name", package::bare_name);
        if let Some(name) = &name
            && !names.insert(name.value.clone())
        {
            problems.push(Problem::error(name.span.clone(), format!("`{}` is listed twice", name.value)));
        }
        let suite = table.parsed(problems, "suite", suite_id);
        if let Some(suite) = suite.as_ref().filter(|suite| !suites.contains(&suite.value)) {
            let message = format!("no `[[suite]]` has the id `{}`", suite.value);
            problems.push(Problem::relation(suite.span.clone(), message));
        }
        packages.extend(read_package(&table, problems, name, suite));
    }
    packages
}

fn read_package(
    table: &Table<'_>,
    problems: &mut Problems<'_>,
    name: Option<Located<String>>,
    suite: Option<Located<String>>,
) -> Option<LockedPackage> {
    let version = table.parsed(problems, "version", version);
    let architecture = table.parsed(problems, "architecture", architecture);
    let source = table.parsed(problems, "source", package::bare_name);
    let source_version = table.parsed(problems, "source_version", self::version);
    let component = table.parsed(problems, "component", component);
    let file = table.parsed(problems, "file", file_in_archive);
    let bytes = table.integer(problems, "bytes", NUMBERS);
    let sha256 = table.parsed(problems, "sha256", digest);
    let installed_kib = table.integer(problems, "installed_kib", NUMBERS);
    let stage = table.parsed(problems, "stage", choose::<Stage>);
    let is_requested = table.boolean(problems, "requested").unwrap_or_default();
    Some(LockedPackage {
        name: name?.value,
        version: version?.value,
        architecture: architecture?.value,
        source: source?.value,
        source_version: source_version?.value,
        suite: suite?.value,
        component: component?.value,
        file: file?.value,
        bytes: bytes?.value,
        sha256: sha256?.value,
        installed_kib: installed_kib?.value,
        stage: stage?.value,
        is_requested,
    })
}

fn read_inputs(root: &Table<'_>, problems: &mut Problems<'_>) -> Vec<LockedInput> {
    let mut seen = HashSet::new();
    let mut inputs = Vec::new();
    for table in root.tables(problems, "input", "[[input]]", INPUT_COUNT_MAX, &INPUT_KEYS) {
        require(&table, problems, &INPUT_KEYS[..5]);
        let kind = table.parsed(problems, "kind", choose::<InputKind>);
        let path = table.parsed(problems, "path", plain("path", PATH_CHARS_MAX, false));
        let sha256 = table.parsed(problems, "sha256", digest);
        let bytes = table.integer(problems, "bytes", NUMBERS);
        let files = table.integer(problems, "files", NUMBERS);
        let is_executable = table.boolean(problems, "executable").unwrap_or_default();
        let (Some(kind), Some(path)) = (kind, path) else { continue };
        if !seen.insert((kind.value, path.value.clone())) {
            let message = format!("the {} `{}` is listed twice", kind.value, shown(&path.value));
            problems.push(Problem::error(path.span, message));
        }
        let (Some(sha256), Some(bytes), Some(files)) = (sha256, bytes, files) else { continue };
        inputs.push(LockedInput {
            kind: kind.value,
            path: path.value,
            sha256: sha256.value,
            bytes: bytes.value,
            files: files.value,
            is_executable,
        });
    }
    inputs
}

fn require(table: &Table<'_>, problems: &mut Problems<'_>, keys: &[&str]) {
    for key in keys {
        table.require(problems, key);
    }
}

#[cfg(test)]
mod tests {
    use crate::lock::testing::{lock, messages, parse};

    #[test]
    fn reads_what_is_written() {
        assert_eq!(parse(&lock().to_toml()).unwrap(), lock());
    }

    #[test]
    fn tells_that_a_newer_format_needs_a_newer_amint() {
        let text = lock().to_toml().replace("format = 1\n", "format = 2\nfuture = true\n");
        let error = parse(&text).unwrap_err();
        assert_eq!(error.items.len(), 1);
        assert_eq!(error.items[0].message, "the lock file has format 2, and 1 is the newest known");
        assert_eq!(error.items[0].hint.as_deref(), Some("a newer amint wrote it: update amint"));
        assert_eq!(messages(|text| text.replace("format = 1", "format = 0")).len(), 1);
        assert_eq!(messages(|text| text.replace("format = 1\n", "")), ["missing key `format`"]);
        let found = messages(|text| text.replace("format = 1", "format = \"1\""));
        assert_eq!(found, ["`format` must be a whole number, not a string"]);
    }

    #[test]
    fn names_the_file_a_lock_file() {
        let error = parse("x = 1\n").unwrap_err();
        assert_eq!(error.to_string(), "lock file `amint.lock` has 4 errors");
    }

    #[test]
    fn reports_all_mistakes_at_once_at_their_places() {
        let error = parse(
            &lock()
                .to_toml()
                .replace("stage = \"base\"", "stage = \"bas\"")
                .replace("bytes = 1234", "bytes = -1")
                .replace("requested = true", "requestd = true")
                .replace("file = \"pool/main/n/", "file = \"../"),
        )
        .unwrap_err();
        let found: Vec<_> =
            error.items.iter().map(|item| (item.text.as_str(), item.message.as_str())).collect();
        assert_eq!(
            found,
            [
                ("\"bas\"", "`bas` is not a stage"),
                (
                    "\"../nginx/nginx_1.26.3-3_amd64.deb\"",
                    "`../nginx/nginx_1.26.3-3_amd64.deb` is not a path in an archive"
                ),
                ("requestd", "unknown key `requestd` in `[[package]]`"),
                ("-1", "`bytes` must lie between 0 and 9223372036854775807"),
            ]
        );
        assert_eq!(error.items[2].hint.as_deref(), Some("did you mean `requested`?"));
    }

    #[test]
    fn refuses_what_does_not_go_together() {
        let found = messages(|text| text.replace("suite = \"repo:vendor\"", "suite = \"repo:other\""));
        assert_eq!(found, ["no `[[suite]]` has the id `repo:other`"]);
        let found = messages(|text| text.replace("name = \"nginx\"", "name = \"agent\""));
        assert_eq!(found, ["`agent` is listed twice"]);
        let found = messages(|text| text.replace("id = \"repo:vendor\"", "id = \"trixie\""));
        assert!(found.contains(&"`trixie` is listed twice".to_owned()), "{found:?}");
        let found = messages(|text| {
            text.replace(
                "kind = \"script\"\npath = \"scripts/configure.sh\"",
                "kind = \"folder\"\npath = \"site/\"",
            )
        });
        assert_eq!(found, ["the folder `site/` is listed twice"]);
    }

    #[test]
    fn notices_an_edit_of_the_base() {
        let found = messages(|text| text.replace("version = \"2.41-12\"", "version = \"2.41-13\""));
        assert_eq!(found, ["`digest` does not fit the packages of the base"]);
    }

    #[test]
    fn refuses_mirrors_and_passwords() {
        let found = messages(|text| {
            text.replace("https://packages", "https://user:hunter2@packages")
                .replace("signers = [\"4D64", "uri = \"https://mirror.example/debian\"\nsigners = [\"4D64")
        });
        assert_eq!(
            found,
            [
                "the address holds a user name or password, and a recipe is no place for one",
                "`trixie` has an address, and no repository of the recipe is it",
            ]
        );
    }

    #[test]
    fn knows_an_unfinished_merge() {
        let text = lock().to_toml();
        for (mark, line) in [("\n<<<<<<< HEAD\n", 5), ("\n=======\n>>>>>>> theirs\n", 6)] {
            let error =
                parse(&text.replacen("\nformat = 1\n", &format!("\nformat = 1{mark}"), 1)).unwrap_err();
            assert_eq!((error.items.len(), error.items[0].line), (1, line), "{error:?}");
            assert!(error.items[0].message.contains("a merge"));
        }
    }
}
