//! Daemons that are told by options, and those with a form of their own.

use std::path::{Path, PathBuf};

use super::address::split;
use super::{Listener, Reach, settings};
use crate::facts::units;
use crate::{CheckError, Context, Protocol, glob};

pub(super) fn load(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let mut found = Vec::new();
    found.extend(memcached(cx)?);
    found.extend(docker(cx)?);
    found.extend(jupyter(cx)?);
    found.extend(cups(cx)?);
    found.extend(snmpd(cx)?);
    found.extend(mail(cx)?);
    found.extend(kubelet(cx)?);
    Ok(found)
}

fn listener(
    daemon: &'static str,
    units: &'static [&'static str],
    socket: (Protocol, u16, Reach),
    place: (&Path, u32, &str),
) -> Listener {
    Listener {
        daemon,
        units,
        protocol: socket.0,
        port: socket.1,
        reach: socket.2,
        path: place.0.to_owned(),
        line: (place.1 > 0).then_some(place.1),
        text: place.2.to_owned(),
    }
}

/// `-l ADDRESS` in Debian's file of options, or in the variable of Red Hat's; all addresses when it is missing.
fn memcached(cx: &Context<'_>) -> Result<Option<Listener>, CheckError> {
    for file in ["/etc/memcached.conf", "/etc/sysconfig/memcached"] {
        let Some(text) = cx.text(file)? else { continue };
        let mut reach = None;
        let mut port = 11211;
        let mut place = (0, String::new());
        for (line, text) in
            (1_u32..).zip(text.lines()).filter(|(_, text)| !text.trim_start().starts_with('#'))
        {
            let words: Vec<&str> =
                text.split([' ', '\t', '"', '\'', '=', ',']).filter(|word| !word.is_empty()).collect();
            for pair in words.windows(2) {
                match pair[0] {
                    "-l" | "--listen" => {
                        reach = reach.max(Some(Reach::of(split(pair[1]).0)));
                        place = (line, text.to_owned());
                    }
                    "-p" | "PORT" => port = pair[1].parse().unwrap_or(port),
                    _ => {}
                }
            }
            if words.first() == Some(&"-s") {
                return Ok(None);
            }
        }
        let socket = (Protocol::Tcp, port, reach.unwrap_or(Reach::Everywhere));
        return Ok(Some(listener(
            "memcached",
            &["memcached.service"],
            socket,
            (Path::new(file), place.0, &place.1),
        )));
    }
    Ok(None)
}

const DOCKER: &[&str] = &["docker.service"];

/// `hosts` of docker's file, and `-H` of its unit.
fn docker(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let mut found = Vec::new();
    let mut add = |text: &str, path: &Path, line: u32| {
        for (at, _) in text.match_indices("tcp://") {
            let end = |letter: char| letter.is_whitespace() || ['"', '\'', ','].contains(&letter);
            let address = text[at + 6..].split(end).next().unwrap_or_default();
            let (address, port) = split(address);
            let socket = (Protocol::Tcp, port.unwrap_or(2375), Reach::of(address));
            found.push(listener("docker", DOCKER, socket, (path, line, text)));
        }
    };
    let file = Path::new("/etc/docker/daemon.json");
    for (line, text) in (1_u32..).zip(cx.text(file)?.unwrap_or_default().lines()) {
        add(text, file, line);
    }
    if let Some(unit) = units::load(cx, DOCKER[0])? {
        for entry in units::values(&unit, "Service", "ExecStart") {
            add(&entry.value, &entry.path, entry.line);
        }
    }
    let file = Path::new("/etc/default/docker");
    for (line, text) in (1_u32..).zip(cx.text(file)?.unwrap_or_default().lines()) {
        if !text.trim_start().starts_with('#') {
            add(text, file, line);
        }
    }
    Ok(found)
}

/// `c.ServerApp.ip = '*'` in the files of notebook servers.
fn jupyter(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let mut files = glob::expand(cx, "/etc/jupyter/jupyter_*_config.py")?;
    for home in cx.homes()? {
        files.extend(glob::expand(cx, &format!("{}/.jupyter/jupyter_*_config.py", home.display()))?);
    }
    let mut found = Vec::new();
    for path in files {
        for (line, key, value) in settings(&cx.text(&path)?.unwrap_or_default()) {
            if ["c.ServerApp.ip", "c.NotebookApp.ip", "c.LabApp.ip"].contains(&key.as_str()) {
                let socket = (Protocol::Tcp, 8888, Reach::of(&value));
                found.push(listener("jupyter", &[], socket, (&path, line, &format!("{key} = {value}"))));
            }
        }
    }
    Ok(found)
}

fn cups(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let path = Path::new("/etc/cups/cupsd.conf");
    let mut found = Vec::new();
    for (line, text) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
        let mut words = text.split_whitespace();
        let key = words.next().unwrap_or_default();
        let Some(value) = words.next().filter(|value| !value.starts_with('/')) else { continue };
        if key.eq_ignore_ascii_case("Listen") || key.eq_ignore_ascii_case("Port") {
            let (address, port) = split(value);
            let socket = (Protocol::Tcp, port.unwrap_or(631), Reach::of(address));
            found.push(listener("cups", &["cups.service", "cups.socket"], socket, (path, line, text)));
        }
    }
    Ok(found)
}

fn snmpd(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let path = Path::new("/etc/snmp/snmpd.conf");
    let mut found = Vec::new();
    for (line, key, value) in settings(&cx.text(path)?.unwrap_or_default()) {
        if key.eq_ignore_ascii_case("agentaddress") {
            for one in value.split(',') {
                let one = one.trim().trim_start_matches("udp6:").trim_start_matches("udp:");
                let (address, port) = split(one);
                let socket = (Protocol::Udp, port.unwrap_or(161), Reach::of(address));
                found.push(listener("snmpd", &["snmpd.service"], socket, (path, line, &value)));
            }
        }
    }
    Ok(found)
}

/// Postfix listens everywhere unless told otherwise; Debian's exim has its own list.
fn mail(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let mut found = Vec::new();
    let path = Path::new("/etc/postfix/main.cf");
    if let Some(text) = cx.text(path)? {
        let last = settings(&text).filter(|(_, key, _)| key == "inet_interfaces").last();
        let (line, value) = last.map_or((0, "all".to_owned()), |(line, _, value)| (line, value));
        let reach = Reach::of_all(value.split([',', ' '])).unwrap_or(Reach::Everywhere);
        let units = &["postfix.service", "postfix@-.service"];
        let text = format!("inet_interfaces = {value}");
        found.push(listener("postfix", units, (Protocol::Tcp, 25, reach), (path, line, &text)));
    }
    let path = Path::new("/etc/exim4/update-exim4.conf.conf");
    for (line, key, value) in settings(&cx.text(path)?.unwrap_or_default()) {
        if key == "dc_local_interfaces" {
            let reach = Reach::of_all(value.split(';').map(str::trim)).unwrap_or(Reach::Everywhere);
            let text = format!("{key}='{value}'");
            found.push(listener("exim", &["exim4.service"], (Protocol::Tcp, 25, reach), (path, line, &text)));
        }
    }
    Ok(found)
}

/// The port of the kubelet that answers without asking who is there.
fn kubelet(cx: &Context<'_>) -> Result<Option<Listener>, CheckError> {
    let path = PathBuf::from("/var/lib/kubelet/config.yaml");
    for (line, key, value) in settings(&cx.text(&path)?.unwrap_or_default()) {
        let port = value.parse().ok().filter(|port| *port > 0);
        if let (true, Some(port)) = (key == "readOnlyPort", port) {
            let socket = (Protocol::Tcp, port, Reach::Everywhere);
            return Ok(Some(listener("kubelet", &["kubelet.service"], socket, (&path, line, &value))));
        }
    }
    Ok(None)
}
