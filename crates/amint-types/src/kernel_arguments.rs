//! Words of a kernel's command line.

/// Words that take a guard away (kernel-parameters.txt, kernel-command-line(7)); what ends with `=` counts with any value.
const WEAKENING: [&str; 20] = [
    "apparmor=0",
    "audit=0",
    "emergency",
    "enforcing=0",
    "init=",
    "mitigations=off",
    "nokaslr",
    "nopti",
    "nosmap",
    "nosmep",
    "nospectre_v1",
    "nospectre_v2",
    "pti=off",
    "rdinit=",
    "rescue",
    "selinux=0",
    "single",
    "spectre_v2=off",
    "systemd.debug-shell",
    "systemd.debug_shell",
];
/// Programs that are no way around the system: what every system starts.
const SYSTEMS: [&str; 5] =
    ["/init", "/lib/systemd/systemd", "/sbin/init", "/usr/lib/systemd/systemd", "/usr/sbin/init"];

/// Returns the words of a kernel's command line that take a guard away; those behind `--` are for the first program.
pub fn weakening_arguments(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace().take_while(|word| *word != "--").filter(|word| {
        WEAKENING.iter().any(|weak| match weak.strip_suffix('=') {
            Some(_) => word.strip_prefix(weak).is_some_and(|program| !SYSTEMS.contains(&program)),
            None => word == weak || (weak.starts_with("systemd.") && **word == format!("{weak}=1")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_kernel_that_take_guards_away_count() {
        let line =
            "ro mitigations=auto apparmor=0 init=/bin/sh init=/sbin/init systemd.debug_shell=1 -- single";
        let found: Vec<&str> = weakening_arguments(line).collect();
        assert_eq!(found, ["apparmor=0", "init=/bin/sh", "systemd.debug_shell=1"]);
    }
}
