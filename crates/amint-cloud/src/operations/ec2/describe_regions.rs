use super::{REGIONS, filters, passes};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Tags;

/// Lists the regions.
pub(crate) fn describe_regions(_call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let wanted = params.list("RegionName");
    params.boolean("AllRegions")?;
    let filters = filters(params, &["endpoint", "opt-in-status", "region-name"])?;
    if let Some(unknown) = wanted.iter().find(|name| !REGIONS.contains(name)) {
        return Err(Fault::client("InvalidParameterValue", format!("Invalid region: '{unknown}'")));
    }
    let mut regions = Vec::new();
    for name in REGIONS.into_iter().filter(|name| wanted.is_empty() || wanted.contains(name)) {
        let endpoint = format!("ec2.{name}.amazonaws.com");
        let is_passed = passes(&filters, &Tags::new(), |filter| match filter {
            "region-name" => vec![name.to_owned()],
            "endpoint" => vec![endpoint.clone()],
            "opt-in-status" => vec!["opt-in-not-required".to_owned()],
            _ => Vec::new(),
        });
        if is_passed {
            regions.push(
                Element::default()
                    .text("regionName", name)
                    .text("regionEndpoint", endpoint)
                    .text("optInStatus", "opt-in-not-required"),
            );
        }
    }
    Ok(Element::default().with(Element::list("regionInfo", regions)))
}
