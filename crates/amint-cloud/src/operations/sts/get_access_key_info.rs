use crate::access::account_of;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::world::ACCOUNT_ID;

/// Tells the account of a key id.
pub(crate) fn get_access_key_info(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = params.required("AccessKeyId")?;
    if id == call.key.id() {
        return Ok(Element::default().text("Account", ACCOUNT_ID));
    }
    let account = call.key.secret_of(id).and(account_of(id));
    let unknown =
        || Fault::client("InvalidClientTokenId", "The security token included in the request is invalid");
    Ok(Element::default().text("Account", format!("{:012}", account.ok_or_else(unknown)?)))
}
