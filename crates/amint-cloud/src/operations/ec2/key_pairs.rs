//! What operations on key pairs share.

use super::tags;
use crate::key_material::PublicHalf;
use crate::operations::Call;
use crate::protocol::{Fault, Params};
use crate::records::{KeyPair, Tables, Tags};
use crate::world::new_id;

/// The longest name of a key pair.
const NAME_CHARS_MAX: usize = 255;

/// What both ways to a key pair ask for.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    tags: Tags,
}

pub(super) fn asked(params: &Params) -> Result<Asked<'_>, Fault> {
    let name = params.required("KeyName")?;
    let is_allowed = name.chars().all(|letter| letter.is_ascii() && !letter.is_control());
    if name.len() > NAME_CHARS_MAX || !is_allowed || name.trim() != name {
        return Err(Fault::invalid_value("KeyName", name));
    }
    Ok(Asked { name, tags: tags::specified(params, "key-pair")? })
}

/// Finds a key pair of whoever asks by its name.
pub(super) fn named<'t>(call: &Call<'_>, tables: &'t Tables, name: &str) -> Option<&'t KeyPair> {
    let mut pairs = tables.key_pairs.values().map(AsRef::as_ref);
    pairs.find(|pair| pair.name == name && call.owns(&pair.account, &pair.region))
}

pub(super) fn check_name_is_free(call: &Call<'_>, tables: &Tables, name: &str) -> Result<(), Fault> {
    if named(call, tables, name).is_none() {
        return Ok(());
    }
    let message = format!("The keypair already exists: {name}");
    Err(Fault::client("InvalidKeyPair.Duplicate", message))
}

/// Puts a new key pair in its place.
pub(super) fn put(
    call: &Call<'_>,
    params: &Params,
    asked: &Asked<'_>,
    public: PublicHalf,
) -> Result<KeyPair, Fault> {
    call.change(params, |change| {
        check_name_is_free(call, change.tables(), asked.name)?;
        let pair = KeyPair {
            id: new_id("key"),
            account: call.account().to_owned(),
            region: call.region.to_owned(),
            name: asked.name.to_owned(),
            key_type: public.key_type.to_owned(),
            fingerprint: public.fingerprint,
            public_key: public.line,
            created: call.now,
            tags: asked.tags.clone(),
        };
        change.put(pair.clone());
        Ok(pair)
    })
}

pub(super) fn not_found(name: &str) -> Fault {
    Fault::client("InvalidKeyPair.NotFound", format!("The key pair '{name}' does not exist"))
}
