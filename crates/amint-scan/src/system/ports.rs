//! The ports that well-known programs listen on, by their configuration where amint reads it, else by default.

use crate::facts::listeners::Listeners;
use crate::{CheckError, Context, Protocol};

/// Programs whose configuration is not read: what they listen on as their distribution ships them.
const USUAL: [(&str, &[&str]); 16] = [
    ("memcached", &["tcp/11211"]),
    ("named", &["tcp/53", "udp/53"]),
    ("dnsmasq", &["tcp/53", "udp/53"]),
    ("mariadbd", &["tcp/3306"]),
    ("mysqld", &["tcp/3306"]),
    ("postgres", &["tcp/5432"]),
    ("redis-server", &["tcp/6379"]),
    ("mongod", &["tcp/27017"]),
    ("rpcbind", &["tcp/111", "udp/111"]),
    ("exim4", &["tcp/25"]),
    ("vsftpd", &["tcp/21"]),
    ("smbd", &["tcp/445"]),
    ("cupsd", &["tcp/631"]),
    ("snmpd", &["udp/161"]),
    ("avahi-daemon", &["udp/5353"]),
    ("squid", &["tcp/3128"]),
];
/// Scripts whose name is not their program's.
const SCRIPTS: [(&str, &str); 6] = [
    ("ssh", "/usr/sbin/sshd"),
    ("sshd", "/usr/sbin/sshd"),
    ("nginx", "/usr/sbin/nginx"),
    ("apache2", "/usr/sbin/apache2"),
    ("httpd", "/usr/sbin/httpd"),
    ("rpcbind", "/usr/sbin/rpcbind"),
];
/// Returns the program that a script of System V or OpenRC usually starts.
pub(super) fn usual_program(script: &str) -> Option<&'static str> {
    SCRIPTS.iter().find(|(name, _)| *name == script).map(|(_, program)| *program)
}

/// Returns the ports of a program, as `tcp/22`.
pub(super) fn of_program(cx: &Context<'_>, program: Option<&str>) -> Result<Vec<String>, CheckError> {
    let Some(name) = program.and_then(|path| path.rsplit('/').next()) else { return Ok(Vec::new()) };
    match name {
        "sshd" => of_sshd(cx),
        "nginx" => configured(cx, "nginx"),
        "apache2" | "apachectl" | "httpd" => configured(cx, "apache"),
        _ => {
            let usual = USUAL.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, ports)| *ports);
            Ok(usual.iter().map(|port| (*port).to_owned()).collect())
        }
    }
}

fn of_sshd(cx: &Context<'_>) -> Result<Vec<String>, CheckError> {
    let Some(config) = cx.sshd()? else { return Ok(Vec::new()) };
    let mut found: Vec<String> =
        config.all("ListenAddress").iter().filter_map(|setting| port_of(&setting.text())).collect();
    if found.is_empty() {
        found = config
            .all("Port")
            .iter()
            .filter_map(|setting| setting.text().parse::<u16>().ok())
            .map(tcp)
            .collect();
    }
    Ok(found)
}

fn tcp(port: u16) -> String {
    format!("tcp/{port}")
}

/// The port of `address:port`, `[address]:port`, `*:port` or `port`.
fn port_of(text: &str) -> Option<String> {
    let text = text.trim_end_matches(';');
    let is_bare_address = text.matches(':').count() > 1 && !text.contains(']');
    let port = match text.rsplit_once(':') {
        Some((_, port)) if !is_bare_address => port,
        _ => text,
    };
    port.parse::<u16>().ok().map(tcp)
}

fn configured(cx: &Context<'_>, daemon: &str) -> Result<Vec<String>, CheckError> {
    let listeners = cx.fact(Listeners::load)?;
    let found = listeners.0.iter().filter(|listener| listener.daemon == daemon);
    Ok(found
        .map(|listener| match listener.protocol {
            Protocol::Tcp => tcp(listener.port),
            Protocol::Udp => format!("udp/{}", listener.port),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn configuration_tells_the_ports_of_servers() {
        Fixture::with_sshd("Port 2222\n")
            .file("/etc/nginx/nginx.conf", "http { include /etc/nginx/sites-enabled/*; }\n")
            .file(
                "/etc/nginx/sites-enabled/a",
                "server { listen 8080 default_server; listen [::]:8080; listen unix:/x; # listen 1\n }\n",
            )
            .file("/etc/apache2/apache2.conf", "IncludeOptional ports.conf\n")
            .file(
                "/etc/apache2/ports.conf",
                "Listen 80\n<IfModule !mod_x.c>\n\tListen 127.0.0.1:443\n</IfModule>\n",
            )
            .with(|cx| {
                assert_eq!(of_program(cx, Some("/usr/sbin/sshd")).unwrap(), ["tcp/2222"]);
                let mut nginx = of_program(cx, Some("/usr/sbin/nginx")).unwrap();
                nginx.dedup();
                assert_eq!(nginx, ["tcp/8080"]);
                assert_eq!(of_program(cx, Some("/usr/sbin/apachectl")).unwrap(), ["tcp/80", "tcp/443"]);
                assert_eq!(of_program(cx, Some("/usr/bin/memcached")).unwrap(), ["tcp/11211"]);
                assert_eq!(of_program(cx, None).unwrap(), Vec::<String>::new());
            });
    }
}
