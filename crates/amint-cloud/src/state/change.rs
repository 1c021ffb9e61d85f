use std::sync::Arc;

use crate::records::{Record, Tables};

type Undo = Box<dyn FnOnce(&mut Tables)>;

/// A change of the tables on its way. Dropped before it is kept, it undoes what it did.
pub(crate) struct Change<'a> {
    tables: &'a mut Tables,
    undo: Vec<Undo>,
    writes: Vec<Write>,
    /// Why a record could not be written.
    failure: Option<serde_json::Error>,
}

/// Does a change to other tables once more.
pub(super) type Apply = Box<dyn FnOnce(&mut Tables) + Send>;

/// One record to be written, or, without content, to be removed.
pub(crate) struct Write {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) content: Option<Vec<u8>>,
    pub(super) apply: Apply,
}

impl<'a> Change<'a> {
    pub(super) fn new(tables: &'a mut Tables) -> Self {
        Self { tables, undo: Vec::new(), writes: Vec::new(), failure: None }
    }

    /// Returns the tables as they are after what was changed so far.
    pub(crate) fn tables(&self) -> &Tables {
        self.tables
    }

    /// Returns a record.
    pub(crate) fn get<T: Record>(&self, id: &str) -> Option<Arc<T>> {
        T::table(self.tables).get(id).cloned()
    }

    /// Puts a record in its table, in place of an older one of the same id.
    pub(crate) fn put<T: Record>(&mut self, record: T) {
        let id = record.id().to_owned();
        let content = match serde_json::to_vec(&record) {
            Ok(content) => content,
            Err(error) => {
                self.failure = Some(error);
                return;
            }
        };
        let record = Arc::new(record);
        let (later_id, later) = (id.clone(), Arc::clone(&record));
        let apply: Apply = Box::new(move |tables| {
            tables.insert(later_id, later);
        });
        let older = self.tables.insert(id.clone(), record);
        self.remember::<T>(id.clone(), older);
        self.writes.push(Write { kind: T::KIND, id, content: Some(content), apply });
    }

    /// Edits a record that is there; none when it is not.
    pub(crate) fn edit<T: Record, R>(&mut self, id: &str, edit: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut record = T::clone(self.get::<T>(id)?.as_ref());
        let result = edit(&mut record);
        self.put(record);
        Some(result)
    }

    /// Removes a record and returns it.
    pub(crate) fn remove<T: Record>(&mut self, id: &str) -> Option<Arc<T>> {
        let older = self.tables.remove::<T>(id)?;
        self.remember::<T>(id.to_owned(), Some(Arc::clone(&older)));
        let later_id = id.to_owned();
        let apply: Apply = Box::new(move |tables| {
            tables.remove::<T>(&later_id);
        });
        self.writes.push(Write { kind: T::KIND, id: id.to_owned(), content: None, apply });
        Some(older)
    }

    fn remember<T: Record>(&mut self, id: String, older: Option<Arc<T>>) {
        self.undo.push(Box::new(move |tables| {
            match older {
                Some(older) => tables.insert(id, older),
                None => tables.remove::<T>(&id),
            };
        }));
    }

    pub(super) fn writes(&mut self) -> Result<&[Write], serde_json::Error> {
        match self.failure.take() {
            Some(error) => Err(error),
            None => Ok(&self.writes),
        }
    }

    /// Keeps it, and returns what it did.
    pub(super) fn keep(mut self) -> Vec<Write> {
        self.undo.clear();
        std::mem::take(&mut self.writes)
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            undo(self.tables);
        }
    }
}
