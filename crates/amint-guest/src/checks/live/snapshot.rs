//! Gathering what the live checks look at, with one script.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::boot::Guest;
use crate::promises::Promises;
use crate::ssh::quoted;

/// Begins the line that names a section.
const MARK: &str = "@@";
/// Where the kernel shows its settings.
pub(crate) const SETTINGS: &str = "/proc/sys/";
/// More sections than the script writes.
const SECTIONS_MAX: usize = 64;

/// What the script wrote, by section; a section that is missing was never reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<String, String>);

impl Snapshot {
    /// Returns what a section holds, or why it is missing.
    pub(crate) fn section(&self, name: &str) -> Result<&str, String> {
        self.0.get(name).map(String::as_str).ok_or_else(|| "the machine did not answer".to_owned())
    }

    pub(crate) fn parse(answer: &str) -> Self {
        let mut sections: BTreeMap<String, String> = BTreeMap::new();
        let mut name = None;
        for line in answer.lines() {
            if let Some(next) = line.strip_prefix(MARK) {
                name = (sections.len() < SECTIONS_MAX).then(|| next.trim().to_owned());
                // A section that comes twice is the first: what a guest's files say later does not count.
                if let Some(known) = &name {
                    if sections.contains_key(known) {
                        name = None;
                    } else {
                        sections.insert(known.clone(), String::new());
                    }
                }
            } else if let Some(text) = name.as_ref().and_then(|name| sections.get_mut(name)) {
                text.push_str(line);
                text.push('\n');
            }
        }
        // The last section may be cut: the script ends with one that says that it is whole.
        if sections.remove("end").is_none()
            && let Some(last) = name
        {
            sections.remove(&last);
        }
        Self(sections)
    }
}

/// Asks the machine everything.
pub(crate) async fn snapshot(guest: &Guest, promises: &Promises, ssh_port: u16) -> Result<Snapshot, String> {
    let output = guest.run_as_root(&script(&guest.user, promises, ssh_port)).await?;
    Ok(Snapshot::parse(&output.stdout))
}

fn script(user: &str, promises: &Promises, ssh_port: u16) -> String {
    let mut script = String::from("PATH=$PATH:/usr/sbin:/sbin\nexec 2>/dev/null\n");
    // The running server may have been given options that its files do not know.
    script.push_str(
        "options=$(tr '\\0' ' ' < /proc/$(head -n1 /run/sshd.pid)/cmdline | grep -oE ' -[of] ?[^ ]+')\n",
    );
    for (section, user) in [("sshd-root", "root"), ("sshd-user", user), ("sshd-other", "stranger")] {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            script,
            "echo {MARK}{section}; $(command -v sshd) -T $options -C user={},host=stranger.invalid,\
             addr=203.0.113.77,laddr=169.254.169.15,lport={ssh_port} 2>&1",
            quoted(user)
        );
    }
    // The kernel answers whole only to who reads at once, as a shell's `read` does not.
    let settings = promises.kernel_settings.iter();
    let settings = settings.map(|(key, _)| quoted(&format!("{SETTINGS}{}", key.replace('.', "/"))));
    let settings: Vec<String> = settings.collect();
    let _ = writeln!(script, "echo {MARK}sysctl; grep -sH '' {} /dev/null", settings.join(" "));
    let modules: Vec<String> = promises.unused_modules.iter().map(|name| quoted(name)).collect();
    let _ =
        writeln!(script, "echo {MARK}loadable; modprobe -a -n -v {} | grep '^insmod '", modules.join(" "));
    script.push_str(REST);
    script
}

/// No hash of a password leaves the machine: awk tells only of what kind each is.
const REST: &str = "echo @@modules; cat /proc/modules
echo @@accounts; awk -F: '{ kind = \"hash\"
    if ($2 == \"\") kind = \"empty\"
    else if ($2 ~ /^[!*]+$/ || $2 ~ /^!?\\*/ || $2 ~ /^\\*LK\\*$/) kind = \"locked\"
    else if ($2 ~ /^!/) kind = \"locked-hash\"
    print $1, kind }' /etc/shadow
awk -F: '$3 == 0 { print $1, \"superuser\" } $2 == \"\" { print $1, \"empty\" }
    $2 != \"\" && $2 !~ /^[x!*]+$/ { print $1, \"hash\" }' /etc/passwd
echo @@cmdline; cat /proc/cmdline
echo @@kernel; uname -r; ls /boot | sed -n 's/^vmlinu[xz]-//p'
echo @@mountinfo; cat /proc/self/mountinfo
echo @@fstab; cat /etc/fstab
echo @@protection; cat /sys/module/apparmor/parameters/enabled | sed 's/^/apparmor /'
sed -n 's/.*(\\(.*\\))$/profile \\1/p' /sys/kernel/security/apparmor/profiles | sort | uniq -c
if command -v getenforce >/dev/null; then echo selinux $(getenforce); fi
echo @@firewall
if command -v nft >/dev/null; then nft list ruleset | sed 's/^/nft /' | head -n 400; fi
if command -v iptables >/dev/null; then iptables -S | sed 's/^/iptables /' | head -n 400; fi
if command -v ufw >/dev/null; then ufw status | sed -n '1s/^/ufw /p'; fi
if command -v firewall-cmd >/dev/null; then echo firewalld $(firewall-cmd --state); fi
echo @@programs
programs=$(ls -l /proc/[0-9]*/exe | sed -n 's/.* -> //p' | sort -u | grep -v ' (deleted)$')
ls -l /proc/[0-9]*/exe | sed -n 's/.* -> \\(.*\\) (deleted)$/deleted \\1/p' | sort -u
echo \"$programs\" | sed '/^$/d; s/^/runs /'
if command -v dpkg-query >/dev/null; then
    echo manager dpkg
    echo \"$programs\" | sed 'p; s|^/usr/|/|' | sort -u | xargs -d '\\n' dpkg-query -S | sed -n 's|^[^/]*: /|owned /|p'
elif command -v rpm >/dev/null; then
    echo manager rpm
    echo \"$programs\" | while IFS= read -r program; do rpm -qf \"$program\" >/dev/null && echo \"owned $program\"; done
elif command -v apk >/dev/null; then
    echo manager apk
    echo \"$programs\" | while IFS= read -r program; do apk info -q --who-owns \"$program\" >/dev/null && echo \"owned $program\"; done
fi
echo @@end
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_told_apart_and_the_first_of_a_name_counts() {
        let snapshot = Snapshot::parse("noise\n@@a\n1\n2\n@@b\n@@a\nforged\n@@end\n");
        assert_eq!(snapshot.section("a"), Ok("1\n2\n"));
        assert_eq!(snapshot.section("b"), Ok(""));
        assert!(snapshot.section("c").is_err());
    }

    #[test]
    fn section_that_was_cut_is_missing() {
        let snapshot = Snapshot::parse("@@a\n1\n@@b\nhalf");
        assert!(snapshot.section("a").is_ok());
        assert!(snapshot.section("b").is_err());
    }

    #[test]
    fn script_is_understood_by_a_shell_and_answers_on_this_machine() {
        let promises = Promises {
            kernel_settings: ["kernel.ostype", "kernel.pid_max"]
                .map(|key| (key.to_owned(), vec!["Linux".to_owned()]))
                .to_vec(),
            ..Promises::default()
        };
        let script = script("it's", &promises, 22);
        let output = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        let snapshot = Snapshot::parse(&String::from_utf8_lossy(&output.stdout));
        let pid_max = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap();
        let expected = format!("/proc/sys/kernel/ostype:Linux\n/proc/sys/kernel/pid_max:{pid_max}");
        assert_eq!(snapshot.section("sysctl"), Ok(expected.as_str()));
        assert!(snapshot.section("mountinfo").unwrap().contains(" / "));
        assert!(snapshot.section("programs").is_ok());
    }
}
