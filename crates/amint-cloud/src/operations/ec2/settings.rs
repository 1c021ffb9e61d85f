//! What an account has set in a region.

use std::sync::Arc;

use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Settings, Tables};

/// Returns what an account has set in a region.
pub(super) fn of(tables: &Tables, account: &str, region: &str) -> Arc<Settings> {
    tables.settings.get(&Settings::key(account, region)).cloned().unwrap_or_default()
}

/// Returns what whoever asks has set.
pub(super) fn own(call: &Call<'_>, tables: &Tables) -> Arc<Settings> {
    of(tables, call.account(), call.region)
}

/// Changes what whoever asks has set, and answers with one element.
pub(super) fn set(
    call: &Call<'_>,
    params: &Params,
    element: (&'static str, &str),
    edit: impl FnOnce(&mut Settings),
) -> Result<Element, Fault> {
    call.change(params, |change| {
        let mut settings = Settings::clone(&own(call, change.tables()));
        settings.key = Settings::key(call.account(), call.region);
        edit(&mut settings);
        change.put(settings);
        Ok(())
    })?;
    Ok(Element::default().text(element.0, element.1))
}
