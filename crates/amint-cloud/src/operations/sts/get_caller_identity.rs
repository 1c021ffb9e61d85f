use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::world::ACCOUNT_ID;

/// Tells who the caller is: the root of the local account.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_caller_identity(_call: &Call<'_>, _params: &Params) -> Result<Element, Fault> {
    Ok(Element::default()
        .text("Arn", format!("arn:aws:iam::{ACCOUNT_ID}:root"))
        .text("UserId", ACCOUNT_ID)
        .text("Account", ACCOUNT_ID))
}
