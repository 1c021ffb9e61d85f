use super::{filters, passes};
use crate::network::Network;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Tags;

/// The filters that there are (API reference, `DescribeAvailabilityZones`).
const FILTERS: [&str; 8] = [
    "group-name",
    "network-border-group",
    "opt-in-status",
    "region-name",
    "state",
    "zone-id",
    "zone-name",
    "zone-type",
];

/// Lists the availability zones of the region: three of them.
pub(crate) fn describe_availability_zones(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (names, ids) = (params.list("ZoneName"), params.list("ZoneId"));
    params.boolean("AllAvailabilityZones")?;
    let filters = filters(params, &FILTERS)?;
    let mut zones = Vec::new();
    for subnet in Network::of(call.account(), call.region).subnets {
        let (name, id) = (subnet.zone, subnet.zone_id);
        let is_wanted = (names.is_empty() || names.contains(&name.as_str()))
            && (ids.is_empty() || ids.contains(&id.as_str()))
            && passes(&filters, &Tags::new(), |filter| match filter {
                "zone-name" => vec![name.clone()],
                "zone-id" => vec![id.clone()],
                "state" => vec!["available".to_owned()],
                "zone-type" => vec!["availability-zone".to_owned()],
                "opt-in-status" => vec!["opt-in-not-required".to_owned()],
                "group-name" | "network-border-group" | "region-name" => vec![call.region.to_owned()],
                _ => Vec::new(),
            });
        if is_wanted {
            zones.push(
                Element::default()
                    .text("optInStatus", "opt-in-not-required")
                    .with(Element::new("messageSet"))
                    .text("regionName", call.region)
                    .text("zoneName", name)
                    .text("zoneId", id)
                    .text("groupName", call.region)
                    .text("networkBorderGroup", call.region)
                    .text("zoneType", "availability-zone")
                    .text("zoneState", "available"),
            );
        }
    }
    Ok(Element::default().with(Element::list("availabilityZoneInfo", zones)))
}
