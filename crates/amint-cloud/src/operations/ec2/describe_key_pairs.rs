use super::{filters, key_pairs, passes, tag_set, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::KeyPair;

/// The filters that there are besides those of tags (API reference, `DescribeKeyPairs`).
const FILTERS: [&str; 3] = ["fingerprint", "key-name", "key-pair-id"];

/// Lists the key pairs of an account.
pub(crate) fn describe_key_pairs(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (names, ids) = (params.list("KeyName"), params.list("KeyPairId"));
    let with_key = params.boolean("IncludePublicKey")?.unwrap_or(false);
    let filters = filters(params, &FILTERS)?;
    let tables = call.tables();
    let own = || tables.key_pairs.values().filter(|pair| call.owns(&pair.account, &pair.region));
    if let Some(name) = names.iter().find(|name| own().all(|pair| pair.name != **name)) {
        return Err(key_pairs::not_found(name));
    }
    if let Some(id) = ids.iter().find(|id| own().all(|pair| pair.id != **id)) {
        return Err(key_pairs::not_found(id));
    }
    let is_wanted = |pair: &KeyPair| {
        (names.is_empty() || names.contains(&pair.name.as_str()))
            && (ids.is_empty() || ids.contains(&pair.id.as_str()))
            && passes(&filters, &pair.tags, |name| match name {
                "fingerprint" => vec![pair.fingerprint.clone()],
                "key-name" => vec![pair.name.clone()],
                "key-pair-id" => vec![pair.id.clone()],
                _ => Vec::new(),
            })
    };
    let entries = own().filter(|pair| is_wanted(pair)).map(|pair| {
        Element::default()
            .text("keyPairId", &pair.id)
            .text("keyName", &pair.name)
            .text("keyType", &pair.key_type)
            .text("keyFingerprint", &pair.fingerprint)
            .maybe("publicKey", Some(&pair.public_key).filter(|_| with_key))
            .text("createTime", time(pair.created))
            .with(tag_set(&pair.tags))
    });
    Ok(Element::default().with(Element::list("keySet", entries)))
}
