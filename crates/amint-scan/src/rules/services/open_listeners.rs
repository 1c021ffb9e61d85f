use amint_types::Severity;

use super::started::may_start;
use crate::facts::listeners::{Listeners, Reach};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Daemons that trust whoever reaches them are reached by nobody else.
pub(in crate::rules) struct OpenListeners;

static META: RuleMeta = RuleMeta {
    id: "SVC-003",
    title: "databases and control sockets listen on the loopback address",
    requirements: &["A2", "B6", "MP-G4", "MP-L5", "CIS-2.1"],
    rationale: "Databases, caches and the sockets of container engines take orders from whoever reaches them, often \
                without a password. Bound to all addresses, one mistake in a security group gives them to everybody.",
    remedy: "Bind the daemon to 127.0.0.1, or declare its port under `[[ports]]` when the product serves it.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// Daemons that are made to be reached by strangers.
const PUBLIC: [&str; 2] = ["nginx", "apache"];

impl Rule for OpenListeners {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let listeners = cx.fact(Listeners::load)?;
        let mut findings = Vec::new();
        let mut is_any = false;
        for listener in listeners.0.iter().filter(|listener| !PUBLIC.contains(&listener.daemon)) {
            is_any = true;
            let is_declared = cx.request().ports.contains(&(listener.port, listener.protocol));
            if listener.reach == Reach::Local || is_declared || !may_start(cx, listener.units)? {
                continue;
            }
            let place = match listener.reach {
                Reach::Everywhere => "all addresses",
                _ => "an address of the network",
            };
            let message = format!("{} listens on {place}, port {}", listener.daemon, listener.port);
            findings.push(match listener.line {
                Some(line) => finding_at(message, &listener.path, line, &listener.text),
                None => finding(message, &listener.path),
            });
        }
        if !is_any {
            return Ok(Verdict::NotApplicable("no daemon whose configuration is known".to_owned()));
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;
    use crate::{Protocol, Verdict};

    #[test]
    fn every_daemon_that_listens_everywhere_is_found() {
        for (path, content) in [
            ("/etc/mysql/mysql.conf.d/mysqld.cnf", "[mysqld]\nbind-address = 0.0.0.0\n"),
            ("/etc/my.cnf", "[mysqld]\nbind_address=*\n"),
            ("/etc/postgresql/15/main/postgresql.conf", "listen_addresses = '*'\t# all\n"),
            ("/etc/redis/redis.conf", "bind 0.0.0.0 -::*\n"),
            ("/etc/mongod.conf", "net:\n  port: 27017\n  bindIp: 127.0.0.1,0.0.0.0\n"),
            ("/etc/memcached.conf", "-m 64\n-p 11211\n"),
            ("/etc/sysconfig/memcached", "PORT=\"11211\"\nOPTIONS=\"-l 0.0.0.0\"\n"),
            ("/etc/docker/daemon.json", "{\"hosts\": [\"unix:///x\", \"tcp://0.0.0.0:2375\"]}\n"),
            ("/etc/elasticsearch/elasticsearch.yml", "network.host: 0.0.0.0\n"),
            ("/root/.jupyter/jupyter_notebook_config.py", "c.NotebookApp.ip = '*'\n"),
            ("/etc/cups/cupsd.conf", "Listen *:631\n"),
            ("/etc/snmp/snmpd.conf", "agentaddress udp:161\n"),
            ("/etc/postfix/main.cf", "inet_interfaces = all\n"),
            ("/var/lib/kubelet/config.yaml", "readOnlyPort: 10255\n"),
        ] {
            let fixture =
                Fixture::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n").file(path, content);
            assert_eq!(fixture.paths("SVC-003"), [path]);
        }
    }

    #[test]
    fn daemons_that_stay_at_home_pass() {
        for (path, content) in [
            (
                "/etc/mysql/mysql.conf.d/mysqld.cnf",
                "[mysqld]\nbind-address = 127.0.0.1\n[client]\nbind-address=0.0.0.0\n",
            ),
            ("/etc/my.cnf", "[mysqld]\nskip-networking\nbind-address=0.0.0.0\n"),
            ("/etc/postgresql/15/main/postgresql.conf", "#listen_addresses = '*'\n"),
            ("/etc/redis/redis.conf", "bind 127.0.0.1 -::1\n# bind 0.0.0.0\n"),
            ("/etc/redis/redis.conf", "protected-mode yes\n"),
            ("/etc/mongod.conf", "net:\n  bindIp: 127.0.0.1\n"),
            ("/etc/memcached.conf", "# -l 0.0.0.0\n-l 127.0.0.1\n"),
            ("/etc/elasticsearch/elasticsearch.yml", "#network.host: 0.0.0.0\n"),
            ("/etc/cups/cupsd.conf", "Listen localhost:631\nListen /run/cups/cups.sock\n"),
            ("/etc/postfix/main.cf", "inet_interfaces = loopback-only\n"),
            ("/etc/exim4/update-exim4.conf.conf", "dc_local_interfaces='127.0.0.1 ; ::1'\n"),
        ] {
            let verdict = Fixture::new().file(path, content).check("SVC-003");
            assert!(!matches!(verdict, Verdict::Fail(_)), "{path}: {verdict:?}");
        }
        assert!(matches!(Fixture::new().check("SVC-003"), Verdict::NotApplicable(_)));
    }

    #[test]
    fn what_is_declared_or_does_not_start_is_no_finding() {
        let mut fixture = Fixture::new().file("/etc/redis/redis.conf", "bind 0.0.0.0\n");
        fixture.request.ports = vec![(6379, Protocol::Tcp)];
        assert!(fixture.is_pass("SVC-003"));
        let masked = Fixture::new()
            .file("/usr/lib/systemd/systemd", "")
            .file("/etc/redis/redis.conf", "bind 0.0.0.0\n")
            .link("/dev/null", "/etc/systemd/system/redis-server.service");
        assert!(masked.is_pass("SVC-003"));
    }
}
