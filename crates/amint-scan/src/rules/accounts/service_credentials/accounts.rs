//! Services with accounts of their own.

use std::path::Path;

use amint_types::report::Finding;

use super::databases::expand;
use super::is_loopback;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context};

/// Directories whose administrator's password is in the image.
pub(super) fn ldap(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let patterns = [
        "/etc/ldap/slapd.conf",
        "/etc/openldap/slapd.conf",
        "/etc/ldap/slapd.d/*/olcDatabase*.ldif",
        "/etc/openldap/slapd.d/*/olcDatabase*.ldif",
    ];
    for path in expand(cx, &patterns)? {
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let key = line.split([':', ' ', '\t']).next().unwrap_or_default();
            if matches!(key, "olcRootPW" | "rootpw") {
                findings.push(finding_at("the directory's administrator has a password", &path, number, key));
            }
        }
    }
    Ok(())
}

/// The guest of `RabbitMQ` let in from everywhere.
pub(super) fn rabbitmq(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for path in
        expand(cx, &["/etc/rabbitmq/*.conf", "/etc/rabbitmq/*.config", "/etc/rabbitmq/conf.d/*.conf"])?
    {
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let squeezed: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
            let is_open = squeezed.starts_with("loopback_users=none")
                || squeezed.starts_with("loopback_users.guest=false")
                || squeezed.contains("{loopback_users,[]}");
            if is_open && !squeezed.starts_with(['#', '%']) {
                findings.push(finding_at(
                    "guest with the password guest may come from anywhere",
                    &path,
                    number,
                    line,
                ));
            }
        }
    }
    Ok(())
}

/// Communities of SNMP that everybody knows, or that may write.
pub(super) fn snmp(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for path in
        expand(cx, &["/etc/snmp/snmpd.conf", "/etc/snmp/snmpd.conf.d/*.conf", "/etc/snmp/snmpd.local.conf"])?
    {
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            let (community, source) = match &words[..] {
                [kind, community, rest @ ..]
                    if matches!(
                        kind.to_ascii_lowercase().as_str(),
                        "rocommunity" | "rwcommunity" | "rocommunity6" | "rwcommunity6"
                    ) =>
                {
                    (*community, rest.first().copied().unwrap_or("default"))
                }
                [kind, _, source, community, ..] if matches!(*kind, "com2sec" | "com2sec6") => {
                    (*community, *source)
                }
                _ => continue,
            };
            let is_known = matches!(community.trim_matches('"'), "public" | "private");
            if !is_loopback(source) && (is_known || words[0].starts_with("rw")) {
                findings.push(finding_at("whoever knows the community may ask", &path, number, line));
            }
        }
    }
    Ok(())
}

/// Passwords of VNC: hidden with a key that is public.
pub(super) fn vnc(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let names = [".vnc/passwd", ".config/tigervnc/passwd", ".x11vnc/passwd"];
    let homes = cx.homes()?.iter().flat_map(|home| names.map(|name| home.join(name)));
    let system =
        ["/etc/vnc/passwd", "/etc/x11vnc.pass", "/etc/tigervnc/passwd"].map(std::path::PathBuf::from);
    for path in homes.chain(system) {
        if cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes > 0) {
            findings.push(finding("a password of VNC", &path));
        }
    }
    Ok(())
}

/// Users of Webmin with a password of their own.
pub(super) fn webmin(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for path in ["/etc/webmin/miniserv.users", "/etc/usermin/miniserv.users"].map(Path::new) {
        for (number, line) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
            let mut fields = line.split(':');
            let (name, field) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            // `x` sends the question to the system's accounts.
            if !matches!(field, "" | "x" | "*" | "!") {
                findings.push(finding_at(format!("{name} has a password of Webmin"), path, number, "***"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn count(path: &str, content: &str) -> usize {
        Fixture::new().file(path, content).findings("ACC-013").len()
    }

    #[test]
    fn communities_that_everybody_knows_are_found() {
        let path = "/etc/snmp/snmpd.conf";
        assert_eq!(
            count(
                path,
                "#rocommunity public\nrocommunity public localhost\nrocommunity long-word 10.0.0.0/8\n"
            ),
            0
        );
        assert_eq!(
            count(
                path,
                "rocommunity public default -V systemonly\nrwcommunity x\ncom2sec n default public\n"
            ),
            3
        );
    }

    #[test]
    fn guests_and_administrators_are_found() {
        assert_eq!(count("/etc/rabbitmq/rabbitmq.conf", "# loopback_users = none\n"), 0);
        assert_eq!(count("/etc/rabbitmq/rabbitmq.conf", "loopback_users = none\n"), 1);
        assert_eq!(count("/etc/webmin/miniserv.users", "root:x:0\n"), 0);
        assert_eq!(count("/etc/webmin/miniserv.users", "admin:$1$a$b:0\n"), 1);
        assert_eq!(count("/etc/ldap/slapd.d/cn=config/olcDatabase={1}mdb.ldif", "olcRootPW:: e1NTSEF9\n"), 1);
        assert_eq!(count("/root/.vnc/passwd", "12345678"), 1);
    }
}
