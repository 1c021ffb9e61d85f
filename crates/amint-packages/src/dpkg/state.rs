//! What dpkg knows about the state of a package: the three words of `Status` (`dpkg(1)`, "Information about
//! packages").

/// What somebody wants to happen with a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Want {
    /// Nothing is known.
    #[default]
    Unknown,
    /// To be installed.
    Install,
    /// To be left as it is.
    Hold,
    /// To be removed, with its configuration left.
    Deinstall,
    /// To be removed with everything.
    Purge,
}

/// Whether something is wrong with a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ErrorFlag {
    /// Nothing.
    #[default]
    Ok,
    /// It must be installed again.
    ReinstallRequired,
}

/// How far a package is installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PackageState {
    /// Not at all.
    #[default]
    NotInstalled,
    /// Only its configuration is left.
    ConfigFiles,
    /// Installation began and did not end.
    HalfInstalled,
    /// Its files are there, and it is not configured.
    Unpacked,
    /// Configuration began and did not end.
    HalfConfigured,
    /// It waits for another package to handle a trigger.
    TriggersAwaited,
    /// It was triggered and has not handled that.
    TriggersPending,
    /// Installed and configured.
    Installed,
}

impl PackageState {
    /// Returns dpkg's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotInstalled => "not-installed",
            Self::ConfigFiles => "config-files",
            Self::HalfInstalled => "half-installed",
            Self::Unpacked => "unpacked",
            Self::HalfConfigured => "half-configured",
            Self::TriggersAwaited => "triggers-awaited",
            Self::TriggersPending => "triggers-pending",
            Self::Installed => "installed",
        }
    }
}

/// The state of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Status {
    /// What somebody wants.
    pub want: Want,
    /// Whether something is wrong.
    pub flag: ErrorFlag,
    /// How far it is installed.
    pub state: PackageState,
}

impl Status {
    /// The state of a package that is installed as it should be.
    pub const INSTALLED: Self =
        Self { want: Want::Install, flag: ErrorFlag::Ok, state: PackageState::Installed };

    /// Reads the field `Status`; none if a word is none that dpkg knows.
    pub fn parse(field: &str) -> Option<Self> {
        let mut words = field.split_ascii_whitespace();
        let want = match words.next()? {
            "unknown" => Want::Unknown,
            "install" => Want::Install,
            "hold" => Want::Hold,
            "deinstall" => Want::Deinstall,
            "purge" => Want::Purge,
            _ => return None,
        };
        // The other words are of dpkg before 1.4.0.9.
        let flag = match words.next()? {
            "ok" | "hold" => ErrorFlag::Ok,
            "reinstreq" | "hold-reinstreq" => ErrorFlag::ReinstallRequired,
            _ => return None,
        };
        let state = match words.next()? {
            "not-installed" => PackageState::NotInstalled,
            "config-files" => PackageState::ConfigFiles,
            "half-installed" => PackageState::HalfInstalled,
            "unpacked" => PackageState::Unpacked,
            "half-configured" | "postinst-failed" => PackageState::HalfConfigured,
            "triggers-awaited" => PackageState::TriggersAwaited,
            "triggers-pending" => PackageState::TriggersPending,
            "installed" => PackageState::Installed,
            _ => return None,
        };
        words.next().is_none().then_some(Self { want, flag, state })
    }

    /// Tells whether files of the package are on the disk.
    pub fn has_files(self) -> bool {
        !matches!(self.state, PackageState::NotInstalled | PackageState::ConfigFiles)
    }

    /// Tells what is wrong with a package that has files: it is not installed to the end, or must be installed again.
    pub fn trouble(self) -> Option<&'static str> {
        if self.flag == ErrorFlag::ReinstallRequired {
            return Some("must be installed again");
        }
        (self.has_files() && self.state != PackageState::Installed).then_some(self.state.as_str())
    }
}
