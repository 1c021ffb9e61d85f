//! The database of advisories: where it lies, who is trusted to have made it, and what an image says of its own
//! sources.

mod repositories;

use std::path::{Path, PathBuf};

use amint_inspect::Inspection;
use amint_provenance::{PublicKey, SigningKey, read_trusted_keys};
use amint_vuln::{Database, Trust};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::provenance::own_key_path;

pub(crate) use repositories::repositories_of;

/// Returns where `amint db build` puts the database.
pub(crate) fn database_path(home: &Path) -> PathBuf {
    home.join("db/advisories.db")
}

/// Returns the keys that a database may be signed with: this machine's own, and those below `keys/trusted`.
pub(crate) fn trusted_keys(home: &Path) -> Result<Vec<PublicKey>, Failure> {
    let mut keys = Vec::new();
    if let Some(own) = SigningKey::load_if_present(&own_key_path(home))? {
        keys.push(own.public_key().clone());
    }
    let folder = home.join("keys/trusted");
    if folder.is_dir() {
        keys.extend(read_trusted_keys(&folder)?);
    }
    Ok(keys)
}

/// Opens a database; none where the default one is not there.
pub(crate) fn open_database(path: Option<&Path>, context: &Context) -> Result<Option<Database>, Failure> {
    let home = context.home()?;
    let default = database_path(&home);
    let path = match path {
        Some(path) => {
            let _ = path.metadata().map_err(|error| Failure::file(path, error))?;
            path
        }
        None if default.exists() => &default,
        None => return Ok(None),
    };
    let keys = trusted_keys(&home)?;
    Database::open(path, Trust::Keys(&keys)).map(Some).map_err(|error| {
        Failure::new(ExitCode::Evidence, error).hint("build the database again: `amint db build`")
    })
}

/// Tells which suites the image's package manager uses; none where that is not known.
pub(crate) fn suites_of(inspection: &Inspection) -> Option<Vec<String>> {
    let system = inspection.document.system.as_ref()?;
    Some(amint_feeds::suites(system, &repositories_of(inspection))).filter(|suites| !suites.is_empty())
}
