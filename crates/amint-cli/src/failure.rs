//! How a command fails: the one place where errors of all rooms become exit codes and hints.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use amint_archive::ArchiveError;
use amint_build::locking::LockingError;
use amint_build::namespace::NamespaceError;
use amint_build::{BuildError, CommandError};
use amint_disk::export::ExportError;
use amint_disk::raw::RawError;
use amint_guest::GuestError;
use amint_inspect::image::InspectError;
use amint_provenance::KeyError;
use amint_publish::{AmiNameError, ApplyError, CloudError, CloudErrorClass};
use amint_recipe::lock::LockError;
use amint_recipe::{Diagnostics, RecipeError};
use amint_store::StoreError;
use amint_types::{Cancelled, Hint, ParseNameError};

use crate::exit_code::ExitCode;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: ExitCode,
    /// What went wrong, with its causes.
    pub(crate) error: Box<dyn Error + Send + Sync>,
    /// What to try.
    pub(crate) hint: Option<String>,
    /// Errors of a recipe, to be shown with the recipe's text.
    pub(crate) diagnostics: Option<Diagnostics>,
}

impl Failure {
    /// Makes a failure of an error.
    pub(crate) fn new(code: ExitCode, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, error: error.into(), hint: None, diagnostics: None }
    }

    /// Adds what to try.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn with(code: ExitCode, hint: Option<String>, error: impl Error + Send + Sync + 'static) -> Self {
        Self { code, error: Box::new(error), hint, diagnostics: None }
    }

    /// Makes a failure of a file that could not be used.
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        let code = if is_disk_full(&source) { ExitCode::Environment } else { ExitCode::Input };
        Self::new(code, FileError { path: path.to_owned(), source })
    }
}

/// A file of the command line could not be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use {path}")]
struct FileError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

fn is_disk_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Looks for a full disk anywhere among the causes.
fn has_full_disk(error: &(dyn Error + 'static)) -> bool {
    let mut current = Some(error);
    while let Some(error) = current {
        if error.downcast_ref::<io::Error>().is_some_and(is_disk_full) {
            return true;
        }
        current = error.source();
    }
    false
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Invalid(diagnostics) => Self {
                code: ExitCode::Input,
                error: "the recipe is invalid".into(),
                hint: None,
                diagnostics: Some(diagnostics),
            },
            error => Self::with(ExitCode::Input, error.hint(), error),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let code = if error.is_cancelled() {
            ExitCode::Interrupted
        } else if error.is_environment() || has_full_disk(&error) {
            ExitCode::Environment
        } else {
            ExitCode::Input
        };
        Self::with(code, error.hint(), error)
    }
}

impl From<LockingError> for Failure {
    fn from(error: LockingError) -> Self {
        match error {
            LockingError::Inputs(diagnostics) => diagnostics.into(),
            error => BuildError::from(error).into(),
        }
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        BuildError::from(error).into()
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let code = if has_full_disk(&error) { ExitCode::Environment } else { ExitCode::Input };
        Self::with(code, error.hint(), error)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Invalid(diagnostics) => {
                Self { error: "the lock is invalid".into(), ..diagnostics.into() }
            }
            error => Self::with(ExitCode::Input, error.hint(), error),
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            code: ExitCode::Input,
            error: "the recipe is invalid".into(),
            hint: None,
            diagnostics: Some(diagnostics),
        }
    }
}

impl From<NamespaceError> for Failure {
    fn from(error: NamespaceError) -> Self {
        Self::with(ExitCode::Environment, error.hint(), error)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::with(ExitCode::Environment, error.hint(), error)
    }
}

impl From<Cancelled> for Failure {
    fn from(error: Cancelled) -> Self {
        Self::with(ExitCode::Interrupted, None, error)
    }
}

impl From<ParseNameError> for Failure {
    fn from(error: ParseNameError) -> Self {
        Self::with(ExitCode::Usage, None, error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = if error.is_cancelled() {
            ExitCode::Interrupted
        } else if error.is_not_found() || error.is_corrupt() {
            ExitCode::Input
        } else {
            ExitCode::Environment
        };
        Self::with(code, error.hint(), error)
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let (code, hint) = match &error {
            ApplyError::Cancelled(_) => (ExitCode::Interrupted, Some(RESUME)),
            ApplyError::Read { .. } => (ExitCode::Input, None),
            ApplyError::Journal(_) => (ExitCode::Environment, None),
            ApplyError::Refused { .. } => (ExitCode::Gate, None),
            ApplyError::Cloud(cloud) => (ExitCode::Cloud, hint_of(cloud)),
            ApplyError::GivenUp { .. }
            | ApplyError::NotReady { .. }
            | ApplyError::NoSource { .. }
            | ApplyError::NoImage { .. } => (ExitCode::Cloud, Some("the same command goes on from here")),
            _ => (ExitCode::Cloud, None),
        };
        match error {
            ApplyError::Store(error) => error.into(),
            error => Self::with(code, hint.map(str::to_owned), error),
        }
    }
}

/// What becomes of a publication that was broken off.
const RESUME: &str =
    "what was sent is remembered: the same command goes on from there, `amint gc --cloud` removes it";

fn hint_of(error: &CloudError) -> Option<&'static str> {
    match (error.class, error.code.as_deref()) {
        (CloudErrorClass::Denied, None) => Some(
            "give credentials as other tools of AWS take them: AWS_PROFILE, SSO, or the variables of a key",
        ),
        (
            CloudErrorClass::Denied,
            Some("UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException"),
        ) => Some("`amint iam` prints the policy that a command needs"),
        (CloudErrorClass::Denied, Some("OptInRequired")) => Some("enable the region for the account first"),
        (CloudErrorClass::Denied, Some(_)) => Some(
            "look at the credentials: which key is used, whether it is valid still, and the clock of this machine",
        ),
        (CloudErrorClass::Invalid, None) if error.message.contains("invalid peer certificate") => {
            Some("AWS_CA_BUNDLE names a file with the certificates to trust instead of the system's")
        }
        (CloudErrorClass::Throttled | CloudErrorClass::Transient, _) => {
            Some("the same command goes on from here")
        }
        _ => None,
    }
}

impl From<AmiNameError> for Failure {
    fn from(error: AmiNameError) -> Self {
        Self::with(ExitCode::Usage, None, error)
    }
}

impl From<GuestError> for Failure {
    fn from(error: GuestError) -> Self {
        let is_cancelled = matches!(error, GuestError::Cancelled(_));
        let code = if is_cancelled { ExitCode::Interrupted } else { ExitCode::Environment };
        Self::with(code, error.hint(), error)
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Cancelled(cancelled) => cancelled.into(),
            InspectError::Open { ref path, .. } if !path.exists() => {
                let hint = "name a disk image, a folder, a tar archive, or NAME[:VERSION] of the store";
                Self::new(ExitCode::Input, error).hint(hint)
            }
            error => Self::with(ExitCode::Input, error.hint(), error),
        }
    }
}

impl From<RawError> for Failure {
    fn from(error: RawError) -> Self {
        let code = if has_full_disk(&error) { ExitCode::Environment } else { ExitCode::Input };
        Self::with(code, error.hint(), error)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let code = if matches!(error, ExportError::Cancelled(_)) {
            ExitCode::Interrupted
        } else if has_full_disk(&error) {
            ExitCode::Environment
        } else {
            ExitCode::Input
        };
        // A damaged block lies deep among the causes, and the store knows what to do about it.
        let hint = amint_store::find_block_error(&error).and_then(Hint::hint).or_else(|| error.hint());
        Self::with(code, hint, error)
    }
}
