use super::settings;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{ImageCriterion, ScanCriterion, WatermarkCriterion};

/// How much there may be of each (API reference, `ImageCriterionRequest`).
const CRITERIA_MAX: usize = 10;
const PROVIDERS_MAX: usize = 200;
const PRODUCT_CODES_MAX: usize = 50;
const NAMES_MAX: usize = 50;

/// Sets the criteria for images of others, in place of those that there were.
pub(crate) fn replace_image_criteria_in_allowed_images_settings(
    call: &Call<'_>,
    params: &Params,
) -> Result<Element, Fault> {
    let indexes = params.indexes("ImageCriterion");
    if indexes.len() > CRITERIA_MAX {
        return Err(too_many("ImageCriteria", CRITERIA_MAX));
    }
    let criteria: Vec<ImageCriterion> =
        indexes.into_iter().map(|index| read(params, index)).collect::<Result<_, _>>()?;
    settings::set(call, params, ("return", "true"), |settings| settings.allowed_images.criteria = criteria)
}

fn read(params: &Params, index: u32) -> Result<ImageCriterion, Fault> {
    let name = |part: &str| format!("ImageCriterion.{index}.{part}");
    let texts = |part: &str, count_max: usize| {
        let texts: Vec<String> = params.list(&name(part)).into_iter().map(str::to_owned).collect();
        if texts.len() > count_max { Err(too_many(part, count_max)) } else { Ok(texts) }
    };
    let criterion = ImageCriterion {
        providers: texts("ImageProvider", PROVIDERS_MAX)?,
        product_codes: texts("MarketplaceProductCode", PRODUCT_CODES_MAX)?,
        names: texts("ImageName", NAMES_MAX)?,
        days_since_deprecated_max: days(
            params,
            &name("DeprecationTimeCondition.MaximumDaysSinceDeprecated"),
        )?,
        days_since_created_max: days(params, &name("CreationDateCondition.MaximumDaysSinceCreated"))?,
        watermarks: watermarks(params, &name("ImageWatermark"))?,
        scan: scan(params, &name("ScanResultCondition"))?,
    };
    check(&criterion)?;
    Ok(criterion)
}

fn check(criterion: &ImageCriterion) -> Result<(), Fault> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_provider = |text: &str| {
        matches!(text, "amazon" | "aws-marketplace" | "aws-backup-vault" | "none") || is_account(text)
    };
    if let Some(wrong) = criterion.providers.iter().find(|text| !is_provider(text)) {
        return Err(Fault::invalid_value("ImageProvider", wrong));
    }
    if criterion.providers.len() > 1 && criterion.providers.iter().any(|text| text == "none") {
        let message = "The image provider 'none' cannot be used with other image providers";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let is_name = |text: &str| {
        text.len() <= 128
            && text.chars().all(|letter| letter.is_ascii_alphanumeric() || " ()[]./-'@_*?".contains(letter))
    };
    if let Some(wrong) = criterion.names.iter().find(|text| !is_name(text)) {
        return Err(Fault::invalid_value("ImageName", wrong));
    }
    if *criterion == ImageCriterion::default() {
        return Err(Fault::client("InvalidParameterCombination", "An image criterion names no condition"));
    }
    Ok(())
}

fn days(params: &Params, name: &str) -> Result<Option<i64>, Fault> {
    let days = params.number(name)?;
    days.map(|days| {
        i32::try_from(days).map(i64::from).map_err(|_| Fault::invalid_value(name, &days.to_string()))
    })
    .transpose()
}

fn watermarks(params: &Params, name: &str) -> Result<Vec<WatermarkCriterion>, Fault> {
    let read = |index: u32| {
        let part = |part: &str| format!("{name}.{index}.{part}");
        Ok(WatermarkCriterion {
            key: params.get(&part("WatermarkKey")).map(str::to_owned),
            source_region: params.get(&part("SourceImageRegion")).map(str::to_owned),
            days_since_source_created_max: days(params, &part("MaximumDaysSinceSourceImageCreated"))?,
            days_since_created_max: days(params, &part("MaximumDaysSinceWatermarkCreated"))?,
        })
    };
    params.indexes(name).into_iter().map(read).collect()
}

fn scan(params: &Params, name: &str) -> Result<Option<ScanCriterion>, Fault> {
    let part = |part: &str| format!("{name}.{part}");
    let fix = |label: &str| days(params, &part(&format!("MaxDaysSince{label}FixAvailable")));
    let severity = params.get(&part("MaximumSeverityLabel"));
    if let Some(wrong) =
        severity.filter(|label| !matches!(*label, "informational" | "low" | "medium" | "high" | "critical"))
    {
        return Err(Fault::invalid_value("MaximumSeverityLabel", wrong));
    }
    let condition = ScanCriterion {
        days_since_scan_max: days(params, &part("MaxDaysSinceLastFindingScan"))?,
        worst_severity: severity.map(str::to_owned),
        days_since_fix_max: [
            fix("Informational")?,
            fix("Low")?,
            fix("Medium")?,
            fix("High")?,
            fix("Critical")?,
        ],
    };
    Ok((condition != ScanCriterion::default()).then_some(condition))
}

fn too_many(what: &str, count_max: usize) -> Fault {
    Fault::client("InvalidParameterValue", format!("{what} may have at most {count_max} entries"))
}
