use jiff::Timestamp;

use super::describe_images::watermarks;
use super::get_image_ancestry::find;
use super::{allowed_images, check_id, filters, images, passes, tag_set, time};
use crate::network::Network;
use crate::operations::Call;
use crate::operations::page::Pager;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, Instance, Tables, Tags};

/// What is told of an instance besides its image.
#[derive(Clone, Debug)]
pub(super) struct Launched {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) instance_type: String,
    pub(super) launch_time: Timestamp,
    pub(super) zone: String,
    pub(super) zone_id: String,
    /// The state, as a number and a name.
    pub(super) state: (u16, &'static str),
    pub(super) tags: Tags,
    pub(super) image_id: String,
}

/// Returns the instances that there are.
fn launched(tables: &Tables) -> Vec<Launched> {
    tables.instances.values().map(|instance| launched_one(instance)).collect()
}

fn launched_one(instance: &Instance) -> Launched {
    let subnets = Network::of(&instance.account, &instance.region).subnets;
    let zone_id =
        subnets.into_iter().find(|subnet| subnet.id == instance.subnet_id).map(|subnet| subnet.zone_id);
    Launched {
        id: instance.id.clone(),
        account: instance.account.clone(),
        region: instance.region.clone(),
        instance_type: instance.instance_type.clone(),
        launch_time: instance.launched,
        zone: instance.zone.clone(),
        zone_id: zone_id.unwrap_or_default(),
        state: (instance.state.code(), instance.state.name()),
        tags: instance.tags.clone(),
        image_id: instance.image_id.clone(),
    }
}

/// Tells of which images the instances of whoever asks were launched, even of images that are gone.
pub(crate) fn describe_instance_image_metadata(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let tables = call.tables();
    answer(call, params, &tables, launched(&tables))
}

fn answer(
    call: &Call<'_>,
    params: &Params,
    tables: &Tables,
    mut instances: Vec<Launched>,
) -> Result<Element, Fault> {
    let ids = params.list("InstanceId");
    for id in &ids {
        check_id("i", "InvalidInstanceID.Malformed", id)?;
    }
    let filters = filters(
        params,
        &[
            "availability-zone",
            "image-allowed",
            "instance-id",
            "instance-state-name",
            "instance-type",
            "launch-time",
            "owner-alias",
            "owner-id",
            "zone-id",
        ],
    )?;
    let pager = Pager::new(call, params, 1..=1000)?;
    instances.retain(|instance| call.owns(&instance.account, &instance.region));
    if let Some(unknown) = ids.iter().find(|id| instances.iter().all(|instance| instance.id != **id)) {
        let message = format!("The instance ID '{unknown}' does not exist");
        return Err(Fault::client("InvalidInstanceID.NotFound", message));
    }
    let found = instances.into_iter().filter(|instance| {
        (ids.is_empty() || ids.contains(&instance.id.as_str()))
            && passes(&filters, &instance.tags, |name| values(call, tables, instance, name))
    });
    let page = pager.page_by(found, |instance| instance.id.clone());
    let entries = page.entries.iter().map(|instance| describe(call, tables, instance));
    let list = Element::list("instanceImageMetadataSet", entries);
    Ok(Element::default().with(list).maybe("nextToken", page.next_token))
}

fn is_allowed(call: &Call<'_>, tables: &Tables, image: &Image) -> bool {
    allowed_images::verdict(call, tables, image).unwrap_or(true)
}

fn values(call: &Call<'_>, tables: &Tables, instance: &Launched, name: &str) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    let image = find(tables, &instance.image_id);
    let of_image = |value: &dyn Fn(&Image) -> Option<String>| image.and_then(value).into_iter().collect();
    match name {
        "availability-zone" => one(&instance.zone),
        "image-allowed" => of_image(&|image| Some(is_allowed(call, tables, image).to_string())),
        "instance-id" => one(&instance.id),
        "instance-state-name" => one(instance.state.1),
        "instance-type" => one(&instance.instance_type),
        "launch-time" => one(&time(instance.launch_time)),
        "owner-alias" => of_image(&|image| images::owner_alias(&image.account).map(str::to_owned)),
        "owner-id" => of_image(&|image| Some(image.account.clone())),
        _ => one(&instance.zone_id),
    }
}

fn describe(call: &Call<'_>, tables: &Tables, instance: &Launched) -> Element {
    let state = Element::new("instanceState").text("code", instance.state.0).text("name", instance.state.1);
    let mut image_element = Element::new("imageMetadata").text("imageId", &instance.image_id);
    if let Some(image) = find(tables, &instance.image_id) {
        let is_gone = !tables.images.contains_key(&image.id);
        image_element = image_element
            .text("name", &image.name)
            .text("imageOwnerId", &image.account)
            .text("imageState", if is_gone { "deregistered" } else { image.state(call.now) })
            .maybe("imageOwnerAlias", images::owner_alias(&image.account))
            .text("creationDate", time(image.created))
            .maybe("deprecationTime", image.deprecation.map(time))
            .text("imageAllowed", is_allowed(call, tables, image))
            .text("isPublic", image.is_public())
            .with(watermarks(&image.watermarks));
    }
    Element::default()
        .text("instanceId", &instance.id)
        .text("instanceType", &instance.instance_type)
        .text("launchTime", time(instance.launch_time))
        .text("availabilityZone", &instance.zone)
        .text("zoneId", &instance.zone_id)
        .with(state)
        .text("instanceOwnerId", &instance.account)
        .with(tag_set(&instance.tags))
        .with(image_element)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::support::Bench;

    fn launched_of(bench: &Bench, image_id: &str, id: &str) -> Launched {
        Launched {
            id: id.to_owned(),
            account: bench.call().account().to_owned(),
            region: bench.call().region.to_owned(),
            instance_type: "t3.micro".to_owned(),
            launch_time: bench.call().now,
            zone: "us-east-1a".to_owned(),
            zone_id: "use1-az1".to_owned(),
            state: (16, "running"),
            tags: Tags::new(),
            image_id: image_id.to_owned(),
        }
    }

    #[test]
    fn images_that_are_gone_are_told_all_the_same() {
        let bench = Bench::new();
        let image = bench.image();
        let ask = |body: &str| {
            let call = bench.call();
            let params = Params::parse(body.as_bytes()).unwrap();
            let mut other = launched_of(&bench, &image.id, "i-00000001");
            other.account = "111122223333".to_owned();
            let instances = vec![launched_of(&bench, &image.id, "i-00000000"), other];
            answer(&call, &params, &call.tables(), instances)
                .map(|answer| answer.to_document(""))
                .map_err(|fault| fault.code)
        };
        let text = ask("Filter.1.Name=owner-id&Filter.1.Value.1=123456789012").unwrap();
        assert!(
            text.contains("<imageState>available</imageState>") && !text.contains("i-00000001"),
            "{text}"
        );
        bench.change(|change| crate::operations::bin::remove_image(&bench.call(), change, &image));
        let text = ask("InstanceId.1=i-00000000").unwrap();
        assert!(text.contains("<imageState>deregistered</imageState>"), "{text}");
        assert!(text.contains(&format!("<name>{}</name>", image.name)), "{text}");
        assert_eq!(ask("InstanceId.1=i-00000001"), Err("InvalidInstanceID.NotFound"));
    }
}
