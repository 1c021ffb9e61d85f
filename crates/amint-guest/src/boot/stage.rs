//! Telling from the console how far a guest has come.

/// Returns what the guest is doing, in few words, when `line` of its console tells.
pub(crate) fn stage(line: &str) -> Option<String> {
    if line.contains("Linux version ") {
        return Some("the kernel starts".to_owned());
    }
    if line.contains("BdsDxe: starting ") || line.contains("Booting from Hard Disk") {
        return Some("the firmware starts the boot loader".to_owned());
    }
    if let Some((_, rest)) = line.split_once("Cloud-init v. ")
        && let Some((_, rest)) = rest.split_once("running '")
        && let Some((name, _)) = rest.split_once('\'')
    {
        return Some(format!("cloud-init runs {}", shortened(name)));
    }
    if let Some((_, rest)) = line.split_once("Reached target ") {
        return Some(format!("reached {}", unit(rest)));
    }
    if let Some((_, rest)) = line.split_once("] Starting ").or_else(|| line.split_once("Starting ")) {
        return Some(format!("starting {}", unit(rest)));
    }
    line.trim_end().ends_with(" login:").then(|| "the login prompt is there".to_owned())
}

/// Returns why a guest that nobody is logged in to yet will never let anybody in, when `line` of its console
/// tells.
pub(crate) fn dead_end(line: &str) -> Option<String> {
    const DEAD_ENDS: [&str; 7] = [
        "Kernel panic - not syncing",
        "BdsDxe: No bootable option or device was found",
        "UEFI Interactive Shell",
        "No bootable device.",
        "You are in emergency mode",
        "Cannot open access to console, the root account is locked",
        "Dropping to a shell!",
    ];
    DEAD_ENDS.iter().any(|words| line.contains(words)).then(|| line.trim().chars().take(200).collect())
}

/// Cuts systemd's `name - Description...` down to its name.
fn unit(text: &str) -> String {
    // systemd cuts long lines in the middle, sometimes through a colour.
    let name = text.split([' ', '…']).next().unwrap_or(text);
    shortened(name.trim_end_matches("[0m").trim_end_matches('.'))
}

fn shortened(text: &str) -> String {
    text.chars().take(48).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_lines_tell_the_stage() {
        let cases = [
            ("[    0.000000] Linux version 6.1.0-41-cloud-amd64", "the kernel starts"),
            (
                "[   12.1] cloud-init[234]: Cloud-init v. 22.4.2 running 'init-local' at Mon",
                "cloud-init runs init-local",
            ),
            (
                "[  OK  ] Reached target network-online.target - Network is Online.",
                "reached network-online.target",
            ),
            ("         Starting ssh.service - OpenBSD Secure Shell server...", "starting ssh.service"),
            ("ip-169-254-169-15 login:", "the login prompt is there"),
        ];
        for (line, expected) in cases {
            assert_eq!(stage(line).as_deref(), Some(expected), "{line}");
        }
        assert_eq!(stage("anything else"), None);
    }

    #[test]
    fn guest_that_gave_up_is_recognised() {
        let line =
            "[    3.141592] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)";
        assert_eq!(dead_end(line).as_deref(), Some(line));
        assert!(dead_end("BdsDxe: No bootable option or device was found.").is_some());
        assert_eq!(dead_end("[  OK  ] Started emergency.service"), None);
    }
}
