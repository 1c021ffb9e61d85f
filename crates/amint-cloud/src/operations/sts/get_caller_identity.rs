use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Tells who the caller is.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_caller_identity(call: &Call<'_>, _params: &Params) -> Result<Element, Fault> {
    let caller = call.caller;
    Ok(Element::default()
        .text("Arn", &caller.arn)
        .text("UserId", &caller.user_id)
        .text("Account", &caller.account))
}
