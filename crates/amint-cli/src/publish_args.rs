//! The grammar of commands that speak with AWS.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `amint publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// NAME[:VERSION]
    pub image: String,

    /// Region to publish to; may be given several times [default: the recipe's `[publish]`, else the environment's]
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,

    /// Show what would be sent and made, and change nothing
    #[arg(long, conflicts_with = "apply")]
    pub plan: bool,

    /// File to write the plan to, for `--apply`
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub out: Option<PathBuf>,

    /// Do what a written plan says, or nothing when the regions have changed since: exit code 1
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["regions", "name", "tags", "share_with", "copy_to", "keys", "deprecate_after", "copies"]
    )]
    pub apply: Option<PathBuf>,

    /// Name of the AMI [default: NAME-VERSION]
    #[arg(long)]
    pub name: Option<String>,

    /// Tag of image and snapshot, besides the recipe's; may be given several times
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub tags: Vec<String>,

    /// Account that may launch the image and copy its snapshot, or ARN of an organization or unit whose accounts may launch it,
    /// besides the recipe's; may be given several times
    #[arg(long, value_name = "ACCOUNT")]
    pub share_with: Vec<String>,

    /// Role in another account by which that gets copies of its own, by its ARN, besides the recipe's; may be given several times
    #[arg(long, value_name = "ROLE")]
    pub copy_to: Vec<String>,

    /// Key of KMS that the image is encrypted with in a region, besides the recipe's; may be given several times
    #[arg(long = "kms-key", value_name = "REGION=KEY")]
    pub keys: Vec<String>,

    /// Days after its build from which on the image is deprecated [default: the recipe's]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub deprecate_after: Option<u32>,

    /// When a region gets a copy of another's image instead of blocks from here
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = CopyChoice::Auto)]
    pub copies: CopyChoice,
}

/// `amint promote`.
#[derive(Debug, Args)]
pub struct PromoteArgs {
    /// NAME[:VERSION]
    pub image: String,

    /// Channel that shall name the image: `stable`
    pub channel: String,

    /// Region to promote in; may be given several times [default: the recipe's `[publish]`, else the environment's]
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,

    /// Path of parameters below which channels are [default: the recipe's, else /amint/NAME]
    #[arg(long, value_name = "PATH")]
    pub parameter: Option<String>,

    /// Move the channel back to the image that it named before, whatever VERSION is
    #[arg(long)]
    pub undo: bool,

    /// Show what would be moved, and change nothing
    #[arg(long)]
    pub plan: bool,

    /// Move a parameter that somebody else made, too
    #[arg(long, conflicts_with = "undo")]
    pub take_over: bool,
}

/// When a region gets a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CopyChoice {
    /// Where there is nothing to build upon, and much to send
    Auto,
    /// Wherever blocks would have to be sent a second time
    Always,
    /// Never
    Never,
}

/// `amint iam`.
#[derive(Debug, Subcommand)]
pub enum IamCommand {
    /// The policy for `amint publish`
    Publish(IamArgs),
    /// The policy for `amint verify ami-…`
    Verify(IamArgs),
    /// The policy for `amint gc --cloud`
    Gc(IamArgs),
    /// The policy for `amint promote`
    Promote(IamArgs),
    /// The policy for `amint marketplace`
    Marketplace(IamArgs),
}

/// `amint iam …`.
#[expect(clippy::struct_excessive_bools, reason = "switches that stand beside each other")]
#[derive(Debug, Args)]
pub struct IamArgs {
    /// Recipe whose `[publish]` says what is needed: regions, sharing, deprecation
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,

    /// Region to allow; may be given several times [default: the recipe's, else all]
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,

    /// Account that images may be shared with, besides the recipe's; may be given several times
    #[arg(long, value_name = "ACCOUNT")]
    pub share_with: Vec<String>,

    /// Allow to encrypt with keys that are named
    #[arg(long)]
    pub encryption: bool,

    /// Allow to protect images from being deregistered
    #[arg(long)]
    pub protection: bool,

    /// Allow to give images watermarks
    #[arg(long)]
    pub watermarks: bool,

    /// Allow to set a date of deprecation
    #[arg(long)]
    pub deprecation: bool,

    /// Path of parameters below which channels may be moved [default: the recipe's; for `promote`, /amint]
    #[arg(long, value_name = "PATH")]
    pub parameter: Option<String>,

    /// Allow to make the access role, as `amint marketplace submit --create-role` does
    #[arg(long)]
    pub create_role: bool,

    /// Allow copies from one region to another, as `amint publish --copies` makes them
    #[arg(long)]
    pub copies: bool,
}
