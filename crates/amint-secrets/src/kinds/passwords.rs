//! Hashes of passwords, passwords in addresses and connection strings, web tokens.

use amint_types::Severity::{High, Medium};

use crate::kind::Kind;
use crate::structure::{address, token};

pub(crate) const KINDS: &[Kind] = &[
    Kind::token("hash-yescrypt", "Password hash (yescrypt)", &[b"$y$", b"$gy$"], r"\$g?y\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}").severity(High),
    Kind::token("hash-sha512", "Password hash (SHA-512)", &[b"$6$"], r"\$6\$(?:rounds=[0-9]{1,9}\$)?[^$\s:!*\\]{1,16}\$[./A-Za-z0-9]{86}").severity(High),
    Kind::token("hash-sha256", "Password hash (SHA-256)", &[b"$5$"], r"\$5\$(?:rounds=[0-9]{1,9}\$)?[^$\s:!*\\]{1,16}\$[./A-Za-z0-9]{43}").severity(High),
    Kind::token("hash-bcrypt", "Password hash (bcrypt)", &[b"$2a$", b"$2b$", b"$2x$", b"$2y$"], r"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}").severity(High),
    Kind::token("hash-md5", "Password hash (MD5)", &[b"$1$"], r"\$1\$[^$\s:!*\\]{1,8}\$[./A-Za-z0-9]{22}").severity(High),
    Kind::token("hash-apr1", "Password hash of Apache (MD5)", &[b"$apr1$"], r"\$apr1\$[^$\s:!*\\]{1,8}\$[./A-Za-z0-9]{22}").severity(High),
    Kind::token("hash-argon2", "Password hash (Argon2)", &[b"$argon2"], r"\$argon2(?:id|i|d)\$v=[0-9]{1,3}\$m=[0-9]{1,8},t=[0-9]{1,5},p=[0-9]{1,3}\$[A-Za-z0-9+/]{8,64}\$[A-Za-z0-9+/]{22,88}").severity(High),
    Kind::token("hash-scrypt", "Password hash (scrypt)", &[b"$7$", b"$scrypt$"], r"(?:\$7\$[./A-Za-z0-9]{11,97}\$[./A-Za-z0-9]{43}|\$scrypt\$ln=[0-9]{1,2},r=[0-9]{1,3},p=[0-9]{1,3}\$[A-Za-z0-9+/]{16,64}\$[A-Za-z0-9+/]{40,90})").severity(High),
    Kind::token("hash-phpass", "Password hash (phpass)", &[b"$P$", b"$H$"], r"\$[PH]\$[./A-Za-z0-9]{31}").severity(High).entropy(3.8),
    Kind::token("hash-pbkdf2", "Password hash (PBKDF2)", &[b"pbkdf2_sha", b"$pbkdf2-"], r"(?:pbkdf2_sha(?:256|1)\$[0-9]{4,8}\$[A-Za-z0-9]{8,32}\$[A-Za-z0-9+/]{27,43}=|\$pbkdf2-sha(?:256|512)\$[0-9]{4,8}\$[A-Za-z0-9./]{16,64}\$[A-Za-z0-9./]{43,86})").severity(High),
    Kind::token("hash-grub", "Password hash of GRUB", &[b"grub.pbkdf2.sha512."], r"grub\.pbkdf2\.sha512\.[0-9]{4,7}\.[0-9A-F]{64,256}\.[0-9A-F]{128,256}").severity(Medium),
    Kind::token("hash-ldap", "Password hash of LDAP", &[b"{SSHA", b"{SMD5}"], r"\{(?:SSHA(?:256|384|512)?|SMD5)\}[A-Za-z0-9+/]{28,120}={0,2}").severity(High),
    Kind::token("hash-scram", "Password verifier of PostgreSQL", &[b"SCRAM-SHA-256$"], r"SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/]{20,44}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=").severity(High),
    Kind::token("hash-mysql-caching", "Password hash of MySQL", &[b"$A$005$"], r"(?s)\$A\$005\$.{20}[./A-Za-z0-9]{43}").severity(High),
    Kind::code("address-password", "Password in an address", &[b"://"], address::url).severity(High).chosen(),
    Kind::code("connection-string-password", "Password in a connection string", &[b"password=", b"pwd="], address::connection_string).severity(High).chosen(),
    Kind::token("authorization-header", "Authorization header", &[b"authorization"], r#"(?i:authorization)["']?\s{0,4}[:=]\s{0,4}["']?(?i:basic|bearer|token)\s{1,4}([A-Za-z0-9+/_.~-]{16,1000}={0,2})"#)
        .severity(High)
        .longest(1200)
        .entropy(3.8)
        .examples(&["czZCaGRSa3F0Mzpn", "QWxhZGRpbjpvcGVuIHNlc2FtZQ", "QWxhZGRpbjpPcGVuU2VzYW1l", "dXNlcm5hbWU6cGFzc3dvcmQ", "dXNlcjpwYXNzd29yZA", "mF_9.B5f-4.1JqM", "vF9dft4qmT"]),
    Kind::code("json-web-token", "JSON web token", &[b"eyJ"], token::json_web_token)
        .severity(High)
        .longest(8192)
        .entropy(3.5)
        .examples(&["SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c", "TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ", "dBjftJeZ4CVP-mBt92K27uhbUJU1p1r_wW1gFWFOEjXk"]),
    Kind::token("sshpass-password", "Password on a command line", &[b"sshpass -p"], r#"sshpass -p\s{0,2}["']?([^\s"'$<>\[{]{4,64})"#).severity(High).chosen(),
    Kind::token("curl-password", "Password given to curl", &[b"curl "], r#"curl (?:[^\n|;&]{0,120} )?(?:-u|--user)[ =]["']?[A-Za-z0-9_.@-]{1,64}:([^\s"'$<>\[{%]{4,64})"#).severity(High).chosen(),
    Kind::token("mysql-command-password", "Password given to MySQL's tools", &[b"mysql ", b"mysqldump "], r#"mysql(?:dump)? (?:[^\n|;&]{0,120} )?(?:-p|--password=)["']?([A-Za-z0-9!@#%^&*+=_.,-]{6,64})"#).severity(High).chosen(),
];
