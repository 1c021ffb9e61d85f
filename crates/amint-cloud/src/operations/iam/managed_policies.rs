use std::sync::Arc;

use super::{conflict, encoded, name, path, policy, tag_list, tags, time};
use crate::access::unique_id;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{ManagedPolicy, Role, Tables};

/// Policies of AWS that what builds and publishes images attaches.
const OF_AWS: [&str; 14] = [
    "AWSMarketplaceAmiIngestion",
    "AWSMarketplaceFullAccess",
    "AWSMarketplaceSellerFullAccess",
    "AWSMarketplaceSellerProductsFullAccess",
    "AdministratorAccess",
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
    "EC2InstanceProfileForImageBuilder",
    "IAMReadOnlyAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
];

pub(super) fn not_found(arn: &str) -> Fault {
    let message = format!("Policy {arn} does not exist or is not attachable.");
    Fault::client("NoSuchEntity", message).with_status(404)
}

/// Refuses what is no policy of the account or of AWS.
pub(super) fn check(call: &Call<'_>, tables: &Tables, arn: &str) -> Result<(), Fault> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/");
    let is_of_aws = name.is_some_and(|name| OF_AWS.contains(&name.rsplit('/').next().unwrap_or_default()));
    if is_of_aws || own(call, tables, arn).is_ok() { Ok(()) } else { Err(not_found(arn)) }
}

fn own<'t>(call: &Call<'_>, tables: &'t Tables, arn: &str) -> Result<&'t Arc<ManagedPolicy>, Fault> {
    let policy = tables.managed_policies.get(arn).filter(|policy| policy.account == call.account());
    policy.ok_or_else(|| not_found(arn))
}

fn attachments(tables: &Tables, arn: &str) -> usize {
    tables.roles.values().filter(|role: &&Arc<Role>| role.attached.contains(arn)).count()
}

/// Makes a managed policy of one version.
pub(crate) fn create_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (name, path) = (name(params, "PolicyName", 128)?, path(params)?);
    let made = ManagedPolicy {
        arn: format!("arn:aws:iam::{}:policy{path}{name}", call.account()),
        account: call.account().to_owned(),
        name: name.to_owned(),
        path,
        unique_id: unique_id("ANPA"),
        created: call.now,
        description: params.get("Description").map(str::to_owned),
        document: policy(params, "PolicyDocument")?.to_owned(),
        tags: tags(params)?,
    };
    let answer = Element::default().with(describe(&made, 0));
    call.change(params, |change| {
        let is_taken = |other: &Arc<ManagedPolicy>| other.account == made.account && other.name == made.name;
        if change.tables().managed_policies.values().any(is_taken) {
            let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(Fault::client("EntityAlreadyExists", message).with_status(409));
        }
        change.put(made);
        Ok(())
    })?;
    Ok(answer)
}

/// Tells a managed policy of the account.
pub(crate) fn get_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let arn = params.required("PolicyArn")?;
    let tables = call.tables();
    let policy = own(call, &tables, arn)?;
    Ok(Element::default().with(describe(policy, attachments(&tables, arn))))
}

/// Tells what a managed policy of the account says.
pub(crate) fn get_policy_version(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (arn, version) = (params.required("PolicyArn")?, params.required("VersionId")?);
    let tables = call.tables();
    let policy = own(call, &tables, arn)?;
    if version != "v1" {
        let message = format!("Policy {arn} version {version} does not exist or is not attachable.");
        return Err(Fault::client("NoSuchEntity", message).with_status(404));
    }
    let told = Element::new("PolicyVersion")
        .text("Document", encoded(&policy.document))
        .text("VersionId", version)
        .text("IsDefaultVersion", true)
        .text("CreateDate", time(policy.created));
    Ok(Element::default().with(told))
}

/// Removes a managed policy that no role has.
pub(crate) fn delete_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let arn = params.required("PolicyArn")?;
    call.change(params, |change| {
        own(call, change.tables(), arn)?;
        if attachments(change.tables(), arn) > 0 {
            return Err(conflict("Cannot delete a policy attached to entities."));
        }
        change.remove::<ManagedPolicy>(arn);
        Ok(())
    })?;
    Ok(Element::default())
}

fn describe(policy: &ManagedPolicy, attachments: usize) -> Element {
    let element = Element::new("Policy")
        .text("PolicyName", &policy.name)
        .text("PolicyId", &policy.unique_id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", "v1")
        .text("AttachmentCount", attachments)
        .text("PermissionsBoundaryUsageCount", 0)
        .text("IsAttachable", true)
        .maybe("Description", policy.description.as_ref())
        .text("CreateDate", time(policy.created))
        .text("UpdateDate", time(policy.created));
    if policy.tags.is_empty() { element } else { element.with(tag_list(&policy.tags)) }
}
