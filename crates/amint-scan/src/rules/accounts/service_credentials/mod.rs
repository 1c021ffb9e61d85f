//! Credentials of services that everybody knows, or that every instance would share.

mod accounts;
mod databases;
mod web;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::yaml::Yaml;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// No service opens to a password that everybody knows.
pub(in crate::rules) struct ServiceCredentials;

static META: RuleMeta = RuleMeta {
    id: "ACC-013",
    title: "no service has default, shared or no credentials",
    requirements: &["A2", "MP-G4", "MP-G5"],
    rationale: "A database without a password, a console with the one of its manual, a password that every instance was \
                made with: each is tried from everywhere within hours. What a service needs must be made at first boot.",
    remedy: "Remove the credentials from the image, let a script make new ones at first boot, and open services to the \
             network only when they ask for them.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// What looks at the files of one kind of service.
type Look = fn(&Context<'_>, &mut Vec<Finding>) -> Result<(), CheckError>;

const LOOKS: [Look; 17] = [
    databases::elasticsearch,
    databases::mariadb,
    databases::mongodb,
    databases::mysql_clients,
    databases::postgresql,
    databases::postgresql_clients,
    databases::redis,
    accounts::ldap,
    accounts::rabbitmq,
    accounts::snmp,
    accounts::vnc,
    accounts::webmin,
    web::grafana,
    web::jenkins,
    web::password_files,
    web::tomcat,
    web::wordpress,
];

impl Rule for ServiceCredentials {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for look in LOOKS {
            look(cx, &mut findings)?;
        }
        Ok(findings.into())
    }
}

/// Tells whether an address is reached from the machine itself only.
fn is_loopback(address: &str) -> bool {
    let address = address.trim_matches(['[', ']', '"', '\'']).trim_start_matches('-');
    address.starts_with("127.")
        || matches!(address, "::1" | "localhost" | "_local_")
        || address.starts_with('/')
}

/// Returns a value of YAML by its path, written in maps or with dots between the keys.
fn dotted<'yaml>(yaml: &'yaml Yaml, keys: &[&str]) -> Option<&'yaml Yaml> {
    if let Some(found) = yaml.at(keys) {
        return Some(found);
    }
    (1..=keys.len()).rev().find_map(|count| {
        let joined = keys[..count].join(".");
        let inner = yaml.at(&[&joined])?;
        if count == keys.len() { Some(inner) } else { dotted(inner, &keys[count..]) }
    })
}
