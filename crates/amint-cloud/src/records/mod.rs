//! What the endpoint remembers, one file for each noun.
//!
//! A record holds what was asked and when; what changes by itself with time (an image that is pending becomes
//! available) is worked out from that when it is asked for, so that nothing has to run for it and a restart loses
//! nothing.

mod allowed_images;
mod binned;
mod former_image;
mod image;
mod import;
mod instance;
mod key_pair;
mod kms_key;
mod launch_template;
mod lock;
mod marketplace;
mod organization_policy;
mod parameter;
mod principal;
mod quota;
mod retention_rule;
mod scaling;
mod security_group;
mod settings;
mod snapshot;
mod tiering;
mod token;
mod usage_report;
mod volume;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

pub(crate) use allowed_images::{
    AllowedImages, AllowedImagesState, ImageCriterion, ScanCriterion, WatermarkCriterion,
};
pub(crate) use binned::Binned;
pub(crate) use former_image::FormerImage;
pub(crate) use image::{BlockDevice, Image, ImageOrigin, LaunchPermission, Protection, Watermark};
pub(crate) use import::Import;
pub(crate) use instance::{Instance, InstanceState, MetadataOptions, ShutdownBehavior, SpotRequest};
pub(crate) use key_pair::KeyPair;
pub(crate) use kms_key::{KmsAlias, KmsGrant, KmsKey};
pub(crate) use launch_template::{LaunchTemplate, LaunchTemplateVersion};
pub(crate) use lock::{Lock, LockMode};
pub(crate) use marketplace::{
    CatalogChange, ChangeOutcome, ChangeSet, DeliveryOption, Product, ProductVersion,
};
pub(crate) use organization_policy::OrganizationPolicy;
pub(crate) use parameter::{Parameter, ParameterVersion};
pub(crate) use principal::{InstanceProfile, ManagedPolicy, Role, Secret, Session, User, UserKey};
pub(crate) use quota::Quota;
pub(crate) use retention_rule::{BinKind, RetentionRule, RuleLock, RuleTag};
pub(crate) use scaling::{LaunchConfiguration, ScalingGroup, ScalingLaunch};
pub(crate) use security_group::{Peer, Rule, SecurityGroup};
pub(crate) use settings::{Settings, SnapshotSharing};
pub(crate) use snapshot::Snapshot;
pub(crate) use tiering::{TierOperation, Tiering};
pub(crate) use token::Token;
pub(crate) use usage_report::{ReportedResource, UsageEntry, UsageReport};
pub(crate) use volume::{Attachment, Volume};

/// Tags of a resource.
pub(crate) type Tags = BTreeMap<String, String>;

/// All records of one kind by their id.
pub(crate) type Table<T> = BTreeMap<String, Arc<T>>;

/// Something that is remembered.
pub(crate) trait Record: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the kind in the database.
    const KIND: &'static str;

    /// Returns the id, which no other record of the kind has, in no account and no region.
    fn id(&self) -> &str;

    /// Returns the table of the kind.
    fn table(tables: &Tables) -> &Table<Self>;

    /// Returns the table of the kind, to be changed.
    fn table_mut(tables: &mut Tables) -> &mut Table<Self>;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident: $record:ty = $kind:literal, $id:ident;)*) => {
        /// Everything that is remembered.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Tables {
            $($(#[$doc])* pub(crate) $field: Table<$record>,)*
            /// Which image has a name, in an account and a region: looking through all of them takes long.
            image_names: BTreeMap<ImageName, String>,
        }

        impl Tables {
            /// Puts what the database holds in its place.
            ///
            /// # Errors
            /// Fails when the kind is unknown, or the content is no record of that kind.
            pub(crate) fn load(&mut self, kind: &str, content: &[u8]) -> Result<(), serde_json::Error> {
                match kind {
                    $($kind => {
                        let record: $record = serde_json::from_slice(content)?;
                        self.insert(record.id().to_owned(), Arc::new(record));
                        Ok(())
                    })*
                    other => Err(serde_json::Error::custom(format!("the kind of records `{other}` is unknown"))),
                }
            }
        }

        $(impl Record for $record {
            const KIND: &'static str = $kind;

            fn id(&self) -> &str {
                &self.$id
            }

            fn table(tables: &Tables) -> &Table<Self> {
                &tables.$field
            }

            fn table_mut(tables: &mut Tables) -> &mut Table<Self> {
                &mut tables.$field
            }
        })*
    };
}

/// Account, region and name of an image: no two have the same.
type ImageName = (String, String, String);

fn image_name<T: Record>(record: &T) -> Option<ImageName> {
    let image = (record as &dyn Any).downcast_ref::<Image>()?;
    Some((image.account.clone(), image.region.clone(), image.name.clone()))
}

impl Tables {
    /// Puts a record in its table; returns the one that had its id.
    pub(crate) fn insert<T: Record>(&mut self, id: String, record: Arc<T>) -> Option<Arc<T>> {
        let name = image_name(record.as_ref());
        let older = T::table_mut(self).insert(id.clone(), record);
        if let Some(older) = &older {
            self.forget_name(&id, older.as_ref());
        }
        if let Some(name) = name {
            self.image_names.insert(name, id);
        }
        older
    }

    /// Takes a record out of its table.
    pub(crate) fn remove<T: Record>(&mut self, id: &str) -> Option<Arc<T>> {
        let older = T::table_mut(self).remove(id)?;
        self.forget_name(id, older.as_ref());
        Some(older)
    }

    /// Finds the image that has a name.
    pub(crate) fn image_named(&self, account: &str, region: &str, name: &str) -> Option<&Arc<Image>> {
        let key = (account.to_owned(), region.to_owned(), name.to_owned());
        self.images.get(self.image_names.get(&key)?)
    }

    fn forget_name<T: Record>(&mut self, id: &str, older: &T) {
        // Another image may have taken the name within the same change.
        if let Some(name) = image_name(older)
            && self.image_names.get(&name).is_some_and(|owner| owner == id)
        {
            self.image_names.remove(&name);
        }
    }
}

// One line for each kind: `field: Type = "name in the database", id field;`.
tables! {
    binned_images: Binned<Image> = "binned-image", id;
    binned_snapshots: Binned<Snapshot> = "binned-snapshot", id;
    former_images: FormerImage = "former-image", id;
    images: Image = "image", id;
    imports: Import = "import", id;
    retention_rules: RetentionRule = "retention-rule", id;
    settings: Settings = "settings", key;
    snapshots: Snapshot = "snapshot", id;
    tokens: Token = "token", key;
    usage_reports: UsageReport = "usage-report", id;
    instances: Instance = "instance", id;
    key_pairs: KeyPair = "key-pair", id;
    security_groups: SecurityGroup = "security-group", id;
    volumes: Volume = "volume", id;
    change_sets: ChangeSet = "change-set", id;
    instance_profiles: InstanceProfile = "instance-profile", key;
    kms_aliases: KmsAlias = "kms-alias", key;
    kms_keys: KmsKey = "kms-key", id;
    launch_configurations: LaunchConfiguration = "launch-configuration", key;
    launch_templates: LaunchTemplate = "launch-template", id;
    managed_policies: ManagedPolicy = "managed-policy", arn;
    organization_policies: OrganizationPolicy = "organization-policy", id;
    parameters: Parameter = "parameter", key;
    products: Product = "product", id;
    quotas: Quota = "quota", key;
    roles: Role = "role", key;
    scaling_groups: ScalingGroup = "scaling-group", key;
    sessions: Session = "session", id;
    user_keys: UserKey = "user-key", id;
    users: User = "user", key;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::support::Bench;

    #[test]
    fn records_of_the_version_before_are_read() {
        let bench = Bench::new();
        let tables = bench.world.state.read();
        let without = |record: &serde_json::Value, names: &[&str]| {
            let mut record = record.clone();
            for name in names {
                assert!(record.as_object_mut().unwrap().remove(*name).is_some(), "{name}");
            }
            serde_json::to_vec(&record).unwrap()
        };
        let image = serde_json::to_value(tables.images.values().next().unwrap().as_ref()).unwrap();
        let snapshot = serde_json::to_value(tables.snapshots.values().next().unwrap().as_ref()).unwrap();
        let mut read = Tables::default();
        read.load("image", &without(&image, &["protection", "watermarks"])).unwrap();
        read.load("snapshot", &without(&snapshot, &["tiering", "lock", "copied_from"])).unwrap();
        assert_eq!((&read.images, &read.snapshots), (&tables.images, &tables.snapshots));
        assert!(read.load("nothing", b"{}").is_err());
        let image = tables.images.values().next().unwrap();
        let named = |tables: &Tables| {
            tables.image_named(&image.account, &image.region, &image.name).map(|found| found.id.clone())
        };
        assert_eq!(named(&read), Some(image.id.clone()));
        let renamed = Image { name: "other".to_owned(), ..Image::clone(image) };
        read.insert(image.id.clone(), Arc::new(renamed));
        assert_eq!(named(&read), None, "the name is free again");
        read.remove::<Image>(&image.id);
        assert_eq!(read.image_names, BTreeMap::new());
    }
}
