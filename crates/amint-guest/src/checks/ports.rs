//! Who listens, and is that all as expected (A10)?
//!
//! Asked inside the guest, because only there UDP and ports behind a packet filter are seen as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::sleep;

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::shortened;
use crate::spec::{ExpectedPort, Protocol};

/// DHCP clients listen for answers; that is no service.
const DHCP_CLIENT_PORTS: [u16; 2] = [68, 546];
/// Ports that Linux gives to who asks for any (`net.ipv4.ip_local_port_range`, as the kernel sets it).
const ANY_PORTS: RangeInclusive<u16> = 32_768..=60_999;
/// How often sockets are looked at before one on such a port counts.
const LOOKS_MAX: u32 = 4;
/// How long between two looks: longer than `systemd-timesyncd` waits for an answer (10 s), over all looks.
const LOOK_PAUSE: Duration = Duration::from_secs(4);
/// More lines than any honest image has sockets.
const LINES_MAX: usize = 2000;

/// A socket that waits for others to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listener {
    port: ExpectedPort,
    /// None for any address.
    address: Option<IpAddr>,
    process: Option<String>,
}

impl Listener {
    /// Tells whether only the guest itself can reach the socket.
    fn is_local(&self) -> bool {
        match self.address {
            None => false,
            Some(IpAddr::V4(address)) => address.is_loopback(),
            Some(IpAddr::V6(address)) => {
                address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
            }
        }
    }
}

/// Asks who listens and compares with `expected`.
///
/// A program that waits for the answer to a question of its own has a UDP socket on a port that the kernel chose, and
/// looks like a server for as long: `systemd-timesyncd` for 10 s out of 40 where no time server answers. So such a
/// port counts only when it is still there after a while.
pub(crate) async fn ports(guest: &Guest, expected: &[ExpectedPort]) -> Verdict {
    let mut passing: Option<BTreeSet<ExpectedPort>> = None;
    for look in 1..=LOOKS_MAX {
        let answer = match ask(guest).await {
            Ok(answer) => answer,
            Err(reason) => return Err(reason).into(),
        };
        let on_any_port = on_any_port(&answer, expected);
        let lasting = passing.map_or_else(|| on_any_port.clone(), |seen| &seen & &on_any_port);
        if lasting.is_empty() || look == LOOKS_MAX {
            return judge(&answer, expected, &(&on_any_port - &lasting));
        }
        passing = Some(lasting);
        sleep(LOOK_PAUSE).await;
    }
    Verdict::fail("the sockets were not looked at")
}

async fn ask(guest: &Guest) -> Result<String, String> {
    let script = "if command -v ss >/dev/null; then echo ss; ss -H -ltnup; else
            echo proc; for kind in tcp tcp6 udp udp6; do echo kind $kind; cat /proc/net/$kind; done
        fi";
    guest.run_as_root(script).await.map(|output| output.stdout)
}

fn parse(answer: &str) -> Option<Vec<Listener>> {
    let (tool, rest) = answer.split_once('\n').unwrap_or((answer, ""));
    match tool {
        "ss" => parse_ss(rest),
        "proc" => parse_proc(rest),
        _ => None,
    }
}

/// Returns the unexpected UDP sockets on ports that the kernel may have chosen.
fn on_any_port(answer: &str, expected: &[ExpectedPort]) -> BTreeSet<ExpectedPort> {
    let listeners = parse(answer).unwrap_or_default();
    let ports = listeners.iter().filter(|listener| !listener.is_local()).map(|listener| listener.port);
    ports
        .filter(|port| {
            port.protocol == Protocol::Udp && ANY_PORTS.contains(&port.port) && !expected.contains(port)
        })
        .collect()
}

/// Judges an answer; the sockets on the ports of `fleeting` are not there for long.
fn judge(answer: &str, expected: &[ExpectedPort], fleeting: &BTreeSet<ExpectedPort>) -> Verdict {
    let Some(listeners) = parse(answer) else {
        return Verdict::fail(format!("the list of sockets cannot be read: {}", shortened(answer, 300)));
    };
    let mut open: BTreeMap<ExpectedPort, BTreeSet<String>> = BTreeMap::new();
    let mut passed_over = BTreeSet::new();
    for listener in listeners.iter().filter(|listener| !listener.is_local()) {
        let ExpectedPort { port, protocol } = listener.port;
        if protocol == Protocol::Udp && DHCP_CLIENT_PORTS.contains(&port) {
            passed_over.insert(port);
            continue;
        }
        if fleeting.contains(&listener.port) {
            continue;
        }
        open.entry(listener.port).or_default().extend(listener.process.clone());
    }
    let expected: BTreeSet<ExpectedPort> = expected.iter().copied().collect();
    let unexpected = open.iter().filter(|(port, _)| !expected.contains(port));
    let unexpected: Vec<String> = unexpected.map(|(port, processes)| named(*port, processes)).collect();
    let missing = expected.iter().filter(|port| !open.contains_key(port));
    let missing: Vec<String> = missing.map(|port| named(*port, &BTreeSet::new())).collect();
    let all: Vec<String> = open.iter().map(|(port, processes)| named(*port, processes)).collect();
    let mut detail =
        if all.is_empty() { "nobody listens".to_owned() } else { format!("open: {}", all.join(", ")) };
    for (kind, ports) in [("not expected", &unexpected), ("expected but closed", &missing)] {
        if !ports.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(detail, "; {kind}: {}", ports.join(", "));
        }
    }
    if !passed_over.is_empty() {
        detail.push_str("; the DHCP client's own port is passed over");
    }
    if !fleeting.is_empty() {
        detail.push_str("; UDP sockets of clients that wait for an answer are passed over");
    }
    Verdict::of(unexpected.is_empty() && missing.is_empty(), detail)
}

fn named(port: ExpectedPort, processes: &BTreeSet<String>) -> String {
    let text = format!("{}/{}", port.protocol.as_str(), port.port);
    if processes.is_empty() {
        return text;
    }
    let processes: Vec<&str> = processes.iter().map(String::as_str).collect();
    format!("{text} ({})", processes.join(", "))
}

/// Reads the output of `ss -H -ltnup`; none when a line is not understood: unknown is not closed.
fn parse_ss(text: &str) -> Option<Vec<Listener>> {
    text.lines().filter(|line| !line.trim().is_empty()).take(LINES_MAX).map(parse_ss_line).collect()
}

fn parse_ss_line(line: &str) -> Option<Listener> {
    let mut words = line.split_whitespace();
    let protocol = match words.next()? {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let (address, port) = words.nth(3)?.rsplit_once(':')?;
    let port = ExpectedPort { port: port.parse().ok()?, protocol };
    // `127.0.0.53%lo`, `[fe80::1]%eth0`: the interface does not matter.
    let address = address.split('%').next()?.trim_start_matches('[').trim_end_matches(']');
    let address = match address {
        "*" | "0.0.0.0" | "::" => None,
        address => Some(address.parse().ok()?),
    };
    let process = line.split_once("users:((\"").and_then(|(_, rest)| rest.split('"').next());
    let process = process.map(|name| shortened(name, 40)).filter(|name| !name.is_empty());
    Some(Listener { port, address, process })
}

/// Reads `/proc/net/{tcp,tcp6,udp,udp6}`, each behind a line `kind …` (`proc_net(5)`).
fn parse_proc(text: &str) -> Option<Vec<Listener>> {
    let mut listeners = Vec::new();
    let mut kind = None;
    for line in text.lines().take(LINES_MAX) {
        if let Some(name) = line.strip_prefix("kind ") {
            // The word and the state that marks a socket as waiting: LISTEN, and unconnected for UDP.
            kind = Some(match name.trim() {
                "tcp" | "tcp6" => (Protocol::Tcp, "0A"),
                "udp" | "udp6" => (Protocol::Udp, "07"),
                _ => return None,
            });
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(number) = words.next() else { continue };
        if number == "sl" {
            continue;
        }
        let (protocol, waiting) = kind?;
        let (address, port) = words.next()?.split_once(':')?;
        if words.nth(1)? != waiting {
            continue;
        }
        let port = u16::from_str_radix(port, 16).ok()?;
        let address = Some(parse_proc_address(address)?).filter(|address| !address.is_unspecified());
        listeners.push(Listener { port: ExpectedPort { port, protocol }, address, process: None });
    }
    kind.map(|_| listeners)
}

/// Reads an address that the kernel wrote as 32-bit words in the order of a little-endian processor.
fn parse_proc_address(text: &str) -> Option<IpAddr> {
    if !text.is_ascii() {
        return None;
    }
    let words = text.as_bytes().chunks(8).map(|word| {
        let word = std::str::from_utf8(word).ok().filter(|word| word.len() == 8)?;
        u32::from_str_radix(word, 16).ok().map(u32::to_le_bytes)
    });
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.concat();
    if let Ok(address) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(address).into());
    }
    <[u8; 16]>::try_from(bytes.as_slice()).ok().map(|address| Ipv6Addr::from(address).into())
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome;
    use proptest::prelude::*;

    use super::*;

    const SSH: ExpectedPort = ExpectedPort { port: 22, protocol: Protocol::Tcp };
    const WEB: ExpectedPort = ExpectedPort { port: 80, protocol: Protocol::Tcp };
    const SS: &str = "ss\n\
        udp   UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*    users:((\"systemd-resolve\",pid=3,fd=1))\n\
        udp   UNCONN 0      0            0.0.0.0:68        0.0.0.0:*    users:((\"dhclient\",pid=402,fd=7))\n\
        udp   UNCONN 0      0   [fe80::1]%eth0:546             *:*      \n\
        tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:((\"sshd\",pid=500,fd=3),(\"systemd\",pid=1,fd=9))\n\
        tcp   LISTEN 0      128             [::]:22           [::]:*    users:((\"sshd\",pid=500,fd=4))\n\
        tcp   LISTEN 0      5          [::1]:25           [::]:*    users:((\"exim4\",pid=9,fd=4))\n\
        tcp   LISTEN 0      5          [::ffff:127.0.0.1]:26           *:*\n";

    #[test]
    fn expected_ports_pass_and_loopback_and_dhcp_do_not_count() {
        let verdict = judge(SS, &[SSH], &BTreeSet::new());
        assert_eq!(verdict.outcome, CheckOutcome::Pass, "{}", verdict.detail);
        assert!(verdict.detail.contains("tcp/22 (sshd)"), "{}", verdict.detail);
        assert!(verdict.detail.contains("DHCP"), "{}", verdict.detail);
    }

    #[test]
    fn unexpected_and_missing_ports_are_named() {
        let answer = format!("{SS}tcp LISTEN 0 5 *:3306 *:* users:((\"mariadbd\",pid=7,fd=1))\n");
        let verdict = judge(&answer, &[SSH, WEB], &BTreeSet::new());
        assert_eq!(verdict.outcome, CheckOutcome::Fail);
        assert!(verdict.detail.contains("not expected: tcp/3306 (mariadbd)"), "{}", verdict.detail);
        assert!(verdict.detail.contains("expected but closed: tcp/80"), "{}", verdict.detail);
    }

    #[test]
    fn socket_of_a_client_that_waits_is_no_service_and_one_that_stays_is() {
        let answer = |port: u16| {
            format!("{SS}udp UNCONN 0 0 0.0.0.0:{port} 0.0.0.0:* users:((\"systemd-timesyn\",pid=2,fd=5))\n")
        };
        let port = |port| ExpectedPort { port, protocol: Protocol::Udp };
        assert_eq!(on_any_port(&answer(45_123), &[SSH]), BTreeSet::from([port(45_123)]));
        assert_eq!(on_any_port(&answer(45_123), &[SSH, port(45_123)]), BTreeSet::new());
        assert_eq!(on_any_port(&answer(123), &[SSH]), BTreeSet::new());
        let passed = judge(&answer(45_123), &[SSH], &BTreeSet::from([port(45_123)]));
        assert_eq!(passed.outcome, CheckOutcome::Pass, "{}", passed.detail);
        assert!(passed.detail.contains("wait for an answer"), "{}", passed.detail);
        assert_eq!(judge(&answer(45_123), &[SSH], &BTreeSet::new()).outcome, CheckOutcome::Fail);
    }

    #[test]
    fn kernel_tables_say_the_same_where_ss_is_missing() {
        let answer = "proc\nkind tcp\n  sl  local_address rem_address   st tx_queue\n\
            \x20  0: 00000000:0016 00000000:0000 0A 00000000:00000000\n\
            \x20  1: 0100007F:0035 00000000:0000 0A 00000000:00000000\n\
            \x20  2: 0FA9FEA9:0016 02A9FEA9:8B0A 01 00000000:00000000\n\
            kind tcp6\n  sl  local_address\n\
            \x20  0: 00000000000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 0\n\
            kind udp\n  sl\n   0: 00000000:0044 00000000:0000 07 0\nkind udp6\n";
        let verdict = judge(answer, &[SSH], &BTreeSet::new());
        assert_eq!(verdict.outcome, CheckOutcome::Pass, "{}", verdict.detail);
        assert_eq!(judge(answer, &[WEB], &BTreeSet::new()).outcome, CheckOutcome::Fail);
    }

    #[test]
    fn what_is_not_understood_is_no_pass() {
        for answer in [
            "",
            "ss\ngarbage\n",
            "ss\ntcp LISTEN 0 5 nonsense *:*",
            "ss\ntcp LISTEN 0 5 1.2.3:99999 *:*",
            "proc\n",
            "proc\n 0: 00000000:0016 x 0A",
            "proc\nkind tcp\n 0: 0000:0016 x 0A",
            "proc\nkind icmp\n",
        ] {
            assert_eq!(judge(answer, &[], &BTreeSet::new()).outcome, CheckOutcome::Fail, "{answer:?}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_survived(tool in "(ss|proc|)", rest in "\\PC*", lines in prop::collection::vec("(tcp|udp|kind tcp6|0:) [A-Z0-9 .:%*\\[\\]é]*", 0..8)) {
            judge(&format!("{tool}\n{rest}\n{}", lines.join("\n")), &[SSH], &BTreeSet::new());
        }
    }
}
