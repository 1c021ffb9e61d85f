use serde::{Deserialize, Serialize};

/// Which images of others an account may see and launch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AllowedImages {
    pub(crate) state: AllowedImagesState,
    /// An image that satisfies any of these is allowed.
    pub(crate) criteria: Vec<ImageCriterion>,
}

/// Whether the criteria are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AllowedImagesState {
    /// All images are allowed.
    #[default]
    Disabled,
    /// All images are allowed; it is told which ones would not be.
    AuditMode,
    /// Other images are hidden.
    Enabled,
}

/// One criterion: an image has to satisfy all that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ImageCriterion {
    pub(crate) providers: Vec<String>,
    pub(crate) product_codes: Vec<String>,
    /// Names, in which `*` and `?` stand for anything.
    pub(crate) names: Vec<String>,
    pub(crate) days_since_deprecated_max: Option<i64>,
    pub(crate) days_since_created_max: Option<i64>,
    pub(crate) watermarks: Vec<WatermarkCriterion>,
    pub(crate) scan: Option<ScanCriterion>,
}

/// A watermark that an image has to carry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WatermarkCriterion {
    pub(crate) key: Option<String>,
    pub(crate) source_region: Option<String>,
    pub(crate) days_since_source_created_max: Option<i64>,
    pub(crate) days_since_created_max: Option<i64>,
}

/// What the findings of an image's scan have to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ScanCriterion {
    pub(crate) days_since_scan_max: Option<i64>,
    pub(crate) worst_severity: Option<String>,
    /// Days since a fix became available, from findings that inform to critical ones.
    pub(crate) days_since_fix_max: [Option<i64>; 5],
}

impl AllowedImagesState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::AuditMode => "audit-mode",
            Self::Enabled => "enabled",
        }
    }
}
