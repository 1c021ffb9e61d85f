//! Are packet filter rules loaded?

use std::fmt::Write as _;

use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Judges what the packet filter's own programs list.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let (seen, summary) = match snapshot.section("firewall") {
        Ok(text) => look(text),
        Err(reason) => (Seen::Unknown(reason), String::new()),
    };
    judged(promises, vec![("NET-001", seen)], &summary)
}

fn look(text: &str) -> (Seen, String) {
    let of = |tool: &str| -> Vec<&str> {
        text.lines().filter_map(|line| line.strip_prefix(tool)?.strip_prefix(' ')).map(str::trim).collect()
    };
    let (nft, iptables) = (of("nft"), of("iptables"));
    let is_nft = nft.iter().any(|line| line.contains("hook input") && line.contains("policy drop"))
        || (nft.iter().any(|line| line.contains("hook input")) && nft.iter().any(|line| is_refusal(line)));
    let is_iptables = iptables.iter().any(|line| {
        matches!(*line, "-P INPUT DROP" | "-P INPUT REJECT")
            || (line.starts_with("-A INPUT") && (line.contains("-j DROP") || line.contains("-j REJECT")))
    });
    let managers: Vec<&str> = [
        of("ufw").contains(&"Status: active").then_some("ufw"),
        of("firewalld").contains(&"running").then_some("firewalld"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut summary = format!("{} lines of nftables, {} of iptables", nft.len(), iptables.len());
    for manager in managers {
        // Writing to a string cannot fail.
        let _ = write!(summary, "; {manager} is active");
    }
    if is_nft || is_iptables {
        return (Seen::Holds, format!("what is not let in is refused: {summary}"));
    }
    let text = format!("nothing that comes in is refused ({summary}); EC2's security groups stand alone");
    (Seen::Violated(text.clone()), text)
}

fn is_refusal(line: &str) -> bool {
    line.split_whitespace().any(|word| matches!(word, "drop" | "reject"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_that_refuse_what_comes_in_count() {
        for text in [
            "nft table inet filter {\nnft \tchain input {\nnft \t\ttype filter hook input priority filter; policy drop;\n",
            "nft \ttype filter hook input priority filter; policy accept;\nnft \ttcp dport 22 accept\nnft \treject\n",
            "iptables -P INPUT DROP\niptables -P OUTPUT ACCEPT\n",
            "iptables -P INPUT ACCEPT\niptables -A INPUT -j REJECT --reject-with icmp-port-unreachable\n",
        ] {
            assert_eq!(look(text).0, Seen::Holds, "{text}");
        }
        for text in [
            "",
            "iptables -P INPUT ACCEPT\niptables -P FORWARD DROP\n",
            "nft \ttype filter hook input priority filter; policy accept;\n",
            "nft \ttype filter hook forward priority filter; policy drop;\n",
            "ufw Status: inactive\n",
        ] {
            assert!(matches!(look(text).0, Seen::Violated(_)), "{text}");
        }
    }
}
