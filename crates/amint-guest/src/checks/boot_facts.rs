//! Facts of one boot that take one look each.

use amint_types::report::Firmware;
use serde_json::Value;

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::imds::Metadata;
use crate::machine::Console;

/// What EC2 asks for: a volume that stalls must not become a file system error ("Amazon EBS and `NVMe`",
/// I/O operation timeout).
const NVME_TIMEOUT_MAX: &str = "4294967295";

/// Asks whether the user becomes root without a password.
pub(crate) async fn sudo(guest: &Guest) -> Verdict {
    let answer = guest.run("sudo -n id -u").await;
    let verdict = answer.map(|output| {
        let is_root = output.is_success() && output.stdout.trim() == "0";
        guest.set_sudo(is_root);
        if is_root {
            Verdict::pass(format!("`sudo -n id -u` as `{}` says 0", guest.user))
        } else {
            Verdict::fail(format!("`sudo -n id -u` as `{}`: {}", guest.user, words(&output)))
        }
    });
    verdict.into()
}

/// Writes what a command said, for a person.
pub(crate) fn words(output: &crate::ssh::Output) -> String {
    let code = output.exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
    let said = [output.stdout.trim(), output.stderr.trim()];
    let said: Vec<&str> = said.into_iter().filter(|text| !text.is_empty()).collect();
    if said.is_empty() { code } else { format!("{code}, {}", shortened(&said.join("; "), 400)) }
}

/// Cuts `text` after `count` characters and makes control characters harmless.
pub(crate) fn shortened(text: &str, count: usize) -> String {
    let mut short: String = text
        .chars()
        .map(|character| if character.is_control() && character != '\n' { ' ' } else { character })
        .take(count)
        .collect();
    if text.chars().count() > count {
        short.push('…');
    }
    short
}

/// Tells whether the kernel speaks on the serial console.
pub(crate) fn console(console: &Console) -> Verdict {
    if console.is_kernel_seen() {
        return Verdict::pass(format!("the kernel speaks on ttyS0 ({} bytes so far)", console.bytes()));
    }
    Verdict::fail(format!(
        "{} bytes came on ttyS0, and none from the kernel's start; its command line needs \
         `console=ttyS0,115200n8` and no `quiet`",
        console.bytes()
    ))
}

/// Asks which firmware started the guest.
pub(crate) async fn boot_mode(guest: &Guest, firmware: Firmware) -> Verdict {
    let answer = guest.run("if test -d /sys/firmware/efi; then echo uefi; else echo bios; fi").await;
    let verdict = answer.map(|output| {
        let seen = output.stdout.trim();
        let detail = format!("booted by {}, wanted {}", shortened(seen, 20), firmware.as_str());
        Verdict::of(seen == firmware.as_str(), detail)
    });
    verdict.into()
}

/// Asks how long the kernel waits for an `NVMe` volume.
pub(crate) async fn nvme_timeout(guest: &Guest) -> Verdict {
    let answer = guest.run("cat /sys/module/nvme_core/parameters/io_timeout").await;
    let verdict = answer.map(|output| {
        let seen = output.stdout.trim();
        if seen == NVME_TIMEOUT_MAX {
            return Verdict::pass(format!("nvme_core.io_timeout is {seen}"));
        }
        let seen = if output.is_success() { shortened(seen, 40) } else { words(&output) };
        Verdict::fail(format!("nvme_core.io_timeout should be {NVME_TIMEOUT_MAX}, is: {seen}"))
    });
    verdict.into()
}

/// Asks whether software in the guest can read the instance identity document (A17): cloud-init has read it.
pub(crate) async fn identity_document(guest: &Guest, metadata: &Metadata) -> Verdict {
    let script = "test -d /run/cloud-init || { echo no cloud-init >&2; exit 3; }
        cat /run/cloud-init/instance-data-sensitive.json 2>/dev/null || cat /run/cloud-init/instance-data.json";
    let answer = guest.run_as_root(script).await;
    let verdict = answer.map(|output| match output.exit_code {
        Some(3) => Verdict::skipped("there is no cloud-init to ask"),
        _ => judge_identity(&output.stdout, metadata),
    });
    verdict.into()
}

fn judge_identity(instance_data: &str, metadata: &Metadata) -> Verdict {
    let Ok(data) = serde_json::from_str::<Value>(instance_data) else {
        return Verdict::fail("cloud-init's instance data is not readable JSON");
    };
    let Some(document) = data.pointer("/ds/dynamic/instance-identity/document") else {
        return Verdict::fail("cloud-init's instance data has no instance identity document");
    };
    let expected = [
        ("instanceId", metadata.instance_id.clone()),
        ("imageId", metadata.ami_id.clone()),
        ("privateIp", metadata.local_ipv4.to_string()),
    ];
    for (name, expected) in &expected {
        let seen = document.get(name).and_then(Value::as_str).unwrap_or("nothing");
        if seen != expected {
            let seen = shortened(seen, 60);
            return Verdict::fail(format!("{name} of the document should be {expected}, is {seen}"));
        }
    }
    Verdict::pass(format!("read with a token (IMDSv2): {}, {}", metadata.instance_id, metadata.ami_id))
}

#[cfg(test)]
mod tests {
    use amint_types::Architecture;
    use amint_types::report::CheckOutcome;

    use super::*;

    #[test]
    fn identity_document_of_another_instance_is_no_pass() {
        let metadata = Metadata::for_test(
            Architecture::X86_64,
            "0e:00:00:00:00:01".to_owned(),
            "2026-01-01T00:00:00Z".parse().unwrap(),
        );
        let document = crate::imds::identity_document(&metadata);
        let data =
            format!("{{\"ds\": {{\"dynamic\": {{\"instance-identity\": {{\"document\": {document}}}}}}}}}");
        assert_eq!(judge_identity(&data, &metadata).outcome, CheckOutcome::Pass);
        let other = data.replace(&metadata.instance_id, "i-00000000000000000");
        assert_eq!(judge_identity(&other, &metadata).outcome, CheckOutcome::Fail);
        for broken in ["", "{}", "[", "{\"ds\": 3}"] {
            assert_eq!(judge_identity(broken, &metadata).outcome, CheckOutcome::Fail, "{broken}");
        }
    }

    #[test]
    fn long_answers_are_cut_and_made_harmless() {
        assert_eq!(shortened("a\u{1b}[31mb", 20), "a [31mb");
        assert_eq!(shortened("äöü", 2), "äö…");
    }
}
