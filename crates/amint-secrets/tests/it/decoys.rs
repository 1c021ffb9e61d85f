//! What looks like a secret and is none: placeholders, manuals, words of programs.

use amint_types::Severity;

use crate::make::{Random, fill, scan};

#[test]
fn placeholders_are_counted_and_not_told() {
    for text in [
        "postgres://user:password@db.acme.net/x",
        "postgres://user:${PASSWORD}@db.acme.net/x",
        "POSTGRES_PASSWORD=changeme",
        "https://joe:s3cr3t-w0rd@example.com/x",
    ] {
        let (found, looked) = scan("/srv/x", text.as_bytes());
        assert!(found.is_empty(), "{text}: {found:?}");
        assert_eq!(looked.placeholders, 1, "{text}");
    }
    let repeated = format!("ghp_{}", "x".repeat(36));
    assert!(scan("/srv/x", repeated.as_bytes()).0.is_empty());
}

#[test]
fn values_of_manuals_are_information() {
    let key = format!("AKIA{}", "IOSFODNN7EXAMPLE");
    let secret = format!("aws_secret_access_key = {}{}", "wJalrXUtnFEMI/K7MDENG", "/bPxRfiCYEXAMPLEKEY");
    let (found, _) = scan("/srv/x", format!("{key}\n{secret}\n").as_bytes());
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|finding| finding.severity == Severity::Info), "{found:?}");
}

#[test]
fn what_is_no_secret_is_not_told() {
    for text in [
        "-----BEGIN PRIVATE KEY-----\0-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo\n",
        "http://[::1]:8080@x",
        "ftp://host:21@",
        "see http://x:80/a@b",
        "printf(\"%s://%s:%s@%s\")",
        "sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "root:*:19000:0:99999:7:::",
        "root:!$6$:1",
        "datadog_site: datadoghq.eu",
        "heroku_app_id: 01234567-89ab-4cde-8f01-23456789abcd",
        "eyJhbGciOi.eyJhbGciOi.short",
        "AKIAABCDEFGH",
        "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "ghp_short",
        "Authorization: Bearer $TOKEN",
        "mysql -u root -p shop",
        "PrivateKey = (generated)",
        "postgresql+psycopg://scott:tiger@db.acme.net/test",
        "mssql+pyodbc://scott:tiger^5HHH@mssql2017:1433/test",
        "dotenv://:key_1234@dotenv.org/vault/.env.vault",
        "host=r.host;s.username=r.username;s.password=vo(r.path);",
        "this[l].password=e},host=7;",
        "{segment: clearCacheNodeDataForSegmentPath}",
    ] {
        let (found, _) = scan("/srv/x", text.as_bytes());
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn the_same_value_is_told_once() {
    let value = fill("ghp_{a36}", &mut Random::new(9));
    let (found, looked) = scan("/srv/x", format!("{value}\n").repeat(50).as_bytes());
    assert_eq!((found.len(), looked.repeats), (1, 49));
}

#[test]
fn samples_of_the_distribution_are_low_and_homes_are_not() {
    let value = fill("ghp_{a36}", &mut Random::new(11));
    assert_eq!(scan("/usr/share/doc/x/examples/a", value.as_bytes()).0[0].severity, Severity::Low);
    assert_eq!(scan("/home/joe/tests/a", value.as_bytes()).0[0].severity, Severity::Critical);
    let packaged = scan("/usr/lib/x", value.as_bytes()).0.remove(0).lowered_as_packaged("x");
    assert_eq!(packaged.severity, Severity::Info);
}

#[test]
fn findings_of_one_kind_are_limited() {
    let mut random = Random::new(13);
    let text: String = (0..150).map(|_| fill("ghp_{a36}\n", &mut random)).collect();
    let (found, looked) = scan("/srv/x", text.as_bytes());
    assert_eq!((found.len(), looked.repeats), (100, 50));
}
