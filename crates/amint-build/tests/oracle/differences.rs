//! Sets for which the resolver is right to differ from apt.

/// A set whose outcome differs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// The set's label.
    pub(crate) set: &'static str,
    /// Why it differs, and why that is right.
    pub(crate) reason: &'static str,
}

const BOOKWORM: &[Difference] = &[Difference {
    set: "systemd/bookworm-backports",
    reason: "apt moves systemd to backports and leaves the libsystemd-shared that must have the same version; with both \
             moved every relation is satisfied",
}];

const TRIXIE: &[Difference] = &[];

/// Returns the differences that are known for a release.
pub(crate) fn of(codename: &str) -> &'static [Difference] {
    match codename {
        "bookworm" => BOOKWORM,
        _ => TRIXIE,
    }
}
