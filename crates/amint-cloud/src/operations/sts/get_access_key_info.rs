use crate::access::account_of;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Tells which account a key is of: its id says so.
pub(crate) fn get_access_key_info(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = params.required("AccessKeyId")?;
    // The endpoint's own key may be older than ids that tell their account.
    let own = (id == call.caller.key_id).then(|| call.account().to_owned());
    let account = account_of(id).or(own);
    let account =
        account.ok_or_else(|| Fault::client("ValidationError", format!("Invalid Access Key ID: {id}")))?;
    Ok(Element::default().text("Account", account))
}
