//! Every request that amint sends to AWS, once: what sends them and what allows them read the same list.

/// What somebody may use amint for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Bring images to regions.
    Publish,
    /// Prove that a published image is the store's.
    Verify,
    /// Remove what runs that were broken off left behind.
    Collect,
    /// Move channels to images and back.
    Promote,
    /// Sell versions of products on AWS Marketplace.
    Sell,
}

/// Whether a request changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only reads.
    Reads,
    /// It changes what the account has.
    Changes,
}

/// What a policy can hold a request to (Service Authorization Reference, "Actions, resources, and condition keys").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Anybody who signs may ask.
    Free,
    /// It looks at what holds for the account; the service knows no region or resource for it.
    Account,
    /// The service knows no resource for it: only the region can be told.
    Listing,
    /// It makes a snapshot, and tags it.
    NewSnapshot,
    /// It makes an image of a snapshot that is there, and tags the image.
    NewImage,
    /// It makes an image and its snapshot, and tags both.
    NewPair,
    /// It touches a snapshot that amint made.
    OwnSnapshot,
    /// It touches an image that amint made.
    OwnImage,
    /// It touches a parameter below the path of channels.
    Parameter,
    /// It asks AWS Marketplace's catalog.
    Catalog,
    /// It touches the access role.
    Role,
    /// It looks at a key.
    Key,
    /// It goes into another account.
    Assumed,
}

/// When a request is sent at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Always,
    Sharing,
    Deprecation,
    Protection,
    Watermarks,
    Copying,
    Channels,
    RoleMaking,
    Keys,
    Roles,
}

/// A request that amint sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Service and operation, as policies and the log of an account name them: `ec2:RegisterImage`.
    pub action: &'static str,
    /// Whether it changes anything.
    pub effect: Effect,
    pub(crate) guard: Guard,
    pub(crate) need: Need,
    purposes: &'static [Purpose],
}

impl Call {
    /// Finds a request by its service and operation, in whatever case the service is written.
    pub fn find(service: &str, operation: &str) -> Option<&'static Self> {
        CALLS.iter().find(|call| {
            let parts = call.action.split_once(':');
            // The SDK writes services with spaces: `Marketplace Catalog`.
            let service = match service {
                "Marketplace Catalog" => "aws-marketplace",
                "Service Quotas" => "servicequotas",
                other => other,
            };
            parts.is_some_and(|(known, name)| known.eq_ignore_ascii_case(service) && name == operation)
        })
    }

    /// Tells whether a purpose sends it.
    pub fn is_for(&self, purpose: Purpose) -> bool {
        self.purposes.contains(&purpose)
    }
}

const ALL: &[Purpose] =
    &[Purpose::Publish, Purpose::Verify, Purpose::Collect, Purpose::Promote, Purpose::Sell];
const SELL: &[Purpose] = &[Purpose::Sell];
const PROMOTE: &[Purpose] = &[Purpose::Promote, Purpose::Publish];
const PUBLISH: &[Purpose] = &[Purpose::Publish];
const VERIFY: &[Purpose] = &[Purpose::Verify];
/// A new image that came out otherwise than wanted is taken back.
const REMOVE: &[Purpose] = &[Purpose::Publish, Purpose::Collect];

macro_rules! calls {
    ($($name:ident $action:literal $effect:ident $guard:ident $need:ident $purposes:ident;)*) => {
        $(
            #[doc = concat!("`", $action, "`.")]
            pub const $name: Call = Call {
                action: $action,
                effect: Effect::$effect,
                guard: Guard::$guard,
                need: Need::$need,
                purposes: $purposes,
            };
        )*

        /// All requests.
        pub const CALLS: &[Call] = &[$($name),*];
    };
}

// One line for each request, sorted by action.
calls! {
    DESCRIBE_ASSESSMENT "aws-marketplace:DescribeAssessment" Reads Catalog Always SELL;
    DESCRIBE_CHANGE_SET "aws-marketplace:DescribeChangeSet" Reads Catalog Always SELL;
    DESCRIBE_ENTITY "aws-marketplace:DescribeEntity" Reads Catalog Always SELL;
    LIST_ASSESSMENTS "aws-marketplace:ListAssessments" Reads Catalog Always SELL;
    LIST_CHANGE_SETS "aws-marketplace:ListChangeSets" Reads Catalog Always SELL;
    START_CHANGE_SET "aws-marketplace:StartChangeSet" Changes Catalog Always SELL;
    COMPLETE_SNAPSHOT "ebs:CompleteSnapshot" Changes OwnSnapshot Always PUBLISH;
    GET_SNAPSHOT_BLOCK "ebs:GetSnapshotBlock" Reads OwnSnapshot Always VERIFY;
    LIST_SNAPSHOT_BLOCKS "ebs:ListSnapshotBlocks" Reads OwnSnapshot Always VERIFY;
    PUT_SNAPSHOT_BLOCK "ebs:PutSnapshotBlock" Changes OwnSnapshot Always PUBLISH;
    START_SNAPSHOT "ebs:StartSnapshot" Changes NewSnapshot Always PUBLISH;
    ATTACH_IMAGE_WATERMARK "ec2:AttachImageWatermark" Changes OwnImage Watermarks PUBLISH;
    COPY_IMAGE "ec2:CopyImage" Changes NewPair Copying PUBLISH;
    DELETE_SNAPSHOT "ec2:DeleteSnapshot" Changes OwnSnapshot Always REMOVE;
    DEREGISTER_IMAGE "ec2:DeregisterImage" Changes OwnImage Always REMOVE;
    DESCRIBE_IMAGE_ATTRIBUTE "ec2:DescribeImageAttribute" Reads OwnImage Sharing PUBLISH;
    DESCRIBE_IMAGES "ec2:DescribeImages" Reads Listing Always ALL;
    DESCRIBE_SNAPSHOT_ATTRIBUTE "ec2:DescribeSnapshotAttribute" Reads OwnSnapshot Sharing PUBLISH;
    DESCRIBE_SNAPSHOTS "ec2:DescribeSnapshots" Reads Listing Always REMOVE;
    ENABLE_IMAGE_DEPRECATION "ec2:EnableImageDeprecation" Changes OwnImage Deprecation PUBLISH;
    ENABLE_IMAGE_DEREGISTRATION_PROTECTION "ec2:EnableImageDeregistrationProtection" Changes OwnImage Protection PUBLISH;
    GET_EBS_ENCRYPTION_BY_DEFAULT "ec2:GetEbsEncryptionByDefault" Reads Listing Always PUBLISH;
    MODIFY_IMAGE_ATTRIBUTE "ec2:ModifyImageAttribute" Changes OwnImage Sharing PUBLISH;
    MODIFY_SNAPSHOT_ATTRIBUTE "ec2:ModifySnapshotAttribute" Changes OwnSnapshot Sharing PUBLISH;
    REGISTER_IMAGE "ec2:RegisterImage" Changes NewImage Always PUBLISH;
    ATTACH_ROLE_POLICY "iam:AttachRolePolicy" Changes Role RoleMaking SELL;
    CREATE_ROLE "iam:CreateRole" Changes Role RoleMaking SELL;
    GET_ROLE "iam:GetRole" Reads Role Always SELL;
    LIST_ATTACHED_ROLE_POLICIES "iam:ListAttachedRolePolicies" Reads Role Always SELL;
    LIST_ROLE_POLICIES "iam:ListRolePolicies" Reads Role Always SELL;
    DESCRIBE_KEY "kms:DescribeKey" Reads Key Keys PUBLISH;
    GET_KEY_POLICY "kms:GetKeyPolicy" Reads Key Keys PUBLISH;
    DESCRIBE_EFFECTIVE_POLICY "organizations:DescribeEffectivePolicy" Reads Account Always PUBLISH;
    GET_SERVICE_QUOTA "servicequotas:GetServiceQuota" Reads Account Always PUBLISH;
    DELETE_PARAMETER "ssm:DeleteParameter" Changes Parameter Channels PROMOTE;
    GET_PARAMETER "ssm:GetParameter" Reads Parameter Channels PROMOTE;
    GET_PARAMETER_HISTORY "ssm:GetParameterHistory" Reads Parameter Channels PROMOTE;
    LIST_TAGS_FOR_RESOURCE "ssm:ListTagsForResource" Reads Parameter Channels PROMOTE;
    PUT_PARAMETER "ssm:PutParameter" Changes Parameter Channels PROMOTE;
    ASSUME_ROLE "sts:AssumeRole" Changes Assumed Roles PUBLISH;
    GET_CALLER_IDENTITY "sts:GetCallerIdentity" Reads Free Always ALL;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_found_as_the_sdk_names_it() {
        assert_eq!(Call::find("EC2", "RegisterImage"), Some(&REGISTER_IMAGE));
        assert_eq!(Call::find("EC2", "RunInstances"), None);
        assert!(CALLS.is_sorted_by_key(|call| call.action));
    }

    #[test]
    fn proving_changes_nothing() {
        let mut proving = CALLS.iter().filter(|call| call.is_for(Purpose::Verify));
        assert!(proving.all(|call| call.effect == Effect::Reads));
    }
}
