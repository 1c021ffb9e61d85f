use super::settings;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Tables;

const STATE: &str = "ebsEncryptionByDefault";

/// Tells whether new snapshots count as encrypted when nobody says so. As everywhere here, that is written down only.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_ebs_encryption_by_default(call: &Call<'_>, _params: &Params) -> Result<Element, Fault> {
    let settings = settings::own(call, &call.tables());
    let kind = if settings.is_encrypted_by_default { "sse-kms" } else { "sse-ebs" };
    Ok(Element::default().text(STATE, settings.is_encrypted_by_default).text("sseType", kind))
}

/// From now on new snapshots count as encrypted.
pub(crate) fn enable_ebs_encryption_by_default(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    settings::set(call, params, (STATE, "true"), |settings| settings.is_encrypted_by_default = true)
}

/// From now on new snapshots count as encrypted only when that is asked for.
pub(crate) fn disable_ebs_encryption_by_default(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    settings::set(call, params, (STATE, "false"), |settings| settings.is_encrypted_by_default = false)
}

/// Tells the key for what names none.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_ebs_default_kms_key_id(call: &Call<'_>, _params: &Params) -> Result<Element, Fault> {
    let settings = settings::own(call, &call.tables());
    Ok(Element::default().text("kmsKeyId", settings.default_key_id()))
}

/// Sets the key for what names none. It is kept as it is named: whether there is such a key is not looked up, as AWS
/// looks only later.
pub(crate) fn modify_ebs_default_kms_key_id(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let key = params.required("KmsKeyId")?;
    if key.len() > 2048
        || !key.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_/:".contains(letter))
    {
        return Err(Fault::invalid_value("KmsKeyId", key));
    }
    settings::set(call, params, ("kmsKeyId", key), |settings| settings.default_key = Some(key.to_owned()))
}

/// Sets the key for what names none to AWS's own.
pub(crate) fn reset_ebs_default_kms_key_id(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    settings::set(call, params, ("kmsKeyId", "alias/aws/ebs"), |settings| settings.default_key = None)
}

/// Tells whether new snapshots of whoever asks count as encrypted when nobody says so.
pub(crate) fn is_encrypted_by_default(call: &Call<'_>, tables: &Tables) -> bool {
    settings::own(call, tables).is_encrypted_by_default
}

/// Returns the key that is named, or the one for what names none: AWS's own by its ARN in the region.
pub(crate) fn key_or_default(call: &Call<'_>, tables: &Tables, named: Option<&str>) -> String {
    let key = named.map_or_else(|| settings::own(call, tables).default_key_id().to_owned(), str::to_owned);
    if key == "alias/aws/ebs" {
        return format!("arn:aws:kms:{}:{}:{key}", call.region, call.account());
    }
    key
}
