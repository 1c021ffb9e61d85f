//! The grammar of `amint cloud`.

use amint_cloud::ChaosOptions;
use clap::{Args, Subcommand};

/// `amint cloud`.
#[derive(Debug, Subcommand)]
pub enum CloudCommand {
    /// Start the endpoint, unless it runs
    Up(CloudUpArgs),
    /// Print the environment that lets tools of AWS use the endpoint: `eval "$(amint cloud env)"`
    Env(CloudEnvArgs),
    /// Tell whether the endpoint runs, and what it serves
    Status,
    /// Stop the endpoint
    Down,
    /// Forget everything that was done with the endpoint: its AMIs, snapshots and instances, not the images of the store
    Reset,
}

/// `amint cloud up`.
#[derive(Debug, Args)]
pub struct CloudUpArgs {
    /// Port on loopback; 0 takes any that is free
    #[arg(long, default_value_t = 4577, value_name = "PORT")]
    pub port: u16,

    /// Region in which the images of the store are
    #[arg(long, default_value = "us-east-1", value_name = "REGION")]
    pub region: String,

    /// Believe requests without a true signature: for experiments
    #[arg(long)]
    pub no_auth: bool,

    /// Divide by this what takes AWS long: pending images, archived snapshots, waiting times
    #[arg(long, default_value_t = 1, value_name = "FACTOR", value_parser = clap::value_parser!(u32).range(1..))]
    pub time_scale: u32,

    /// Entries of a page when a client does not say: finds clients that forget to ask for the next one
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub page_size: Option<u32>,

    /// Instances that may run at once
    #[arg(long, default_value_t = 8, value_name = "COUNT")]
    pub machines: u32,

    /// Memory of all running instances together [default: half of this computer's]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: Option<u32>,

    /// Let instances out: they reach what this computer reaches, and its own ports, those on loopback among them
    #[arg(long)]
    pub let_out: bool,

    /// Let things go wrong: throttle=SHARE, errors=SHARE, consistency=TIME, latency=TIME..TIME, seed=NUMBER, joined by commas
    #[arg(long, value_name = "WHAT")]
    pub chaos: Option<ChaosOptions>,

    /// Stay in the foreground, until Ctrl-C
    #[arg(long)]
    pub foreground: bool,
}

/// `amint cloud env`.
#[derive(Debug, Args)]
pub struct CloudEnvArgs {
    /// Print a profile for a configuration file of AWS's tools instead
    #[arg(long)]
    pub profile: bool,

    /// Account whose key pair to print; any 12 digits are one [default: 123456789012]
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
}
