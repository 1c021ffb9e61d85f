use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// An instance.
#[expect(clippy::struct_excessive_bools, reason = "switches that EC2 has, each by itself")]
#[expect(clippy::struct_field_names, reason = "the field's own word")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) zone: String,
    pub(crate) reservation_id: String,
    pub(crate) launch_index: u32,
    pub(crate) client_token: Option<String>,
    pub(crate) image_id: String,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: String,
    pub(crate) instance_type: String,
    pub(crate) launched: Timestamp,
    pub(crate) state: InstanceState,
    /// Since when it is in that state.
    pub(crate) since: Timestamp,
    /// Whether its machine was on at least once.
    pub(crate) has_run: bool,
    /// Why it is in that state, where somebody or something made it: a code of EC2, and words.
    pub(crate) reason: Option<(String, String)>,
    pub(crate) key_name: Option<String>,
    /// The public key of that name at the launch.
    pub(crate) public_key: Option<String>,
    pub(crate) subnet_id: String,
    pub(crate) vpc_id: String,
    pub(crate) private_ip: Ipv4Addr,
    /// An address of loopback.
    pub(crate) public_ip: Option<Ipv4Addr>,
    pub(crate) interface_id: String,
    pub(crate) interface_attachment_id: String,
    pub(crate) mac: String,
    /// What the machine says of itself in its SMBIOS tables.
    pub(crate) uuid: String,
    pub(crate) group_ids: Vec<String>,
    /// In base64.
    pub(crate) user_data: Option<String>,
    pub(crate) root_device_name: String,
    pub(crate) shutdown_behavior: ShutdownBehavior,
    pub(crate) is_termination_protected: bool,
    pub(crate) is_stop_protected: bool,
    pub(crate) metadata: MetadataOptions,
    /// The ARN of its instance profile; before roles were known a name could stand here, of none.
    pub(crate) profile: Option<String>,
    pub(crate) is_ebs_optimized: bool,
    pub(crate) is_monitored: bool,
    pub(crate) checks_source: bool,
    pub(crate) has_ena: bool,
    pub(crate) sriov: Option<String>,
    /// That of the image.
    pub(crate) boot_mode: Option<String>,
    pub(crate) tpm_support: Option<String>,
    pub(crate) product_codes: Vec<String>,
    /// What it was launched by, when it is a spot instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spot: Option<SpotRequest>,
    pub(crate) tags: Tags,
}

/// A request for a spot instance: one of the type `one-time`, whose instance ends when it is interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpotRequest {
    /// `sir-…`.
    pub(crate) id: String,
    /// The most that is paid for an hour, in dollars, where that was said.
    pub(crate) max_price: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum InstanceState {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl InstanceState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    /// Tells whether a machine belongs to it, and with it memory.
    pub(crate) fn has_machine(self) -> bool {
        matches!(self, Self::Pending | Self::Running | Self::Stopping | Self::ShuttingDown)
    }

    /// Tells whether the instance is on its way out, or gone.
    pub(crate) fn is_ending(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// What becomes of an instance that switches itself off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ShutdownBehavior {
    Stop,
    Terminate,
}

impl ShutdownBehavior {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Terminate => "terminate",
        }
    }
}

/// How an instance reaches its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetadataOptions {
    pub(crate) is_enabled: bool,
    pub(crate) needs_token: bool,
    pub(crate) hop_limit: u8,
    pub(crate) has_tags: bool,
}

impl Instance {
    /// Returns the public address that whoever asks is told: one that is not on has none.
    pub(crate) fn shown_public_ip(&self) -> Option<Ipv4Addr> {
        self.public_ip.filter(|_| matches!(self.state, InstanceState::Pending | InstanceState::Running))
    }

    /// Tells whether it starts by UEFI: where its image wants that, and its type has it. An image that does not say starts
    /// by BIOS where there is one.
    pub(crate) fn starts_by_uefi(&self) -> bool {
        let has_uefi = crate::instance_types::find(&self.instance_type).is_none_or(|size| size.has_uefi);
        match (self.architecture.as_str(), self.boot_mode.as_deref()) {
            ("arm64", _) | (_, Some("uefi")) => true,
            (_, Some("uefi-preferred")) => has_uefi,
            _ => false,
        }
    }

    /// Returns the private host name, as EC2 makes it of the address.
    pub(crate) fn private_dns_name(&self) -> String {
        let domain =
            if self.region == "us-east-1" { "ec2".to_owned() } else { format!("{}.compute", self.region) };
        format!("ip-{}.{domain}.internal", self.private_ip.to_string().replace('.', "-"))
    }
}
