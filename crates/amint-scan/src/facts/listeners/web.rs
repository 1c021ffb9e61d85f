//! Web servers.

use super::address::split;
use super::{Listener, Reach};
use crate::facts::{apache, nginx};
use crate::{CheckError, Context, Protocol};

/// `listen` of nginx: a port, an address, both, or a socket in the file system; 80 when only an address is named.
pub(super) fn nginx(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let Some(config) = nginx::load(cx)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for server in nginx::servers(&config) {
        for listen in server.own("listen") {
            let Some(first) = listen.arguments.first().filter(|first| !first.starts_with("unix:")) else {
                continue;
            };
            let is_udp = listen.arguments.iter().any(|word| word == "udp" || word == "quic");
            let (address, port) = split(first);
            found.push(Listener {
                daemon: "nginx",
                units: &["nginx.service"],
                protocol: if is_udp { Protocol::Udp } else { Protocol::Tcp },
                port: port.unwrap_or(80),
                reach: Reach::of(address),
                path: listen.path.clone(),
                line: Some(listen.line),
                text: listen.text(),
            });
        }
    }
    Ok(found)
}

/// `Listen` of Apache.
pub(super) fn apache(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let config = apache::load(cx)?;
    let mut found = Vec::new();
    for listen in config.iter().filter(|directive| directive.name == "listen") {
        let Some((address, Some(port))) = listen.arguments.first().map(|first| split(first)) else {
            continue;
        };
        found.push(Listener {
            daemon: "apache",
            units: &["apache2.service", "httpd.service"],
            protocol: Protocol::Tcp,
            port,
            reach: Reach::of(address),
            path: listen.path.clone(),
            line: Some(listen.line),
            text: listen.text(),
        });
    }
    Ok(found)
}
