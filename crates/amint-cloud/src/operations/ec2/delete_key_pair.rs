use super::key_pairs;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::KeyPair;

/// Forgets a key pair, by its name or its id. As in EC2 it is no error when there is none of the name.
pub(crate) fn delete_key_pair(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (name, id) = (params.get("KeyName"), params.get("KeyPairId"));
    if name.is_none() && id.is_none() {
        return Err(Fault::missing("KeyName"));
    }
    let removed = call.change(params, |change| {
        let is_own = |pair: &KeyPair| call.owns(&pair.account, &pair.region);
        let found = match (name, id) {
            (_, Some(id)) => {
                change.tables().key_pairs.get(id).filter(|pair| is_own(pair)).map(|pair| pair.id.clone())
            }
            (Some(name), None) => key_pairs::named(call, change.tables(), name).map(|pair| pair.id.clone()),
            (None, None) => None,
        };
        if let Some(id) = &found {
            change.remove::<KeyPair>(id);
        }
        match (found, id) {
            (None, Some(id)) => Err(key_pairs::not_found(id)),
            (found, _) => Ok(found),
        }
    })?;
    Ok(Element::default().text("return", true).maybe("keyPairId", removed))
}
