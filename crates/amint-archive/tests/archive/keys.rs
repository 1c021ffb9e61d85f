//! Throwaway keys, good ones and bad ones.

use std::path::Path;

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, EncryptionCaps, KeyType, SecretKeyParamsBuilder,
    SignedKeyDetails, SignedPublicKey, SignedPublicSubKey, SignedSecretKey, SubkeyParamsBuilder,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{Duration, KeyDetails, Password, SignedUser, SigningKey, Tag, Timestamp};
use rand::rngs::OsRng;

/// What a key is like.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// When it was made, in seconds since the epoch.
    pub(crate) created: u32,
    /// How long it can be used.
    pub(crate) lifetime: Option<u32>,
    pub(crate) is_revoked: bool,
    pub(crate) can_sign: bool,
    /// A subkey signs instead of the key itself.
    pub(crate) subkey: Option<SubkeySpec>,
}

#[derive(Clone, Debug)]
pub(crate) struct SubkeySpec {
    pub(crate) can_sign: bool,
    /// It confirms that it belongs to the key.
    pub(crate) is_confirmed: bool,
    pub(crate) is_revoked: bool,
    pub(crate) lifetime: Option<u32>,
}

impl Spec {
    pub(crate) fn good(created: u32) -> Self {
        Self { created, lifetime: None, is_revoked: false, can_sign: true, subkey: None }
    }
}

impl SubkeySpec {
    pub(crate) fn good() -> Self {
        Self { can_sign: true, is_confirmed: true, is_revoked: false, lifetime: None }
    }
}

pub(crate) struct Key {
    spec: Spec,
    secret: SignedSecretKey,
    pub(crate) public: SignedPublicKey,
}

impl Key {
    pub(crate) fn new(spec: Spec) -> Self {
        let created = Timestamp::from_secs(spec.created);
        // The form of RFC 4880 drafts, which every GnuPG in use understands.
        let subkey = SubkeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_sign(true)
            .can_encrypt(EncryptionCaps::None)
            .created_at(created)
            .build()
            .unwrap();
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .key_type(KeyType::Ed25519Legacy)
            .can_sign(true)
            .can_certify(true)
            .created_at(created)
            .primary_user_id("Throwaway <throwaway@mirror.example>".to_owned());
        if spec.subkey.is_some() {
            parameters.subkey(subkey);
        }
        let secret = parameters.build().unwrap().generate(OsRng).unwrap();
        let public = public(&spec, &secret);
        Self { spec, secret, public }
    }

    pub(crate) fn fingerprint(&self) -> String {
        format!("{:X}", self.public.fingerprint())
    }

    /// Signs a text, with the subkey when there is one.
    pub(crate) fn sign(&self, text: &[u8], kind: SignatureType, hash: HashAlgorithm, at: u32) -> Signature {
        match self.secret.secret_subkeys.first() {
            Some(subkey) => sign(&subkey.key, text, kind, hash, at),
            None => sign(&self.secret.primary_key, text, kind, hash, at),
        }
    }

    /// Writes a binary keyring of several keys.
    pub(crate) fn keyring(path: &Path, keys: &[&Self]) {
        let mut bytes = Vec::new();
        for key in keys {
            key.public.to_writer(&mut bytes).unwrap();
        }
        std::fs::write(path, bytes).unwrap();
    }

    /// Writes an armoured keyring, one block per key.
    pub(crate) fn armoured_keyring(path: &Path, keys: &[&Self]) {
        let armoured = |key: &&Self| key.public.to_armored_string(ArmorOptions::default()).unwrap();
        let text: Vec<String> = keys.iter().map(armoured).collect();
        std::fs::write(path, format!("A comment before.\n{}", text.join("\n"))).unwrap();
    }

    pub(crate) fn created(&self) -> u32 {
        self.spec.created
    }
}

fn sign(key: &impl SigningKey, text: &[u8], kind: SignatureType, hash: HashAlgorithm, at: u32) -> Signature {
    let mut config = SignatureConfig::v4(kind, key.algorithm(), hash);
    config.hashed_subpackets = vec![
        regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(at))),
        regular(SubpacketData::IssuerFingerprint(key.fingerprint())),
    ];
    config.unhashed_subpackets = vec![regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))];
    config.sign(key, &Password::empty(), text).unwrap()
}

/// Makes a text with signatures inside.
pub(crate) fn clearsign(text: &str, sign: impl FnOnce(&[u8]) -> Vec<Signature>) -> Vec<u8> {
    let message = CleartextSignedMessage::new_many(text, |text| Ok(sign(text.as_bytes()))).unwrap();
    message.to_armored_bytes(ArmorOptions::default()).unwrap()
}

/// Makes an armoured signature to lie beside a text.
pub(crate) fn detached(signature: Signature) -> Vec<u8> {
    DetachedSignature::new(signature).to_armored_bytes(ArmorOptions::default()).unwrap()
}

/// Makes what is known of a key in public, with its faults.
fn public(spec: &Spec, secret: &SignedSecretKey) -> SignedPublicKey {
    let primary = &secret.primary_key;
    let password = Password::empty();
    let id = secret.details.users[0].id.clone();
    let config = |kind, lifetime: Option<u32>, can_sign| {
        let mut config = SignatureConfig::v4(kind, primary.algorithm(), HashAlgorithm::Sha512);
        let mut flags = KeyFlags::default();
        flags.set_sign(can_sign);
        flags.set_certify(kind == SignatureType::CertPositive);
        config.hashed_subpackets = vec![
            regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(spec.created))),
            regular(SubpacketData::IssuerFingerprint(primary.fingerprint())),
            regular(SubpacketData::KeyFlags(flags)),
        ];
        let lifetime = lifetime.map(|seconds| std::time::Duration::from_secs(u64::from(seconds)));
        let lifetime = lifetime.map(|lifetime| Duration::try_from(lifetime).unwrap());
        config.hashed_subpackets.extend(lifetime.map(|time| regular(SubpacketData::KeyExpirationTime(time))));
        config.unhashed_subpackets = vec![regular(SubpacketData::IssuerKeyId(primary.legacy_key_id()))];
        config
    };
    let certification = config(SignatureType::CertPositive, spec.lifetime, spec.can_sign)
        .sign_certification(primary, primary.public_key(), &password, Tag::UserId, &id)
        .unwrap();
    let mut revocations = Vec::new();
    if spec.is_revoked {
        let revocation = config(SignatureType::KeyRevocation, None, false);
        revocations.push(revocation.sign_key(primary, &password, primary.public_key()).unwrap());
    }
    let mut subkeys = Vec::new();
    if let Some(wish) = &spec.subkey {
        let subkey = &secret.secret_subkeys[0].key;
        let mut binding = config(SignatureType::SubkeyBinding, wish.lifetime, wish.can_sign);
        if wish.is_confirmed {
            let confirmation =
                subkey.sign_primary_key_binding(OsRng, primary.public_key(), &password).unwrap();
            binding.hashed_subpackets.push(regular(SubpacketData::EmbeddedSignature(Box::new(confirmation))));
        }
        let public = subkey.public_key();
        let mut signatures =
            vec![binding.sign_subkey_binding(primary, primary.public_key(), &password, public).unwrap()];
        if wish.is_revoked {
            let revocation = config(SignatureType::SubkeyRevocation, None, false);
            signatures.push(
                revocation.sign_subkey_binding(primary, primary.public_key(), &password, public).unwrap(),
            );
        }
        subkeys.push(SignedPublicSubKey::new(public.clone(), signatures));
    }
    let users = vec![SignedUser::new(id, vec![certification])];
    let details = SignedKeyDetails::new(revocations, Vec::new(), users, Vec::new());
    SignedPublicKey::new(primary.public_key().clone(), details, subkeys)
}

fn regular(data: SubpacketData) -> Subpacket {
    Subpacket::regular(data).unwrap()
}
