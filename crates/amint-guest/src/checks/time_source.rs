//! Does the clock follow Amazon's time service?

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::shortened;

/// The Amazon Time Sync Service (EC2 User Guide, "Set the time reference").
const TIME_SERVICE: &str = "169.254.169.123";

/// Asks which time service runs and whether its configuration names Amazon's.
pub(crate) async fn time_source(guest: &Guest) -> Verdict {
    let script = format!(
        "for unit in chrony chronyd systemd-timesyncd ntpsec ntp ntpd; do
            if systemctl is-active -q $unit; then echo active $unit; fi
        done
        grep -rslE '^[^#;!]*{}' /etc/chrony /etc/chrony.conf /etc/chrony.d /run/chrony.d /run/chrony-dhcp \
            /etc/systemd/timesyncd.conf /etc/systemd/timesyncd.conf.d /run/systemd/timesyncd.conf.d \
            /usr/lib/systemd/timesyncd.conf.d /usr/local/lib/systemd/timesyncd.conf.d \
            /etc/ntpsec /etc/ntp.conf /etc/ntp.d | sed 's/^/file /'",
        TIME_SERVICE.replace('.', "[.]")
    );
    guest.run_as_root(&script).await.map(|output| judge(&output.stdout)).into()
}

fn judge(answer: &str) -> Verdict {
    let words_after = |kind: &str| -> Vec<String> {
        let lines = answer.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
        lines.map(|word| shortened(word.trim(), 120)).collect()
    };
    let (active, files) = (words_after("active"), words_after("file"));
    if active.is_empty() {
        return Verdict::fail("no time service runs (chrony, systemd-timesyncd, ntpsec)");
    }
    // `ntpsec` and `ntpd` both read files that begin with `ntp`.
    let family = |unit: &str| match unit {
        "systemd-timesyncd" => "timesyncd",
        unit if unit.starts_with("chrony") => "chrony",
        _ => "/ntp",
    };
    let found = active.iter().find_map(|unit| {
        let file = files.iter().find(|file| file.contains(family(unit)))?;
        Some((unit, file))
    });
    match found {
        Some((unit, file)) => Verdict::pass(format!("{unit} runs, {file} names {TIME_SERVICE}")),
        None => Verdict::fail(format!(
            "{} runs, and its configuration does not name {TIME_SERVICE}",
            active.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome;

    use super::*;

    #[test]
    fn running_service_must_be_the_configured_one() {
        let cases = [
            ("active chrony\nfile /etc/chrony/sources.d/amazon.sources\n", CheckOutcome::Pass),
            (
                "active systemd-timesyncd\nfile /etc/systemd/timesyncd.conf.d/50-ec2.conf\n",
                CheckOutcome::Pass,
            ),
            ("active ntpsec\nfile /etc/ntpsec/ntp.conf\n", CheckOutcome::Pass),
            ("active systemd-timesyncd\nfile /etc/chrony/chrony.conf\n", CheckOutcome::Fail),
            ("active systemd-timesyncd\n", CheckOutcome::Fail),
            ("file /etc/chrony/chrony.conf\n", CheckOutcome::Fail),
            ("", CheckOutcome::Fail),
        ];
        for (answer, expected) in cases {
            assert_eq!(judge(answer).outcome, expected, "{answer}");
        }
    }
}
