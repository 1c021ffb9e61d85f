use super::settings;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{AllowedImagesState, ImageCriterion, ScanCriterion, WatermarkCriterion};

const STATE: &str = "allowedImagesSettingsState";

/// Applies the criteria for images of others, or only tells what they would hide.
pub(crate) fn enable_allowed_images_settings(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let state = match params.required("AllowedImagesSettingsState")? {
        "enabled" => AllowedImagesState::Enabled,
        "audit-mode" => AllowedImagesState::AuditMode,
        other => return Err(Fault::invalid_value("AllowedImagesSettingsState", other)),
    };
    settings::set(call, params, (STATE, state.as_str()), |settings| settings.allowed_images.state = state)
}

/// Applies the criteria no more; they are kept.
pub(crate) fn disable_allowed_images_settings(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let state = AllowedImagesState::Disabled;
    settings::set(call, params, (STATE, state.as_str()), |settings| settings.allowed_images.state = state)
}

/// Tells the criteria and whether they are applied.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_allowed_images_settings(call: &Call<'_>, _params: &Params) -> Result<Element, Fault> {
    let settings = settings::own(call, &call.tables());
    let allowed = &settings.allowed_images;
    Ok(Element::default()
        .text("state", allowed.state.as_str())
        .with(Element::list("imageCriterionSet", allowed.criteria.iter().map(criterion)))
        .text("managedBy", "account"))
}

fn criterion(criterion: &ImageCriterion) -> Element {
    let mut element = Element::default();
    for (name, texts) in [
        ("imageProviderSet", &criterion.providers),
        ("marketplaceProductCodeSet", &criterion.product_codes),
        ("imageNameSet", &criterion.names),
    ] {
        if !texts.is_empty() {
            element = element.with(Element::list(name, texts.iter().map(|text| Element::of("item", text))));
        }
    }
    if let Some(days) = criterion.days_since_deprecated_max {
        element =
            element.with(Element::new("deprecationTimeCondition").text("maximumDaysSinceDeprecated", days));
    }
    if let Some(days) = criterion.days_since_created_max {
        element = element.with(Element::new("creationDateCondition").text("maximumDaysSinceCreated", days));
    }
    if !criterion.watermarks.is_empty() {
        element =
            element.with(Element::list("imageWatermarkSet", criterion.watermarks.iter().map(watermark)));
    }
    match &criterion.scan {
        Some(condition) => element.with(scan(condition)),
        None => element,
    }
}

fn watermark(mark: &WatermarkCriterion) -> Element {
    Element::default()
        .maybe("watermarkKey", mark.key.as_ref())
        .maybe("sourceImageRegion", mark.source_region.as_ref())
        .maybe("maximumDaysSinceSourceImageCreated", mark.days_since_source_created_max)
        .maybe("maximumDaysSinceWatermarkCreated", mark.days_since_created_max)
}

fn scan(condition: &ScanCriterion) -> Element {
    let [informational, low, medium, high, critical] = condition.days_since_fix_max;
    Element::new("scanResultCondition")
        .maybe("maxDaysSinceLastFindingScan", condition.days_since_scan_max)
        .maybe("maximumSeverityLabel", condition.worst_severity.as_ref())
        .maybe("maxDaysSinceInformationalFixAvailable", informational)
        .maybe("maxDaysSinceLowFixAvailable", low)
        .maybe("maxDaysSinceMediumFixAvailable", medium)
        .maybe("maxDaysSinceHighFixAvailable", high)
        .maybe("maxDaysSinceCriticalFixAvailable", critical)
}
