//! Consoles and applications of the web.

use std::path::Path;
use std::sync::LazyLock;

use amint_disk::tree::{WalkLimits, WalkStep};
use amint_types::report::Finding;
use regex::Regex;

use super::databases::expand;
use crate::redact::pattern;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context};

/// How many files of password are looked at.
const FILES_MAX: usize = 1000;

/// Grafana's administrator, whose first password is the one of the manual.
pub(super) fn grafana(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let path = Path::new("/etc/grafana/grafana.ini");
    let Some(text) = cx.text(path)? else { return Ok(()) };
    let mut section = "";
    let mut password = None;
    let mut is_made = true;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let (true, Some((key, value))) = (section == "security", line.split_once('=')) {
            match key.trim() {
                "admin_password" => password = Some(value.trim().to_owned()),
                "disable_initial_admin_creation" => is_made = value.trim() != "true",
                _ => {}
            }
        }
    }
    // A value that is taken from elsewhere is none that the image holds.
    let is_outside = password.as_ref().is_some_and(|value| value.starts_with('$'));
    if is_made && !is_outside {
        let message = match password.as_deref() {
            None | Some("admin") => "the administrator begins with the password of the manual",
            Some(_) => "the administrator has a password that every instance shares",
        };
        findings.push(finding(message, path));
    }
    Ok(())
}

/// Users and first passwords of Jenkins.
pub(super) fn jenkins(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for path in
        expand(cx, &["/var/lib/jenkins/users/*/config.xml", "/var/lib/jenkins/secrets/initialAdminPassword"])?
    {
        let text = cx.text(&path)?.unwrap_or_default();
        let is_first = path.ends_with("initialAdminPassword");
        if is_first || text.contains("<passwordHash>") {
            findings.push(finding("a password of Jenkins that every instance shares", &path));
        }
    }
    Ok(())
}

/// Users of Tomcat's consoles.
pub(super) fn tomcat(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<!--.*?-->"));
    static USER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<user\s[^>]*password\s*="));
    let patterns = [
        "/etc/tomcat*/tomcat-users.xml",
        "/opt/*/conf/tomcat-users.xml",
        "/usr/local/*/conf/tomcat-users.xml",
        "/usr/share/*/conf/tomcat-users.xml",
        "/var/lib/*/conf/tomcat-users.xml",
    ];
    for path in expand(cx, &patterns)? {
        let text = cx.text(&path)?.unwrap_or_default();
        if USER.is_match(&COMMENT.replace_all(&text, "")) {
            findings.push(finding("a user of Tomcat with a password", &path));
        }
    }
    Ok(())
}

/// Database passwords of `WordPress`.
pub(super) fn wordpress(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    static PASSWORD: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"^\s*define\s*\(\s*['"]DB_PASSWORD['"]\s*,\s*['"]([^'"]+)['"]"#));
    for path in expand(
        cx,
        &[
            "/var/www/wp-config.php",
            "/var/www/*/wp-config.php",
            "/var/www/*/*/wp-config.php",
            "/srv/*/wp-config.php",
            "/usr/share/nginx/*/wp-config.php",
        ],
    )? {
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let found = PASSWORD.captures(line);
            if found.is_some_and(|found| !matches!(&found[1], "password_here" | "changeme_at_boot")) {
                findings.push(finding_at("a password of a database", &path, number, "DB_PASSWORD ***"));
            }
        }
    }
    Ok(())
}

/// Users of web servers.
pub(super) fn password_files(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for place in ["/etc/apache2", "/etc/httpd", "/etc/lighttpd", "/etc/nginx", "/srv", "/var/www"] {
        let mut files = Vec::new();
        let walked = cx.tree().walk(Path::new(place), WalkLimits::default(), &mut |entry| {
            let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
            let is_named_so =
                name.ends_with(".htpasswd") || name == "htpasswd" || name.starts_with(".htpasswd");
            if is_named_so && entry.metadata.is_file() && files.len() < FILES_MAX {
                files.push(entry.path.clone());
            }
            WalkStep::Continue
        });
        match walked {
            Err(error) if error.is_missing() => continue,
            other => other?,
        };
        for path in files {
            for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
                let field = line.split(':').nth(1).unwrap_or_default();
                if !line.starts_with('#') && !field.is_empty() {
                    findings.push(finding_at("a user of a web server with a password", &path, number, "***"));
                }
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
    fn consoles_with_known_passwords_are_found() {
        let path = "/etc/grafana/grafana.ini";
        assert_eq!(count(path, "[security]\n;admin_password = admin\n"), 1);
        assert_eq!(count(path, "[security]\nadmin_password = $__file{/run/secret}\n"), 0);
        assert_eq!(count(path, "[security]\ndisable_initial_admin_creation = true\n"), 0);
        let users = "/etc/tomcat10/tomcat-users.xml";
        assert_eq!(count(users, "<!--\n <user username=\"a\" password=\"<must>\"/>\n-->\n"), 0);
        assert_eq!(count(users, "<user username=\"tomcat\"\n password=\"tomcat\"/>\n"), 1);
        assert_eq!(
            count("/var/lib/jenkins/users/a_1/config.xml", "<passwordHash>#jbcrypt:x</passwordHash>"),
            1
        );
        assert_eq!(count("/var/lib/jenkins/users/a_1/config.xml", "<fullName>x</fullName>"), 0);
    }

    #[test]
    fn files_of_users_and_applications_are_found() {
        assert_eq!(count("/etc/nginx/.htpasswd", "# c\nadmin:$apr1$a$b\n"), 1);
        assert_eq!(count("/var/www/html/.htaccess", "AuthUserFile /etc/nginx/.htpasswd\n"), 0);
        assert_eq!(count("/var/www/html/wp-config.php", "define( 'DB_PASSWORD', 'hunter2' );\n"), 1);
        assert_eq!(count("/var/www/html/wp-config.php", "define( 'DB_PASSWORD', 'password_here' );\n"), 0);
    }
}
