//! The memory of the endpoint: tables in memory, every change in a database before it is answered.

mod change;
mod database;
mod late;

use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

pub(crate) use change::Change;
use database::Database;
pub use database::StateError;
use jiff::SignedDuration;
use late::Late;

use crate::Clock;
use crate::records::Tables;

/// The tables, and the database that keeps them.
#[derive(Debug)]
pub(crate) struct State {
    tables: RwLock<Tables>,
    database: Mutex<Database>,
    /// What is told while changes come late.
    late: Option<Late>,
}

impl State {
    /// Opens the database, and makes one where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, StateError> {
        let mut tables = Tables::default();
        let database = Database::open(path, &mut |kind, content| tables.load(kind, content))?;
        Ok(Self { tables: RwLock::new(tables), database: Mutex::new(database), late: None })
    }

    /// Keeps everything in memory only.
    pub(crate) fn in_memory() -> Result<Self, StateError> {
        let database = Database::in_memory()?;
        Ok(Self { tables: RwLock::default(), database: Mutex::new(database), late: None })
    }

    /// Returns the tables to be read. Nothing changes while they are held.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, what is changed is told only after a while by [`read_late`](Self::read_late).
    pub(crate) fn come_late(&mut self, clock: Clock, delay: SignedDuration) {
        let tables = self.read().clone();
        self.late = Some(Late::new(tables, clock, delay));
    }

    /// Returns the tables as they are told: without what changed just now, when changes come late.
    pub(crate) fn read_late(&self) -> RwLockReadGuard<'_, Tables> {
        self.late.as_ref().map_or_else(|| self.read(), Late::read)
    }

    /// Changes the tables: wholly and durably, or, when `edit` or the database fails, not at all.
    pub(crate) fn change<T, E: From<StateError>>(
        &self,
        edit: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.change_and_tell(edit, false)
    }

    /// As [`change`](Self::change), for what nobody asked for: it does not come late.
    pub(crate) fn change_at_once<T, E: From<StateError>>(
        &self,
        edit: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.change_and_tell(edit, true)
    }

    fn change_and_tell<T, E: From<StateError>>(
        &self,
        edit: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
        is_at_once: bool,
    ) -> Result<T, E> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let mut change = Change::new(&mut tables);
        let result = edit(&mut change)?;
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        database.write(change.writes().map_err(StateError::from)?)?;
        let writes = change.keep();
        if let Some(late) = &self.late {
            late.take(writes, is_at_once);
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::records::Token;

    fn token(key: &str, resource: &str) -> Token {
        let created = "2026-01-01T00:00:00Z".parse().unwrap();
        Token { key: key.to_owned(), parameters: String::new(), resource: resource.to_owned(), created }
    }

    fn resources(state: &State) -> Vec<String> {
        state.read().tokens.values().map(|token| token.resource.clone()).collect()
    }

    #[test]
    fn what_was_changed_is_there_after_a_restart_and_what_failed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let state = State::open(&path).unwrap();
        state
            .change::<_, StateError>(|change| {
                change.put(token("a", "1"));
                change.put(token("b", "2"));
                change.put(token("c", "3"));
                Ok(())
            })
            .unwrap();
        state
            .change::<_, StateError>(|change| {
                change.put(token("a", "4"));
                assert_eq!(
                    change.get::<Token>("a").map(|token| token.resource.clone()).as_deref(),
                    Some("4")
                );
                change.remove::<Token>("b");
                Ok(())
            })
            .unwrap();
        let failed = state.change(|change| {
            change.put(token("a", "5"));
            change.remove::<Token>("c");
            change.put(token("d", "6"));
            Err::<(), _>(StateError::Foreign)
        });
        assert!(failed.is_err());
        assert_eq!(resources(&state), ["4", "3"]);
        drop(state);
        assert_eq!(resources(&State::open(&path).unwrap()), ["4", "3"]);
    }

    #[test]
    fn readers_of_other_threads_see_whole_changes() {
        let state = Arc::new(State::in_memory().unwrap());
        let other = Arc::clone(&state);
        let reader = std::thread::spawn(move || {
            while other.read().tokens.len() < 200 {
                assert_eq!(other.read().tokens.len() % 2, 0);
            }
        });
        for number in 0..100 {
            state
                .change::<_, StateError>(|change| {
                    change.put(token(&format!("{number}a"), ""));
                    change.put(token(&format!("{number}b"), ""));
                    Ok(())
                })
                .unwrap();
        }
        reader.join().unwrap();
    }

    #[test]
    fn another_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        std::fs::write(&path, "no database").unwrap();
        assert!(State::open(&path).is_err());
    }
}
