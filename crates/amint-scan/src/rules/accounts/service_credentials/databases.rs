//! Databases.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use amint_types::report::Finding;
use regex::bytes::Regex;

use super::{dotted, is_loopback};
use crate::facts::yaml::{self, Yaml};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, glob};

const HBA: [&str; 6] = [
    "/etc/postgresql/*/*/pg_hba.conf",
    "/opt/*/data/pg_hba.conf",
    "/usr/local/pgsql/data/pg_hba.conf",
    "/var/lib/pgsql/*/data/pg_hba.conf",
    "/var/lib/pgsql/data/pg_hba.conf",
    "/var/lib/postgresql/*/*/pg_hba.conf",
];

/// A server that believes whoever comes over the network.
pub(super) fn postgresql(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for path in expand(cx, &HBA)? {
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            let [kind, _, _, address, rest @ ..] = &words[..] else { continue };
            let is_remote = kind.starts_with("host") && !is_loopback(address) && *address != "samehost";
            // A mask may stand in a word of its own between address and method.
            if is_remote && rest.iter().take(2).any(|word| *word == "trust") {
                findings.push(finding_at("the database believes everybody", &path, number, line));
            }
        }
    }
    Ok(())
}

/// Passwords of `PostgreSQL` in homes.
pub(super) fn postgresql_clients(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for home in cx.homes()? {
        let path = home.join(".pgpass");
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            if !line.starts_with('#') && line.split(':').nth(4).is_some_and(|password| !password.is_empty()) {
                findings.push(finding_at("a password of a database", &path, number, "***"));
            }
        }
    }
    Ok(())
}

/// A server without a password that listens to the network.
pub(super) fn redis(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let patterns = [
        "/etc/redis.conf",
        "/etc/redis/*.conf",
        "/etc/valkey.conf",
        "/etc/valkey/*.conf",
        "/etc/redis-*.conf",
    ];
    for path in expand(cx, &patterns)? {
        let text = cx.text(&path)?.unwrap_or_default();
        let value = |key: &str| {
            let settings = text.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
            settings.rev().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim())
        };
        let password =
            value("requirepass").map(|word| word.trim_matches(['"', '\''])).filter(|word| !word.is_empty());
        if password.is_some() {
            let is_known = password.is_some_and(|word| matches!(word, "foobared" | "redis" | "password"));
            let message = if is_known {
                "a password that everybody knows"
            } else {
                "a password that every instance shares"
            };
            findings.push(finding(message, &path));
            continue;
        }
        let has_users = value("aclfile").is_some() || value("user").is_some();
        let is_open = match value("bind") {
            // Without `bind`, protected mode keeps others out unless it is turned off.
            None => value("protected-mode") == Some("no"),
            Some(addresses) => !addresses.split_whitespace().all(is_loopback),
        };
        if is_open && !has_users {
            findings.push(finding("listens to the network and asks for no password", &path));
        }
    }
    Ok(())
}

/// A server without accounts that listens to the network.
pub(super) fn mongodb(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for path in ["/etc/mongod.conf", "/etc/mongodb.conf"].map(Path::new) {
        let Some(config) = load(cx, path)? else { continue };
        let addresses = dotted(&config, &["net", "bindIp"]).and_then(Yaml::text).unwrap_or("127.0.0.1");
        let is_all = dotted(&config, &["net", "bindIpAll"]).and_then(Yaml::switch) == Some(true);
        let is_open = is_all || !addresses.split(',').map(str::trim).all(is_loopback);
        let authorization = dotted(&config, &["security", "authorization"]).and_then(Yaml::text);
        let has_key = dotted(&config, &["security", "keyFile"]).is_some();
        if is_open && authorization != Some("enabled") && !has_key {
            findings.push(finding("listens to the network and asks nobody who they are", path));
        }
    }
    Ok(())
}

/// A search engine whose security is turned off, and that listens to the network.
pub(super) fn elasticsearch(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for (path, keys, bad) in [
        ("/etc/elasticsearch/elasticsearch.yml", ["xpack", "security", "enabled"], false),
        ("/etc/opensearch/opensearch.yml", ["plugins", "security", "disabled"], true),
    ] {
        let path = Path::new(path);
        let Some(config) = load(cx, path)? else { continue };
        let is_off = dotted(&config, &keys).and_then(Yaml::switch) == Some(bad);
        let hosts = ["network", "http"].into_iter().filter_map(|area| dotted(&config, &[area, "host"]));
        let is_open = hosts.flat_map(Yaml::items).filter_map(Yaml::text).any(|host| !is_loopback(host));
        if is_off && is_open {
            findings.push(finding("listens to the network with its security turned off", path));
        }
    }
    Ok(())
}

/// Accounts of `MariaDB` without a password, and servers that ask for none.
pub(super) fn mariadb(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?-u)\{"access":[0-9]{1,20}[^{}\x00]{0,400}"#)
            .expect("the program's own patterns compile: every scan of an image with MariaDB uses it")
    });
    let path = Path::new("/var/lib/mysql/mysql/global_priv.MAD");
    let table = cx.read(path)?.unwrap_or_default();
    let is_open = |account: &[u8]| {
        let text = String::from_utf8_lossy(account);
        let is_empty = text.contains("\"authentication_string\":\"\"");
        let is_shut = ["account_locked\":true", "is_role\":true", "auth_or", "unix_socket", "socket"];
        is_empty && text.contains("_password\"") && !is_shut.iter().any(|word| text.contains(word))
    };
    if ACCOUNT.find_iter(&table).any(|account| is_open(account.as_bytes())) {
        findings.push(finding("an account of the database has no password", path));
    }
    for path in expand(cx, &OPTION_FILES)? {
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let key = line.split('=').next().unwrap_or_default().trim().replace('_', "-");
            let value = line.split_once('=').map_or("1", |(_, value)| value.trim());
            if key == "skip-grant-tables" && !matches!(value, "0" | "off" | "OFF" | "false") {
                findings.push(finding_at("the database asks nobody who they are", &path, number, line));
            }
        }
    }
    Ok(())
}

const OPTION_FILES: [&str; 5] =
    ["/etc/my.cnf", "/etc/my.cnf.d/*.cnf", "/etc/mysql/*.cnf", "/etc/mysql/*/*.cnf", "/root/.my.cnf"];

/// Passwords of `MySQL` in option files.
pub(super) fn mysql_clients(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let mut paths = expand(cx, &OPTION_FILES)?;
    for home in cx.homes()? {
        let path = home.join(".my.cnf");
        if cx.exists(&path)? && !paths.contains(&path) {
            paths.push(path);
        }
    }
    for path in paths {
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim().trim_matches(['"', '\'']);
            if key.trim() == "password" && !value.is_empty() {
                findings.push(finding_at("a password of a database", &path, number, "password = ***"));
            }
        }
    }
    Ok(())
}

pub(super) fn expand(cx: &Context<'_>, patterns: &[&str]) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for pattern in patterns {
        for path in glob::expand(cx, pattern)? {
            if cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn load(cx: &Context<'_>, path: &Path) -> Result<Option<Yaml>, CheckError> {
    cx.text(path)?.map(|text| yaml::parse(path, &text)).transpose()
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn count(path: &str, content: &str) -> usize {
        Fixture::new().file(path, content).findings("ACC-013").len()
    }

    #[test]
    fn postgresql_that_believes_the_network_is_found() {
        let path = "/etc/postgresql/15/main/pg_hba.conf";
        assert_eq!(
            count(
                path,
                "# host all all 0.0.0.0/0 trust\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n"
            ),
            0
        );
        assert_eq!(
            count(path, "host all all 0.0.0.0/0 trust\nhostssl all all 10.0.0.0 255.0.0.0 trust\n"),
            2
        );
        assert_eq!(count(path, "host all all 0.0.0.0/0 scram-sha-256\n"), 0);
    }

    #[test]
    fn redis_that_is_open_or_shares_a_password_is_found() {
        let path = "/etc/redis/redis.conf";
        assert_eq!(count(path, "bind 127.0.0.1 -::1\n# requirepass foobared\n"), 0);
        assert_eq!(count(path, "bind 0.0.0.0 -::1\nprotected-mode yes\n"), 1);
        assert_eq!(count(path, "protected-mode no\n"), 1);
        assert_eq!(count(path, "requirepass foobared\n"), 1);
        assert_eq!(count(path, "bind 0.0.0.0\naclfile /etc/redis/users.acl\n"), 0);
    }

    #[test]
    fn mongodb_and_elasticsearch_without_accounts_are_found() {
        assert_eq!(count("/etc/mongod.conf", "net:\n  bindIp: 127.0.0.1\n"), 0);
        assert_eq!(count("/etc/mongod.conf", "net:\n  bindIp: 0.0.0.0\n"), 1);
        assert_eq!(
            count("/etc/mongod.conf", "net: {bindIp: 0.0.0.0}\nsecurity: {authorization: enabled}\n"),
            0
        );
        let path = "/etc/elasticsearch/elasticsearch.yml";
        assert_eq!(count(path, "network.host: 0.0.0.0\nxpack.security.enabled: false\n"), 1);
        assert_eq!(count(path, "xpack.security.enabled: false\n"), 0);
        assert_eq!(
            count(
                "/etc/opensearch/opensearch.yml",
                "network: {host: 0.0.0.0}\nplugins.security.disabled: true\n"
            ),
            1
        );
    }

    #[test]
    fn accounts_of_mariadb_without_a_password_are_found() {
        let path = "/var/lib/mysql/mysql/global_priv.MAD";
        let stock = r#"x{"access":18446744073709551615,"plugin":"mysql_native_password","authentication_string":"invalid","auth_or":[{},{"plugin":"unix_socket"}]}
            {"access":0,"plugin":"mysql_native_password","authentication_string":"","account_locked":true}"#;
        assert_eq!(count(path, stock), 0);
        assert_eq!(
            count(path, r#"{"access":1,"plugin":"mysql_native_password","authentication_string":""}"#),
            1
        );
        assert_eq!(count("/etc/mysql/conf.d/x.cnf", "[mysqld]\nskip-grant-tables\n"), 1);
    }

    #[test]
    fn passwords_of_clients_are_found_and_not_shown() {
        let fixture = Fixture::new()
            .file("/root/.my.cnf", "[client]\nuser = root\npassword = \"hunter2\"\n")
            .file("/etc/mysql/debian.cnf", "[client]\npassword =\n")
            .file("/home/joe/.pgpass", "# c\n*:*:*:joe:hunter2\n");
        let crate::Verdict::Fail(findings) = fixture.check("ACC-013") else { panic!("must fail") };
        assert_eq!(findings.len(), 2);
        assert!(!format!("{findings:?}").contains("hunter2"));
    }
}
