use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;
use amint_types::scan::Service;

use super::started::Started;
use crate::facts::listeners::{Listeners, Reach};
use crate::facts::units;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Protocol, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// What starts and listens was declared.
pub(in crate::rules) struct DeclaredPorts;

static META: RuleMeta = RuleMeta {
    id: "SVC-001",
    title: "services that start listen on declared ports only",
    requirements: &["A2", "A10", "B6", "MP-L5", "CIS-2.1"],
    rationale: "Whoever launches the image opens the ports that the listing names. A service that listens on another \
                one is either broken for its users or a door that nobody watches.",
    remedy: "Declare the port under `[[ports]]`, bind the service to the loopback address, or disable it.",
    severities: Severities::public(Severity::High, Some(Severity::Low)),
};

/// What a daemon is called in the facts on listeners, by the name of its program.
const DAEMONS: [(&str, &str); 14] = [
    ("nginx", "nginx"),
    ("apache2", "apache"),
    ("apachectl", "apache"),
    ("httpd", "apache"),
    ("mysqld", "mysql"),
    ("mariadbd", "mysql"),
    ("postgres", "postgresql"),
    ("redis-server", "redis"),
    ("mongod", "mongodb"),
    ("memcached", "memcached"),
    ("cupsd", "cups"),
    ("snmpd", "snmpd"),
    ("exim4", "exim"),
    ("dockerd", "docker"),
];

impl Rule for DeclaredPorts {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let started = cx.fact(Started::load)?;
        let listeners = cx.fact(Listeners::load)?;
        let mut findings = Vec::new();
        for service in &started.0 {
            for port in &service.ports {
                let Some(socket) = parse(port) else { continue };
                if is_declared(cx, socket) || is_local(cx, service, socket, &listeners)? {
                    continue;
                }
                let message = format!("{} listens on {port}, which is not declared", service.name);
                findings.push(at_its_place(message, service, socket, &listeners));
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let port = finding.message.split(" listens on ").nth(1)?.split(',').next()?;
        parse(port).map(|(port, protocol)| RecipeChange::DeclarePort(port, protocol))
    }
}

fn parse(port: &str) -> Option<(u16, Protocol)> {
    let (protocol, number) = port.split_once('/')?;
    let protocol = if protocol == "udp" { Protocol::Udp } else { Protocol::Tcp };
    Some((number.parse().ok()?, protocol))
}

/// The ssh server's port is another rule's; clients of DHCP must hear the answer.
fn is_declared(cx: &Context<'_>, socket: (u16, Protocol)) -> bool {
    let expected = [(22, Protocol::Tcp), (68, Protocol::Udp), (546, Protocol::Udp)];
    expected.contains(&socket) || cx.request().ports.contains(&socket)
}

fn daemon_of(service: &Service) -> Option<&'static str> {
    let program = service.program.as_deref()?.rsplit('/').next()?;
    DAEMONS.iter().find(|(name, _)| *name == program).map(|(_, daemon)| *daemon)
}

/// Tells whether only programs of the same machine reach the socket.
fn is_local(
    cx: &Context<'_>,
    service: &Service,
    (port, protocol): (u16, Protocol),
    listeners: &Listeners,
) -> Result<bool, CheckError> {
    if service.program.as_deref().is_some_and(|program| program.ends_with("/sshd")) {
        return Ok(true);
    }
    let key = if protocol == Protocol::Tcp { "ListenStream" } else { "ListenDatagram" };
    if let Some(unit) = units::load(cx, &service.name)? {
        let own: Vec<Reach> = units::values(&unit, "Socket", key)
            .iter()
            .filter_map(|entry| {
                let (address, number) = entry.value.rsplit_once(':').unwrap_or(("", &entry.value));
                (number.parse() == Ok(port)).then(|| Reach::of(address))
            })
            .collect();
        if let Some(widest) = own.iter().max() {
            return Ok(*widest == Reach::Local);
        }
    }
    let Some(daemon) = daemon_of(service) else { return Ok(false) };
    let of_daemon: Vec<_> = listeners.0.iter().filter(|listener| listener.daemon == daemon).collect();
    let of_port = of_daemon.iter().filter(|listener| listener.port == port || of_daemon.len() == 1);
    Ok(of_port.map(|listener| listener.reach).max() == Some(Reach::Local))
}

fn at_its_place(
    message: String,
    service: &Service,
    (port, _): (u16, Protocol),
    listeners: &Listeners,
) -> Finding {
    let daemon = daemon_of(service);
    let place = listeners
        .0
        .iter()
        .find(|listener| Some(listener.daemon) == daemon && listener.port == port && listener.line.is_some());
    match place {
        Some(listener) => {
            finding_at(message, &listener.path, listener.line.unwrap_or_default(), &listener.text)
        }
        None => finding(message, Path::new(&service.enabled_by)),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;
    use crate::{Protocol, RecipeChange, rules};

    fn system() -> Fixture {
        Fixture::new()
            .file("/usr/lib/systemd/systemd", "")
            .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
            .link("/usr/lib/systemd/system/multi-user.target", "/etc/systemd/system/default.target")
    }

    fn started(fixture: Fixture, name: &str, content: &str) -> Fixture {
        let path = format!("/usr/lib/systemd/system/{name}");
        fixture
            .file(&path, content)
            .link(&path, &format!("/etc/systemd/system/multi-user.target.wants/{name}"))
    }

    #[test]
    fn a_web_server_needs_its_port_declared() {
        let fixture = started(system(), "nginx.service", "[Service]\nExecStart=/usr/sbin/nginx\n");
        let mut fixture = fixture
            .file("/etc/nginx/nginx.conf", "http { server { listen 8080; listen 127.0.0.1:9000; } }\n");
        assert_eq!(
            fixture.findings("SVC-001"),
            ["/etc/nginx/nginx.conf:1 nginx.service listens on tcp/8080, which is not declared"]
        );
        let rule = rules().iter().find(|rule| rule.meta().id == "SVC-001").unwrap();
        let crate::Verdict::Fail(found) = fixture.check("SVC-001") else { panic!("no finding") };
        assert_eq!(rule.recipe_change(&found[0]), Some(RecipeChange::DeclarePort(8080, Protocol::Tcp)));
        fixture.request.ports = vec![(8080, Protocol::Tcp)];
        assert!(fixture.is_pass("SVC-001"));
    }

    #[test]
    fn sockets_on_the_loopback_address_and_databases_at_home_are_nobodys_business() {
        let socket = "[Socket]\nListenStream=127.0.0.1:7\nListenStream=/run/x\n";
        let fixture = started(system(), "echo.socket", socket);
        let fixture = started(fixture, "redis.service", "[Service]\nExecStart=/usr/bin/redis-server\n")
            .file("/etc/redis/redis.conf", "bind 127.0.0.1 -::1\n");
        assert!(fixture.is_pass("SVC-001"));
        let open = started(system(), "rpcbind.socket", "[Socket]\nListenStream=0.0.0.0:111\n");
        assert_eq!(open.findings("SVC-001").len(), 1);
    }

    #[test]
    fn what_is_masked_or_not_enabled_does_not_listen() {
        let fixture = started(system(), "rpcbind.service", "[Service]\nExecStart=/sbin/rpcbind\n")
            .link("/dev/null", "/etc/systemd/system/rpcbind.service")
            .file("/usr/lib/systemd/system/smb.service", "[Service]\nExecStart=/usr/sbin/smbd\n");
        assert!(fixture.is_pass("SVC-001"));
    }
}
