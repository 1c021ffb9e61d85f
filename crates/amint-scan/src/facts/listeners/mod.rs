//! On which addresses common daemons listen, by their configuration.

mod address;
mod databases;
mod options;
mod web;

pub(crate) use address::Reach;

use std::path::PathBuf;

use crate::{CheckError, Context, Protocol};

/// One socket that a daemon would open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    /// The daemon, for people.
    pub(crate) daemon: &'static str,
    /// Units that start it, as distributions name them.
    pub(crate) units: &'static [&'static str],
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
    pub(crate) reach: Reach,
    /// The file that says so; none of its lines when it is the daemon's own default.
    pub(crate) path: PathBuf,
    pub(crate) line: Option<u32>,
    pub(crate) text: String,
}

/// The sockets of all daemons whose configuration is in the image.
pub(crate) struct Listeners(pub(crate) Vec<Listener>);

impl Listeners {
    /// Reads the configurations.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut found = web::nginx(cx)?;
        found.extend(web::apache(cx)?);
        found.extend(databases::load(cx)?);
        found.extend(options::load(cx)?);
        Ok(Self(found))
    }
}

/// Reads `key value` or `key = value` lines; comments begin with `#` or `;`.
fn settings(text: &str) -> impl Iterator<Item = (u32, String, String)> {
    (1_u32..).zip(text.lines()).filter_map(|(line, text)| {
        let text = text.trim();
        if text.starts_with(['#', ';']) {
            return None;
        }
        let text = text.split(" #").next().unwrap_or_default().trim();
        let (key, value) =
            text.split_once(|letter: char| letter == '=' || letter == ':' || letter.is_whitespace())?;
        let value = value.trim().trim_start_matches(['=', ':']).trim();
        Some((line, key.trim().to_owned(), value.trim_matches(['"', '\'']).to_owned()))
    })
}
