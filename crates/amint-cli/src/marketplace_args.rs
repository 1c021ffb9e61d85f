//! The grammar of `amint marketplace`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::args::InspectArgs;

/// `amint marketplace`.
#[derive(Debug, Subcommand)]
pub enum MarketplaceCommand {
    /// Find all that stands in the way of a version: in the image, its AMI, the listing, the product, the access role
    Check(MarketplaceCheckArgs),
    /// Add the image to its product as a new version, and follow that to its end
    Submit(SubmitArgs),
    /// Show what became of the product's changes
    Status(MarketplaceStatusArgs),
    /// Hide the version from new buyers
    Restrict(RestrictArgs),
}

/// `amint marketplace check`.
#[derive(Debug, Args)]
pub struct MarketplaceCheckArgs {
    /// NAME[:VERSION]
    pub image: String,

    /// AMI in us-east-1 [default: the one that the image was published as]
    #[arg(long, value_name = "AMI")]
    pub ami: Option<String>,

    /// Ask AWS nothing: what it would have to be asked counts as not checked
    #[arg(long)]
    pub offline: bool,

    /// Severity from which a finding in the image stands in the way: info, low, medium, high, critical
    #[arg(long, default_value = "high", value_name = "SEVERITY")]
    pub gate: String,

    /// Look into the image anew, even where a report of the same bytes, rules and advisories is kept
    #[arg(long)]
    pub fresh: bool,

    /// How the image is looked into
    #[command(flatten)]
    pub inspect: InspectArgs,
}

/// `amint marketplace submit`.
#[expect(clippy::struct_excessive_bools, reason = "switches that stand beside each other")]
#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// NAME[:VERSION]
    pub image: String,

    /// AMI in us-east-1 [default: the one that the image was published as]
    #[arg(long, value_name = "AMI")]
    pub ami: Option<String>,

    /// Let AWS look at the version, its scan included, and add nothing
    #[arg(long)]
    pub validate: bool,

    /// Show what would be submitted, and change nothing
    #[arg(long)]
    pub plan: bool,

    /// Make the access role when there is none, or attach its policy
    #[arg(long)]
    pub create_role: bool,

    /// Do not wait for the end: `amint marketplace status` tells it
    #[arg(long)]
    pub no_wait: bool,
}

/// `amint marketplace status`.
#[derive(Debug, Args)]
pub struct MarketplaceStatusArgs {
    /// NAME[:VERSION], whose recipe names the product, or the product itself: prod-…
    #[arg(value_name = "IMAGE|PRODUCT")]
    pub image: String,

    /// Change set to show, and to wait for
    #[arg(long, value_name = "ID")]
    pub change_set: Option<String>,

    /// File to write to what AWS's own scan found, of the change set or the newest: `amint scan --assessment` compares it
    #[arg(long, value_name = "FILE")]
    pub assessment: Option<PathBuf>,
}

/// `amint marketplace restrict`.
#[derive(Debug, Args)]
pub struct RestrictArgs {
    /// NAME:VERSION
    pub image: String,

    /// Show what would be hidden, and change nothing
    #[arg(long)]
    pub plan: bool,

    /// Hide it: it cannot be shown again
    #[arg(long)]
    pub yes: bool,

    /// Do not wait for the end
    #[arg(long)]
    pub no_wait: bool,
}
