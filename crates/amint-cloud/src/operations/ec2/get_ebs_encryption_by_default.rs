use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Tells whether new volumes and snapshots are encrypted by default: here nothing is encrypted, and nobody says that it were.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_ebs_encryption_by_default(_call: &Call<'_>, _params: &Params) -> Result<Element, Fault> {
    Ok(Element::default().text("ebsEncryptionByDefault", false).text("sseType", "sse-ebs"))
}
