//! Names a process so that another one can later tell whether it still lives.

use std::fs;

/// Returns a name of this process that no other process of this host ever has: boot, number, start time.
pub(crate) fn this_process() -> String {
    let pid = std::process::id();
    format!("{} {pid} {}", boot_id(), start_time(pid).unwrap_or_default())
}

/// Tells whether the process of that name still runs on this host, in a PID namespace that is seen from here.
pub(crate) fn is_alive(owner: &str) -> bool {
    let mut parts = owner.split(' ');
    let (Some(boot), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(pid) = pid.parse() else { return false };
    boot == boot_id() && start_time(pid).is_some_and(|found| found == start)
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Returns field 22 of `/proc/PID/stat` (proc(5)): a PID comes back into use, a PID with its start time does not.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name in field 2 may hold spaces and brackets.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let is_dead = matches!(fields.next(), Some("Z" | "X"));
    if is_dead { None } else { fields.nth(18).map(ToOwned::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_itself_alive_and_its_namesakes_dead() {
        let me = this_process();
        assert!(is_alive(&me));
        assert!(!is_alive(&format!("{me}1")), "same number, started at another time");
        assert!(!is_alive(&format!("other-boot{me}")));
        assert!(!is_alive(""));
    }
}
