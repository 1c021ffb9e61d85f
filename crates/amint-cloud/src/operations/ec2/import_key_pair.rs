use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{key_pairs, tag_set};
use crate::key_material;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Takes the public half of a key pair that somebody made.
pub(crate) fn import_key_pair(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let asked = key_pairs::asked(params)?;
    let material = params.required("PublicKeyMaterial")?;
    let text = STANDARD.decode(material).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let public = text.and_then(|line| key_material::read(&line)).ok_or_else(|| {
        let message = "Key is not in valid OpenSSH public key format";
        Fault::client("InvalidKey.Format", message)
    })?;
    let pair = key_pairs::put(call, params, &asked, public)?;
    Ok(Element::default()
        .text("keyName", &pair.name)
        .text("keyFingerprint", &pair.fingerprint)
        .text("keyPairId", &pair.id)
        .with(tag_set(&pair.tags)))
}
