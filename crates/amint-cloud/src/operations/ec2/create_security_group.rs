use super::{security_groups, tag_set, tags};
use crate::network::Network;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::SecurityGroup;
use crate::world::new_id;

/// The most characters of a name or a description.
const CHARS_MAX: usize = 255;

/// Makes a security group, which lets everything out and nothing in.
pub(crate) fn create_security_group(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (name, description) = (params.required("GroupName")?, params.required("GroupDescription")?);
    let network = Network::of(call.account(), call.region);
    check(name)?;
    check(description)?;
    if name.starts_with("sg-") || name == "default" {
        return Err(Fault::client("InvalidParameterValue", format!("The name '{name}' is reserved")));
    }
    if let Some(id) = params.get("VpcId").filter(|id| *id != network.vpc_id) {
        return Err(Fault::client("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist")));
    }
    let group = SecurityGroup {
        id: new_id("sg"),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        vpc_id: network.vpc_id,
        rules: vec![security_groups::all_outward()],
        tags: tags::specified(params, "security-group")?,
    };
    let answer = Element::default()
        .text("return", true)
        .text("groupId", &group.id)
        .text("securityGroupArn", security_groups::arn(&group, "security-group", &group.id))
        .with(tag_set(&group.tags));
    call.change(params, |change| {
        if security_groups::named(call, change.tables(), name).is_some() {
            let message = format!("The security group '{name}' already exists for VPC '{}'", group.vpc_id);
            return Err(Fault::client("InvalidGroup.Duplicate", message));
        }
        change.put(group);
        Ok(())
    })?;
    Ok(answer)
}

fn check(text: &str) -> Result<(), Fault> {
    let is_allowed =
        |letter: char| letter.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(letter);
    if text.chars().count() <= CHARS_MAX && text.chars().all(is_allowed) {
        return Ok(());
    }
    let message = format!("Invalid security group name or description '{text}'");
    Err(Fault::client("InvalidParameterValue", message))
}
