use super::{key_pairs, tag_set};
use crate::key_material::{make_ed25519, make_rsa};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Makes a key pair, and tells its private half this once.
pub(crate) fn create_key_pair(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let asked = key_pairs::asked(params)?;
    match params.get("KeyFormat") {
        None | Some("pem") => {}
        Some("ppk") => {
            let message = "Keys in the form of PuTTY are not made here";
            return Err(Fault::client("UnsupportedOperation", message));
        }
        Some(other) => return Err(Fault::invalid_value("KeyFormat", other)),
    }
    let make = match params.get("KeyType") {
        None | Some("rsa") => make_rsa,
        Some("ed25519") => make_ed25519,
        Some(other) => return Err(Fault::invalid_value("KeyType", other)),
    };
    // Before the work, and once more with it.
    key_pairs::check_name_is_free(call, &call.tables(), asked.name)?;
    params.finish()?;
    if call.is_dry {
        return Err(crate::operations::dry_run());
    }
    let (public, private) = make().ok_or_else(Fault::internal)?;
    let pair = key_pairs::put(call, params, &asked, public)?;
    Ok(Element::default()
        .text("keyName", &pair.name)
        .text("keyFingerprint", &pair.fingerprint)
        .text("keyMaterial", private)
        .text("keyPairId", &pair.id)
        .with(tag_set(&pair.tags)))
}
