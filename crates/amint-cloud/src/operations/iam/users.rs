use std::sync::Arc;

use super::{conflict, exists, key, listed, name, not_found, page, path, tag_list, tags, time};
use crate::access::unique_id;
use crate::operations::{Call, CallerKind};
use crate::protocol::{Element, Fault, Params};
use crate::records::User;

/// Makes a user.
pub(crate) fn create_user(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "UserName", 64)?;
    let user = User {
        key: key(call.account(), name),
        account: call.account().to_owned(),
        name: name.to_owned(),
        path: path(params)?,
        unique_id: unique_id("AIDA"),
        created: call.now,
        tags: tags(params)?,
    };
    let answer = Element::default().with(describe(&user));
    call.change(params, |change| {
        if change.get::<User>(&user.key).is_some() {
            return Err(exists("User", name));
        }
        change.put(user);
        Ok(())
    })?;
    Ok(answer)
}

/// Returns the name of the user that a request names, or of the one that asks.
pub(super) fn asked<'a>(call: &'a Call<'_>, params: &'a Params) -> Result<&'a str, Fault> {
    if params.get("UserName").is_some() {
        return name(params, "UserName", 128);
    }
    match &call.caller.kind {
        CallerKind::User(name) => Ok(name),
        _ => Err(Fault::client(
            "ValidationError",
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

/// Tells a user; without a name, whoever asks.
pub(crate) fn get_user(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    if params.get("UserName").is_none() && call.caller.kind == CallerKind::Root {
        let root = Element::new("User")
            .text("Path", "/")
            .text("UserName", "root")
            .text("UserId", call.account())
            .text("Arn", &call.caller.arn)
            .text("CreateDate", time(jiff::Timestamp::UNIX_EPOCH));
        return Ok(Element::default().with(root));
    }
    let name = asked(call, params)?;
    let user = call.tables().users.get(&key(call.account(), name)).cloned();
    Ok(Element::default().with(describe(user.ok_or_else(|| not_found("user", name))?.as_ref())))
}

/// Lists the users of whoever asks.
pub(crate) fn list_users(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    let tables = call.tables();
    let is_asked = |user: &&Arc<User>| user.account == call.account() && user.path.starts_with(prefix);
    let page = page(call, params, tables.users.values().filter(is_asked), |user| user.name.clone())?;
    Ok(listed("Users", page.entries.iter().map(|user| describe(user)), page.next_token))
}

/// Removes a user without keys.
pub(crate) fn delete_user(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "UserName", 64)?;
    call.change(params, |change| {
        let key = key(call.account(), name);
        if change.tables().user_keys.values().any(|one| one.user == key) {
            return Err(conflict("Cannot delete entity, must delete access keys first."));
        }
        change.remove::<User>(&key).ok_or_else(|| not_found("user", name))
    })?;
    Ok(Element::default())
}

/// Lists the aliases of the account: it has none.
pub(crate) fn list_account_aliases(_: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    params.number("MaxItems")?;
    params.get("Marker");
    Ok(listed("AccountAliases", [], None))
}

fn describe(user: &User) -> Element {
    let element = Element::new("User")
        .text("Path", &user.path)
        .text("UserName", &user.name)
        .text("UserId", &user.unique_id)
        .text("Arn", user.arn())
        .text("CreateDate", time(user.created));
    if user.tags.is_empty() { element } else { element.with(tag_list(&user.tags)) }
}
