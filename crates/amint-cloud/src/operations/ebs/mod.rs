//! EBS direct APIs: the blocks of snapshots.
//!
//! Tokens are made of what they stand for, so that none has to be remembered: a block's token is a digest of its
//! snapshot, index and content.

mod blocks;
mod changed;
mod complete;
mod list;
mod put;
mod start;

use std::sync::Arc;

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::Snapshot;
use crate::world::snapshot_not_found;

/// The operations that are implemented.
pub(crate) const NAMES: [&str; 6] = [
    "CompleteSnapshot",
    "GetSnapshotBlock",
    "ListChangedBlocks",
    "ListSnapshotBlocks",
    "PutSnapshotBlock",
    "StartSnapshot",
];
/// The longest page of a list, and the usual one.
const RESULTS_MAX: u64 = 10_000;
/// The shortest page of a list.
const RESULTS_MIN: u64 = 100;

/// A request of the EBS direct APIs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EbsRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// An answer of the EBS direct APIs.
#[derive(Debug)]
pub(crate) enum EbsAnswer {
    /// A document.
    Json(Value),
    /// A document with another status than 200.
    Accepted(u16, Value),
    /// A block, with its SHA-256 in base64.
    Block(Vec<u8>, String),
    /// A block was written: its SHA-256 in base64.
    Written(String),
}

/// Returns the name of the operation that a request asks for.
pub(crate) fn name(method: &str, path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, &parts[..]) {
        ("GET", ["snapshots", _, "blocks"]) => Some("ListSnapshotBlocks"),
        ("GET", ["snapshots", _, "blocks", _]) => Some("GetSnapshotBlock"),
        ("GET", ["snapshots", _, "changedblocks"]) => Some("ListChangedBlocks"),
        ("POST", ["snapshots"]) => Some("StartSnapshot"),
        ("PUT", ["snapshots", _, "blocks", _]) => Some("PutSnapshotBlock"),
        ("POST", ["snapshots", "completion", _]) => Some("CompleteSnapshot"),
        _ => None,
    }
}

/// Answers a request.
pub(crate) fn answer(call: &Call<'_>, request: &EbsRequest<'_>) -> Result<EbsAnswer, Fault> {
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    match (request.method, &parts[..]) {
        ("GET", ["snapshots", id, "blocks"]) => list::list_snapshot_blocks(call, request, id),
        ("GET", ["snapshots", id, "blocks", index]) => blocks::get_snapshot_block(call, request, id, index),
        ("GET", ["snapshots", id, "changedblocks"]) => changed::list_changed_blocks(call, request, id),
        ("POST", ["snapshots"]) => start::start_snapshot(call, request),
        ("PUT", ["snapshots", id, "blocks", index]) => put::put_snapshot_block(call, request, id, index),
        ("POST", ["snapshots", "completion", id]) => complete::complete_snapshot(call, request, id),
        _ => {
            Err(Fault::client("UnknownOperationException", "The operation is not known here")
                .with_status(404))
        }
    }
}

impl EbsRequest<'_> {
    /// Returns a value of the query.
    fn value(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
        })
    }

    /// Returns the largest number of results, and the index to begin with.
    fn page(&self, call: &Call<'_>) -> Result<(usize, u64), Fault> {
        let count = match self.value("maxResults") {
            None => call.world.options.page_default.map_or(RESULTS_MAX, u64::from).clamp(1, RESULTS_MAX),
            Some(text) => {
                text.parse().ok().filter(|count| (RESULTS_MIN..=RESULTS_MAX).contains(count)).ok_or_else(
                    || invalid("INVALID_PARAMETER_VALUE", "maxResults is not between 100 and 10000"),
                )?
            }
        };
        let start = match (self.value("pageToken"), self.value("startingBlockIndex")) {
            (Some(token), _) => parse_page_token(&token)?,
            (None, Some(text)) => text
                .parse()
                .map_err(|_| invalid("INVALID_PARAMETER_VALUE", "startingBlockIndex is no block index"))?,
            (None, None) => 0,
        };
        Ok((usize::try_from(count).unwrap_or(usize::MAX), start))
    }

    /// Returns when tokens lapse: after seven days.
    fn expiry(&self) -> i64 {
        self.now + 7 * 24 * 3600
    }
}

/// Finds a snapshot whose blocks whoever asks may read: pending ones and public ones cannot be read.
fn readable(call: &Call<'_>, id: &str) -> Result<Arc<Snapshot>, Fault> {
    let snapshot = call.tables().snapshots.get(id).cloned();
    let snapshot = snapshot
        .filter(|snapshot| snapshot.region == call.region && snapshot.status(call.now) == "completed")
        .filter(|snapshot| snapshot.account == call.account() || snapshot.users.contains(call.account()))
        .ok_or_else(|| snapshot_not_found(id))?;
    check_standard_tier(call, &snapshot)?;
    Ok(snapshot)
}

/// Refuses a snapshot that lies in the archive. The reason is assumed: AWS documents only that it fails.
fn check_standard_tier(call: &Call<'_>, snapshot: &Snapshot) -> Result<(), Fault> {
    if snapshot.is_archived(call.now) {
        return Err(invalid("INVALID_SNAPSHOT_ID", "The snapshot is archived and must be restored first"));
    }
    Ok(())
}

/// Finds a snapshot of whoever asks that takes blocks. One that waited too long for a block is given up.
fn writable(call: &Call<'_>, id: &str) -> Result<Arc<Snapshot>, Fault> {
    let snapshot = call.tables().snapshots.get(id).cloned();
    let snapshot = snapshot
        .filter(|snapshot| call.owns(&snapshot.account, &snapshot.region))
        .ok_or_else(|| snapshot_not_found(id))?;
    let patience = SignedDuration::from_mins(i64::from(snapshot.timeout_minutes));
    let end = call.world.clock().after(call.world.last_touch(&snapshot), patience);
    let is_late = snapshot.manifest.is_none()
        && snapshot.volume_id.is_none()
        && snapshot.failed.is_none()
        && end < call.now;
    if is_late {
        call.world.give_up(id);
        call.world.state.change::<_, Fault>(|change| {
            change.edit(id, |snapshot: &mut Snapshot| snapshot.failed = Some(call.now));
            Ok(())
        })?;
    }
    if is_late || snapshot.failed.is_some() {
        let message = "The snapshot was given up, because no block came in time";
        return Err(invalid("WRITE_REQUEST_TIMEOUT", message));
    }
    if snapshot.manifest.is_some() || snapshot.completed.is_some() || snapshot.volume_id.is_some() {
        return Err(invalid("INVALID_SNAPSHOT_ID", "The snapshot takes no more blocks"));
    }
    Ok(snapshot)
}

/// Returns a header as text.
fn header<'r>(request: &EbsRequest<'r>, name: &str) -> Option<&'r str> {
    request.headers.get(name)?.to_str().ok()
}

fn invalid(reason: &'static str, message: impl Into<String>) -> Fault {
    Fault::client("ValidationException", message).with_reason(reason)
}

fn page_token(next_index: u64) -> String {
    STANDARD.encode(format!("amint-page-{next_index}"))
}

fn parse_page_token(token: &str) -> Result<u64, Fault> {
    let bytes = STANDARD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let index = text.and_then(|text| text.strip_prefix("amint-page-")?.parse().ok());
    index.ok_or_else(|| invalid("INVALID_PAGE_TOKEN", "The page token is not valid"))
}

/// Returns the token of a block.
fn block_token(snapshot_id: &str, index: u64, content: amint_types::Digest) -> String {
    let digest = amint_types::Digest::of(format!("{snapshot_id}\0{index}\0{content}").as_bytes());
    STANDARD.encode(digest.as_bytes())
}
