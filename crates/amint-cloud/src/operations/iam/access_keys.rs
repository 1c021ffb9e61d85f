use std::sync::Arc;

use super::{key, listed, not_found, page, time, users};
use crate::AccessKey;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Secret, User, UserKey};
use crate::state::Change;

/// How many keys a user has at most.
const COUNT_MAX: usize = 2;

/// Makes a key pair of a user. Its secret is told this once.
pub(crate) fn create_access_key(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = users::asked(call, params)?;
    let pair = AccessKey::random("AKIA", call.account()).map_err(|_| Fault::internal())?;
    call.change(params, |change| {
        let user = change.get::<User>(&key(call.account(), name)).ok_or_else(|| not_found("user", name))?;
        let count = change.tables().user_keys.values().filter(|one| one.user == user.key).count();
        if count >= COUNT_MAX {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {COUNT_MAX}");
            return Err(Fault::client("LimitExceeded", message).with_status(409));
        }
        change.put(UserKey {
            id: pair.id().to_owned(),
            secret: Secret(pair.secret().to_owned()),
            user: user.key.clone(),
            created: call.now,
            is_active: true,
        });
        Ok(())
    })?;
    let told = Element::new("AccessKey")
        .text("UserName", name)
        .text("AccessKeyId", pair.id())
        .text("Status", "Active")
        .text("SecretAccessKey", pair.secret())
        .text("CreateDate", time(call.now));
    Ok(Element::default().with(told))
}

/// Lists the keys of a user.
pub(crate) fn list_access_keys(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = users::asked(call, params)?;
    let tables = call.tables();
    let user = tables.users.get(&key(call.account(), name)).ok_or_else(|| not_found("user", name))?;
    let own = tables.user_keys.values().filter(|one| one.user == user.key);
    let page = page(call, params, own, |one| one.id.clone())?;
    let told = page.entries.iter().map(|one| {
        Element::default()
            .text("UserName", name)
            .text("AccessKeyId", &one.id)
            .text("Status", if one.is_active { "Active" } else { "Inactive" })
            .text("CreateDate", time(one.created))
    });
    Ok(listed("AccessKeyMetadata", told, page.next_token))
}

/// Switches a key of a user on or off.
pub(crate) fn update_access_key(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (name, id) = (users::asked(call, params)?, params.required("AccessKeyId")?);
    let is_active = match params.required("Status")? {
        "Active" => true,
        "Inactive" => false,
        other => return Err(Fault::client("InvalidInput", format!("'{other}' is no status of a key"))),
    };
    call.change(params, |change| {
        let found = own(call, change, name, id)?;
        change.put(UserKey { is_active, ..UserKey::clone(&found) });
        Ok(())
    })?;
    Ok(Element::default())
}

/// Removes a key of a user.
pub(crate) fn delete_access_key(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (name, id) = (users::asked(call, params)?, params.required("AccessKeyId")?);
    call.change(params, |change| {
        let found = own(call, change, name, id)?;
        change.remove::<UserKey>(&found.id);
        Ok(())
    })?;
    Ok(Element::default())
}

fn own(call: &Call<'_>, change: &Change<'_>, name: &str, id: &str) -> Result<Arc<UserKey>, Fault> {
    let user = key(call.account(), name);
    change.get::<UserKey>(id).filter(|one| one.user == user).ok_or_else(|| not_found("Access Key", id))
}
