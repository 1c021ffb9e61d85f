//! The grammar of `amint identity`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `amint identity`.
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// Verify that EC2 signed a document, and that it says what is expected
    Verify(Box<IdentityVerifyArgs>),
    /// Show what a document says, and whether it is genuine
    Show(IdentityShowArgs),
    /// List the certificates that are trusted
    Certificates(IdentityCertificatesArgs),
}

/// Where the document comes from, and who is trusted.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// The document [default: that of this instance, from its metadata service]
    #[arg(long, value_name = "FILE", requires = "signature")]
    pub document: Option<PathBuf>,

    /// The document's signature; its ending, if it is the name of a form, chooses the form
    #[arg(long, value_name = "FILE", requires = "document")]
    pub signature: Option<PathBuf>,

    /// Accept this form of signature: rsa2048, pkcs7 or signature [default: rsa2048]
    #[arg(long = "form", value_name = "FORM")]
    pub forms: Vec<String>,

    /// Trust this list or folder in place of the certificates of EC2
    #[arg(long, value_name = "PATH")]
    pub certificates: Option<PathBuf>,

    /// Trust this list or folder beside the certificates of EC2
    #[arg(long, value_name = "PATH")]
    pub also_trust: Option<PathBuf>,

    /// The metadata service [default: `AWS_EC2_METADATA_SERVICE_ENDPOINT`, or that of EC2]
    #[arg(long, value_name = "URL", conflicts_with = "document")]
    pub endpoint: Option<String>,
}

/// `amint identity verify`.
#[derive(Debug, Args)]
pub struct IdentityVerifyArgs {
    /// Where the document comes from, and who is trusted.
    #[command(flatten)]
    pub evidence: EvidenceArgs,

    /// A product code that the document must list
    #[arg(long = "product-code", value_name = "CODE")]
    pub product_codes: Vec<String>,

    /// Product codes of which the document must list at least one
    #[arg(long = "any-product-code", value_name = "CODE")]
    pub any_product_codes: Vec<String>,

    /// The account that the instance must belong to
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,

    /// The region that the instance must run in
    #[arg(long)]
    pub region: Option<String>,

    /// Images of which the instance must be launched from one
    #[arg(long = "image", value_name = "AMI")]
    pub images: Vec<String>,

    /// The instance that the document must be of
    #[arg(long, value_name = "ID")]
    pub instance: Option<String>,

    /// Addresses of which the document's private address must be one
    #[arg(long = "private-ip", value_name = "ADDRESS")]
    pub private_ips: Vec<IpAddr>,

    /// The document's private address must be one of this machine
    #[arg(long)]
    pub own_address: bool,

    /// The architecture that the document must name: `x86_64` or `arm64`
    #[arg(long, value_name = "NAME")]
    pub architecture: Option<String>,

    /// How long ago the instance may have been started
    #[arg(long, value_name = "SECONDS")]
    pub max_age: Option<u64>,

    /// Refuse a document whose certificate has expired
    #[arg(long)]
    pub unexpired: bool,
}

/// `amint identity show`.
#[derive(Debug, Args)]
pub struct IdentityShowArgs {
    /// Where the document comes from, and who is trusted.
    #[command(flatten)]
    pub evidence: EvidenceArgs,
}

/// `amint identity certificates`.
#[derive(Debug, Args)]
pub struct IdentityCertificatesArgs {
    /// List this list or folder in place of the certificates of EC2
    #[arg(long, value_name = "PATH")]
    pub certificates: Option<PathBuf>,

    /// Show those of one region only
    #[arg(long)]
    pub region: Option<String>,
}
