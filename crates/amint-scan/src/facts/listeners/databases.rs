//! Databases and caches.

use std::path::{Path, PathBuf};

use super::{Listener, Reach, settings};
use crate::facts::yaml::{self, Yaml};
use crate::{CheckError, Context, Protocol, glob};

/// A daemon with `key value` lines.
struct Keyed {
    daemon: &'static str,
    units: &'static [&'static str],
    files: &'static [&'static str],
    /// The section that its settings stand in; all of the file when none.
    sections: &'static [&'static str],
    address: &'static str,
    port: &'static str,
    usual_port: u16,
    /// Where it listens when nothing is said.
    usual: Option<Reach>,
}

/// The last file that says something counts: files come in the order in which the daemon reads them.
const KEYED: [Keyed; 5] = [
    Keyed {
        daemon: "mysql",
        units: &["mysql.service", "mysqld.service", "mariadb.service"],
        files: &[
            "/etc/my.cnf",
            "/etc/my.cnf.d/*.cnf",
            "/etc/mysql/my.cnf",
            "/etc/mysql/conf.d/*.cnf",
            "/etc/mysql/mysql.conf.d/*.cnf",
            "/etc/mysql/mariadb.conf.d/*.cnf",
        ],
        sections: &["mysqld", "server", "mariadb", "mariadbd"],
        address: "bind-address",
        port: "port",
        usual_port: 3306,
        usual: None,
    },
    Keyed {
        daemon: "postgresql",
        units: &["postgresql.service", "postgresql@.service"],
        files: &[
            "/etc/postgresql/*/*/postgresql.conf",
            "/etc/postgresql/*/*/conf.d/*.conf",
            "/var/lib/pgsql/data/postgresql.conf",
            "/var/lib/pgsql/*/data/postgresql.conf",
        ],
        sections: &[],
        address: "listen_addresses",
        port: "port",
        usual_port: 5432,
        usual: Some(Reach::Local),
    },
    Keyed {
        daemon: "redis",
        units: &["redis-server.service", "redis.service", "valkey-server.service", "valkey.service"],
        files: &[
            "/etc/redis/redis.conf",
            "/etc/redis.conf",
            "/etc/redis/redis-*.conf",
            "/etc/valkey/valkey.conf",
        ],
        sections: &[],
        address: "bind",
        port: "port",
        usual_port: 6379,
        // Without a word on addresses, redis answers strangers with a refusal ("protected mode").
        usual: Some(Reach::Local),
    },
    Keyed {
        daemon: "mongodb",
        units: &["mongodb.service"],
        files: &["/etc/mongodb.conf"],
        sections: &[],
        address: "bind_ip",
        port: "port",
        usual_port: 27017,
        usual: Some(Reach::Local),
    },
    Keyed {
        daemon: "couchdb",
        units: &["couchdb.service"],
        files: &["/opt/couchdb/etc/local.ini", "/etc/couchdb/local.ini", "/etc/couchdb/local.d/*.ini"],
        sections: &["chttpd", "httpd"],
        address: "bind_address",
        port: "port",
        usual_port: 5984,
        usual: Some(Reach::Local),
    },
];

/// A daemon whose settings are YAML.
struct Tree {
    daemon: &'static str,
    units: &'static [&'static str],
    file: &'static str,
    address: &'static [&'static [&'static str]],
    port: &'static [&'static [&'static str]],
    usual_port: u16,
}

/// All of these listen on the loopback address, unless told otherwise.
const TREES: [Tree; 5] = [
    Tree {
        daemon: "mongodb",
        units: &["mongod.service"],
        file: "/etc/mongod.conf",
        address: &[&["net", "bindIp"], &["net.bindIp"]],
        port: &[&["net", "port"], &["net.port"]],
        usual_port: 27017,
    },
    Tree {
        daemon: "elasticsearch",
        units: &["elasticsearch.service"],
        file: "/etc/elasticsearch/elasticsearch.yml",
        address: &[&["http.host"], &["http", "host"], &["network.host"], &["network", "host"]],
        port: &[&["http.port"], &["http", "port"]],
        usual_port: 9200,
    },
    Tree {
        daemon: "opensearch",
        units: &["opensearch.service"],
        file: "/etc/opensearch/opensearch.yml",
        address: &[&["http.host"], &["http", "host"], &["network.host"], &["network", "host"]],
        port: &[&["http.port"], &["http", "port"]],
        usual_port: 9200,
    },
    Tree {
        daemon: "kibana",
        units: &["kibana.service"],
        file: "/etc/kibana/kibana.yml",
        address: &[&["server.host"], &["server", "host"]],
        port: &[&["server.port"], &["server", "port"]],
        usual_port: 5601,
    },
    Tree {
        daemon: "cassandra",
        units: &["cassandra.service"],
        file: "/etc/cassandra/cassandra.yaml",
        address: &[&["rpc_address"]],
        port: &[&["native_transport_port"]],
        usual_port: 9042,
    },
];

pub(super) fn load(cx: &Context<'_>) -> Result<Vec<Listener>, CheckError> {
    let mut found = Vec::new();
    for daemon in &KEYED {
        found.extend(keyed(cx, daemon)?);
    }
    for daemon in &TREES {
        found.extend(tree(cx, daemon)?);
    }
    Ok(found)
}

fn keyed(cx: &Context<'_>, daemon: &Keyed) -> Result<Option<Listener>, CheckError> {
    let mut last: Option<(PathBuf, u32, String)> = None;
    let mut first_file = None;
    let mut port = daemon.usual_port;
    let mut is_off = false;
    for pattern in daemon.files {
        for path in glob::expand(cx, pattern)? {
            let Some(text) = cx.text(&path)? else { continue };
            first_file.get_or_insert_with(|| path.clone());
            for (line, key, value) in in_sections(&text, daemon.sections) {
                // mysql takes either dash.
                let key = if daemon.daemon == "mysql" { key.replace('_', "-") } else { key };
                if key == daemon.address {
                    last = Some((path.clone(), line, value));
                } else if key == daemon.port {
                    port = value.parse().unwrap_or(port);
                } else if key == "skip-networking" {
                    is_off = !["0", "off", "false"].contains(&value.to_ascii_lowercase().as_str());
                }
            }
        }
    }
    if is_off || port == 0 {
        return Ok(None);
    }
    let listener = |reach, path: PathBuf, line, text| Listener {
        daemon: daemon.daemon,
        units: daemon.units,
        protocol: Protocol::Tcp,
        port,
        reach,
        path,
        line,
        text,
    };
    Ok(match (last, first_file) {
        (Some((path, line, value)), _) => {
            let addresses = value.split([',', ' ', '\'']);
            // An empty list is no socket at all.
            Reach::of_all(addresses)
                .map(|reach| listener(reach, path, Some(line), format!("{} {value}", daemon.address)))
        }
        (None, Some(path)) => daemon.usual.map(|reach| listener(reach, path, None, String::new())),
        (None, None) => None,
    })
}

/// The settings of some sections, and bare words as settings without a value.
fn in_sections(text: &str, sections: &[&str]) -> Vec<(u32, String, String)> {
    let mut is_in = sections.is_empty();
    let mut wanted = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            is_in = sections.is_empty()
                || sections.contains(&name)
                || sections.iter().any(|one| name.starts_with(&format!("{one}-")));
        } else if is_in {
            wanted.push_str(trimmed);
            if !trimmed.contains(['=', ' ', ':']) && !trimmed.is_empty() {
                wanted.push_str(" =");
            }
        }
        // Lines keep their numbers.
        wanted.push('\n');
    }
    settings(&wanted).collect()
}

fn tree(cx: &Context<'_>, daemon: &Tree) -> Result<Option<Listener>, CheckError> {
    let Some(text) = cx.text(daemon.file)? else { return Ok(None) };
    let settings = yaml::parse(Path::new(daemon.file), &text)?;
    let at = |paths: &[&[&str]]| paths.iter().find_map(|keys| settings.at(keys)).cloned();
    let port = at(daemon.port).and_then(|port| port.text().and_then(|port| port.parse().ok()));
    let is_all = settings.at(&["net", "bindIpAll"]).and_then(Yaml::switch) == Some(true);
    let address = at(daemon.address);
    let texts: Vec<&str> = address
        .iter()
        .flat_map(|value| value.text().into_iter().chain(value.items().iter().filter_map(Yaml::text)))
        .flat_map(|text| text.split(','))
        .collect();
    let reach = if is_all { Some(Reach::Everywhere) } else { Reach::of_all(texts.iter().copied()) };
    let last_key = daemon.address.iter().filter_map(|keys| keys.last());
    let line = (1_u32..).zip(text.lines()).find(|(_, line)| {
        let line = line.trim();
        is_all && line.starts_with("bindIpAll") || last_key.clone().any(|key| line.starts_with(key))
    });
    Ok(Some(Listener {
        daemon: daemon.daemon,
        units: daemon.units,
        protocol: Protocol::Tcp,
        port: port.unwrap_or(daemon.usual_port),
        reach: reach.unwrap_or(Reach::Local),
        path: PathBuf::from(daemon.file),
        line: line.map(|(line, _)| line),
        text: line.map(|(_, text)| text.to_owned()).unwrap_or_default(),
    }))
}
