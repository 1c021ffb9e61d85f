//! The operation log.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::convert::{json, parse};
use super::{Begin, End, Result};
use crate::catalogue::sqlite::convert::signed;
use crate::operation::{OperationId, OperationRecord, OperationState, Outcome};
use crate::owner;

pub(super) fn begin(transaction: &Transaction<'_>, begin: &Begin<'_>) -> Result<OperationId> {
    transaction
        .prepare_cached(
            "INSERT INTO operation (kind, subject, intent, owner, started_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            begin.kind,
            begin.subject,
            begin.intent.to_string(),
            begin.owner,
            begin.at.to_string()
        ])?;
    Ok(OperationId(transaction.last_insert_rowid()))
}

pub(super) fn finish(transaction: &Transaction<'_>, end: &End) -> Result<bool> {
    let is_open = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM operation_result WHERE operation = operation.id)
             FROM operation WHERE id = ?1",
        )?
        .query_row([end.operation.0], |row| row.get::<_, bool>(0))
        .optional()?
        .is_some_and(|has_result| !has_result);
    if !is_open {
        return Ok(false);
    }
    let outcome = match end.outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
    };
    let result = serde_json::to_string(&end.result).unwrap_or_else(|_| "{}".to_owned());
    transaction
        .prepare_cached(
            "INSERT INTO operation_result (operation, outcome, result, finished_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![end.operation.0, outcome, result, end.at.to_string()])?;
    Ok(true)
}

pub(super) fn operations(connection: &Connection, limit: Option<u64>) -> Result<Vec<OperationRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, kind, subject, intent, started_at, owner, outcome, result, finished_at
         FROM operation LEFT JOIN operation_result ON operation = id ORDER BY id DESC LIMIT ?1",
    )?;
    // A negative limit is none.
    let operations = statement.query_map([limit.map_or(-1, signed)], record)?;
    Ok(operations.collect::<rusqlite::Result<_>>()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<OperationRecord> {
    let has_result = row.get_ref(6)? != rusqlite::types::ValueRef::Null;
    Ok(OperationRecord {
        id: OperationId(row.get(0)?),
        kind: row.get(1)?,
        subject: row.get(2)?,
        intent: json(row, 3)?,
        started_at: parse(row, 4)?,
        state: match row.get_ref(6)?.as_str_or_null()? {
            Some("succeeded") => OperationState::Succeeded,
            Some(_) => OperationState::Failed,
            None if owner::is_alive(row.get_ref(5)?.as_str()?) => OperationState::Running,
            None => OperationState::Interrupted,
        },
        result: if has_result { Some(json(row, 7)?) } else { None },
        finished_at: if has_result { Some(parse(row, 8)?) } else { None },
    })
}
