//! The ports that well-known programs listen on, by their configuration where amint reads it, else by default.

use crate::glob;
use crate::{CheckError, Context};

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
/// How many files one configuration may include.
const FILES_MAX: usize = 1000;

/// Returns the program that a script of System V or OpenRC usually starts.
pub(super) fn usual_program(script: &str) -> Option<&'static str> {
    SCRIPTS.iter().find(|(name, _)| *name == script).map(|(_, program)| *program)
}

/// Returns the ports of a program, as `tcp/22`.
pub(super) fn of_program(cx: &Context<'_>, program: Option<&str>) -> Result<Vec<String>, CheckError> {
    let Some(name) = program.and_then(|path| path.rsplit('/').next()) else { return Ok(Vec::new()) };
    match name {
        "sshd" => of_sshd(cx),
        "nginx" => of_nginx(cx),
        "apache2" | "apachectl" | "httpd" => of_apache(cx),
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

/// `listen` of nginx: a port, an address, both, or a socket in the file system; 80 when only an address is named.
fn of_nginx(cx: &Context<'_>) -> Result<Vec<String>, CheckError> {
    let mut found = Vec::new();
    for text in included(cx, "/etc/nginx/nginx.conf", "include", "/etc/nginx")? {
        for statement in statements(&text) {
            let mut words = statement.split_whitespace();
            if words.next() != Some("listen") {
                continue;
            }
            let address = words.next().unwrap_or_default();
            if !address.starts_with("unix:") {
                let protocol =
                    if words.clone().any(|word| word == "udp" || word == "quic") { "udp" } else { "tcp" };
                let port = port_of(address).unwrap_or_else(|| tcp(80));
                found.push(port.replace("tcp", protocol));
            }
        }
    }
    Ok(found)
}

fn of_apache(cx: &Context<'_>) -> Result<Vec<String>, CheckError> {
    let mut found = Vec::new();
    for (main, root) in
        [("/etc/apache2/apache2.conf", "/etc/apache2"), ("/etc/httpd/conf/httpd.conf", "/etc/httpd")]
    {
        for text in included(cx, main, "Include", root)? {
            for line in text.lines().map(without_comment) {
                let mut words = line.split_whitespace();
                if words.next().is_some_and(|word| word.eq_ignore_ascii_case("Listen")) {
                    found.extend(words.next().and_then(port_of));
                }
            }
        }
    }
    Ok(found)
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

/// Splits a configuration at ends of lines, and at the marks of nginx, which Apache has no use for.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(without_comment).flat_map(|line| line.split([';', '{', '}']))
}

/// Reads a configuration and what it includes, each file once.
fn included(cx: &Context<'_>, main: &str, keyword: &str, root: &str) -> Result<Vec<String>, CheckError> {
    let mut texts = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut pending = vec![std::path::PathBuf::from(main)];
    while let Some(path) = pending.pop() {
        if seen.len() >= FILES_MAX || !seen.insert(path.clone()) {
            continue;
        }
        let Some(text) = cx.text(&path)? else { continue };
        for statement in statements(&text) {
            let mut words = statement.split_whitespace();
            // Apache also has IncludeOptional.
            let is_include = words.next().is_some_and(|word| {
                word.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword))
            });
            if let (true, Some(pattern)) = (is_include, words.next()) {
                let pattern = pattern.trim_matches(['"', '\'']);
                let pattern =
                    if pattern.starts_with('/') { pattern.to_owned() } else { format!("{root}/{pattern}") };
                pending.extend(glob::expand(cx, &pattern)?);
            }
        }
        texts.push(text);
    }
    Ok(texts)
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
                "Listen 80\n<IfModule ssl>\n\tListen 127.0.0.1:443\n</IfModule>\n",
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
