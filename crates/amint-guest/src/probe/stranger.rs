//! The stranger's checks, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;

use amint_types::Severity;
use jiff::Timestamp;

use crate::checks::Verdict;
use crate::machine::{Qmp, free_ports};
use crate::probe::scan::{Scan, scan};
use crate::probe::services::{self, PortFindings};
use crate::probe::tls::{self, TlsFindings};
use crate::probe::wire::Wire;
use crate::promises::Promises;
use crate::spec::{ExpectedPort, Protocol};

/// How many open ports are spoken to.
const PORTS_MAX: usize = 64;

/// What the stranger needs, and what was found so far.
pub(crate) struct Stranger<'a> {
    pub(crate) promises: &'a Promises,
    /// Ports that lead into the guest already.
    pub(crate) addresses: BTreeMap<u16, SocketAddr>,
    pub(crate) ssh_port: u16,
    /// What listens on each open port, once it is known.
    pub(crate) found: BTreeMap<u16, PortFindings>,
}

impl Stranger<'_> {
    /// Asks every TCP port and compares with `expected`.
    pub(crate) async fn ports(
        &mut self,
        wire: &mut Wire,
        qmp: &mut Qmp,
        expected: &[ExpectedPort],
    ) -> Verdict {
        let found = match scan(wire, 1..=u16::MAX).await {
            Ok(found) => found,
            Err(error) => return Verdict::fail(format!("the guest's network cannot be reached: {error}")),
        };
        let verdict = judge_ports(&found, expected, self.ssh_port);
        if let Err(reason) = self.forward(qmp, &found.open).await {
            return Verdict::fail(format!("{}; open ports cannot be forwarded: {reason}", verdict.detail));
        }
        verdict
    }

    /// Makes open ports reachable by plain connections.
    async fn forward(&mut self, qmp: &mut Qmp, open: &BTreeSet<u16>) -> Result<(), String> {
        let new: Vec<u16> =
            open.iter().copied().filter(|port| !self.addresses.contains_key(port)).take(PORTS_MAX).collect();
        let host_ports = free_ports(new.len()).map_err(|error| error.to_string())?;
        for (guest_port, host_port) in new.iter().zip(host_ports) {
            let line = format!("hostfwd_add net tcp:127.0.0.1:{host_port}-:{guest_port}");
            qmp.monitor(&line).await.map_err(|error| error.to_string())?;
            self.addresses.insert(*guest_port, SocketAddr::from(([127, 0, 0, 1], host_port)));
        }
        self.addresses.retain(|port, _| open.contains(port));
        Ok(())
    }

    /// Finds out what listens on each open port, and which doors are open.
    pub(crate) async fn services(&mut self) -> (Verdict, Verdict) {
        for (port, address) in self.addresses.clone() {
            let found = tokio::task::spawn_blocking(move || services::look(address)).await;
            self.found.insert(
                port,
                found.unwrap_or_else(|_| PortFindings::new("unknown", "it could not be asked")),
            );
        }
        let told: Vec<String> = self.found.iter().map(|(port, found)| told(*port, found)).collect();
        if told.is_empty() {
            let reason = "no open port can be spoken to";
            return (Verdict::fail(reason), Verdict::skipped(reason));
        }
        let banners = Verdict::pass(told.join("; "));
        let open = self.found.iter().flat_map(|(port, found)| {
            found.open.iter().map(move |(severity, text)| (*port, *severity, text))
        });
        let open: Vec<(Severity, String)> = open
            .map(|(port, severity, text)| {
                (severity, format!("tcp/{port} ({}): {text}", self.found[&port].service))
            })
            .collect();
        let summary = format!("{} ports, none opens without a secret of its own", self.found.len());
        (banners, by_gate(self.promises, &open, &summary))
    }

    /// Looks at TLS wherever it is spoken.
    pub(crate) async fn tls(&self) -> Verdict {
        let mut wrong = Vec::new();
        let mut told = Vec::new();
        for (port, _) in self.found.iter().filter(|(_, found)| found.is_tls) {
            let Some(address) = self.addresses.get(port).copied() else { continue };
            let looked = tokio::task::spawn_blocking(move || tls::look(address, Timestamp::now())).await;
            let looked = looked.unwrap_or_else(|_| TlsFindings {
                wrong: vec![(Severity::High, "it could not be asked".to_owned())],
                summary: String::new(),
            });
            wrong.extend(
                looked.wrong.into_iter().map(|(severity, text)| (severity, format!("tcp/{port}: {text}"))),
            );
            told.push(format!("tcp/{port}: {}", looked.summary));
        }
        if told.is_empty() {
            return Verdict::skipped("no port begins with TLS");
        }
        by_gate(self.promises, &wrong, &told.join("; "))
    }
}

fn told(port: u16, found: &PortFindings) -> String {
    let tls = if found.is_tls { " over TLS" } else { "" };
    let banner = if found.banner.is_empty() { String::new() } else { format!(" ({})", found.banner) };
    format!("tcp/{port}: {}{tls}{banner}", found.service)
}

/// Fails from the gate on, else notes.
fn by_gate(promises: &Promises, wrong: &[(Severity, String)], summary: &str) -> Verdict {
    let Some(severity) = wrong.iter().map(|(severity, _)| *severity).max() else {
        return Verdict::pass(summary);
    };
    let lines: Vec<String> = wrong.iter().map(|(severity, text)| format!("{text} ({severity})")).collect();
    let text = format!("{}\n{summary}", lines.join("; "));
    let mut verdict = if severity >= promises.gate { Verdict::fail(text) } else { Verdict::noted(text) };
    verdict.severity = Some(severity);
    verdict
}

fn judge_ports(found: &Scan, expected: &[ExpectedPort], ssh_port: u16) -> Verdict {
    let expected: BTreeSet<u16> =
        expected.iter().filter(|port| port.protocol == Protocol::Tcp).map(|port| port.port).collect();
    let named = |ports: &mut dyn Iterator<Item = &u16>| -> String {
        let ports: Vec<String> = ports.map(ToString::to_string).collect();
        ports.join(", ")
    };
    let asked = found.open.len() + found.closed + found.silent;
    let mut text = format!(
        "of {asked} TCP ports open: {}; {} refuse, {} do not answer",
        named(&mut found.open.iter()),
        found.closed,
        found.silent
    );
    if !found.open.contains(&ssh_port) {
        text.push_str("; SSH itself was not found: the look from outside cannot be trusted");
        return Verdict::fail(text);
    }
    let unexpected = named(&mut found.open.difference(&expected));
    let missing = named(&mut expected.difference(&found.open));
    for (kind, ports) in [("not expected", &unexpected), ("expected but not open", &missing)] {
        if !ports.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(text, "; {kind}: {ports}");
        }
    }
    Verdict::of(unexpected.is_empty() && missing.is_empty(), text)
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome;

    use super::*;

    fn verdict(open: &[u16], silent: usize) -> Verdict {
        let found =
            Scan { open: open.iter().copied().collect(), closed: 65_535 - open.len() - silent, silent };
        let expected = [22, 80].map(|port| ExpectedPort { port, protocol: Protocol::Tcp });
        judge_ports(&found, &expected, 22)
    }

    #[test]
    fn open_ports_must_be_the_expected_ones() {
        assert_eq!(
            verdict(&[22, 80], 0),
            Verdict::pass("of 65535 TCP ports open: 22, 80; 65533 refuse, 0 do not answer")
        );
        let wrong = verdict(&[22, 6379], 65_000);
        assert_eq!(wrong.outcome, CheckOutcome::Fail);
        assert!(
            wrong.detail.ends_with("; not expected: 6379; expected but not open: 80"),
            "{}",
            wrong.detail
        );
    }

    #[test]
    fn probe_that_does_not_even_find_ssh_is_not_believed() {
        assert!(verdict(&[80], 65_534).detail.ends_with("cannot be trusted"));
        assert_eq!(verdict(&[], 0).outcome, CheckOutcome::Fail);
    }

    #[test]
    fn findings_fail_from_the_gate_on() {
        let promises = Promises::default();
        let one = |severity| by_gate(&promises, &[(severity, "x".to_owned())], "summary").outcome;
        assert_eq!(one(Severity::High), CheckOutcome::Fail);
        assert_eq!(one(Severity::Low), CheckOutcome::Noted);
        assert_eq!(by_gate(&promises, &[], "summary"), Verdict::pass("summary"));
    }
}
