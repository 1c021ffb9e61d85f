//! Private keys: armoured text, binary structures, key stores.

use amint_types::Severity::{High, Info, Low};

use crate::kind::Kind;
use crate::structure::{der, pem, stores};

/// A row whose keyword is the armour's label.
const fn armoured(
    id: &'static str,
    title: &'static str,
    label: &'static [&'static [u8]],
    check: fn(&crate::kind::Window<'_>) -> Option<crate::kind::Hit>,
) -> Kind {
    Kind::code(id, title, label, check).rule("SEC-003").longest(crate::SECRET_BYTES_MAX)
}

pub(crate) const KINDS: &[Kind] = &[
    armoured("private-key-pkcs8", "Private key (PKCS #8)", &[b"-----BEGIN PRIVATE KEY-----"], pem::der),
    armoured("private-key-pkcs8-encrypted", "Private key (PKCS #8) with a passphrase", &[b"-----BEGIN ENCRYPTED PRIVATE KEY-----"], pem::encrypted),
    armoured("private-key-rsa", "RSA private key", &[b"-----BEGIN RSA PRIVATE KEY-----"], pem::der),
    armoured("private-key-ec", "EC private key", &[b"-----BEGIN EC PRIVATE KEY-----"], pem::der),
    armoured("private-key-dsa", "DSA private key", &[b"-----BEGIN DSA PRIVATE KEY-----"], pem::der),
    armoured("private-key-openssh", "OpenSSH private key", &[b"-----BEGIN OPENSSH PRIVATE KEY-----"], pem::openssh),
    armoured("private-key-ssh2", "SSH2 private key", &[b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY"], pem::ssh2),
    armoured("private-key-pgp", "OpenPGP private key", &[b"-----BEGIN PGP PRIVATE KEY BLOCK-----"], pem::openpgp),
    armoured("private-key-cosign", "cosign private key with a passphrase", &[b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----", b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----"], pem::encrypted),
    armoured("openvpn-static-key", "OpenVPN static key", &[b"-----BEGIN OpenVPN Static key V1-----"], pem::openvpn),
    armoured("openvpn-tls-crypt-key", "OpenVPN tls-crypt-v2 key", &[b"-----BEGIN OpenVPN tls-crypt-v2"], pem::openvpn_crypt),
    armoured("private-key-tpm", "Private key bound to a TPM", &[b"-----BEGIN TSS2 PRIVATE KEY-----"], pem::encrypted).severity(Low),
    Kind::token("putty-private-key", "PuTTY private key", &[b"PuTTY-User-Key-File-"],
        r"PuTTY-User-Key-File-[123]: [^\r\n]{1,64}\r?\nEncryption: (none|aes256-cbc)\r?\nComment: [^\r\n]{0,256}\r?\nPublic-Lines: [0-9]{1,3}").rule("SEC-003").entropy(0.0),
    Kind::token("age-secret-key", "age identity", &[b"AGE-SECRET-KEY-1"], "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}").rule("SEC-003"),
    Kind::token("age-hybrid-secret-key", "age identity, post-quantum", &[b"AGE-SECRET-KEY-PQ-1"], "AGE-SECRET-KEY-PQ-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}").rule("SEC-003"),
    Kind::token("minisign-secret-key", "minisign secret key", &[b"untrusted comment:"],
        r"untrusted comment: [^\r\n]{0,200}secret key[^\r\n]{0,100}\r?\n(RW[A-Za-z0-9+/]{200,290}={0,2})").rule("SEC-003").severity(High).entropy(3.0),
    Kind::token("signify-secret-key", "signify secret key", &[b"untrusted comment: signify"],
        r"untrusted comment: signify secret key\r?\n(RWRCS[A-Za-z0-9+/]{130,150}={0,2})").rule("SEC-003").severity(High).entropy(3.0),
    Kind::token("wireguard-private-key", "WireGuard private key", &[b"PrivateKey", b"private_key", b"private-key"],
        r#"(?i:private[_-]?key)["']?[ \t]{0,8}[=:][ \t]{0,8}["']?([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"#).rule("SEC-003").entropy(4.2),
    Kind::token("wireguard-preshared-key", "WireGuard preshared key", &[b"PresharedKey", b"preshared_key", b"preshared-key"],
        r#"(?i:preshared[_-]?key)["']?[ \t]{0,8}[=:][ \t]{0,8}["']?([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"#).rule("SEC-003").entropy(4.2),
    Kind::token("ssh1-private-key", "SSH version 1 private key", &[b"SSH PRIVATE KEY FILE FORMAT 1.1\n"], r"(?s)(SSH PRIVATE KEY FILE FORMAT 1\.1\n\x00.{60,800})").rule("SEC-003").entropy(0.0),
    Kind::token("dnssec-private-key", "DNSSEC private key", &[b"Private-key-format: v1."],
        r"Private-key-format: v1\.[0-9]\r?\nAlgorithm: [^\r\n]{1,64}\r?\n(?:[A-Za-z]{1,20}: [^\r\n]{1,3000}\r?\n){0,2}(?:PrivateExponent|PrivateKey|Key): ([A-Za-z0-9+/]{20,3000}={0,2})").rule("SEC-003").longest(8192),
    Kind::code("tor-secret-key", "Key of a Tor onion service", &[b"== ed25519v1-secret: type0 =="], stores::tor).rule("SEC-003"),
    Kind::code("git-crypt-key", "git-crypt key", &[b"\0GITCRYPTKEY\0"], stores::git_crypt).rule("SEC-003"),
    Kind::token("gnupg-agent-key", "Key of the GnuPG agent", &[b"(11:private-key", b"(21:protected-private-key", b"(private-key", b"(protected-private-key"],
        r"(?s)\((?:[0-9]{2}:)?(?:protected-)?private-key\s{0,40}\((?:3:)?(?:rsa|dsa|ecc|elg)\s{0,40}\((?:[0-9]{1,2}:[a-z]{1,8}[0-9]{1,4}:|[a-z]{1,8} (?:#[0-9A-Fa-f]{8}|[A-Z]))(.{60,400})").rule("SEC-003").severity(High).entropy(0.0),
    Kind::token("bip32-private-key", "Extended private key of a wallet", &[b"xprv"], "xprv[1-9A-HJ-NP-Za-km-z]{107}").rule("SEC-003").entropy(4.3),
    Kind::token("jwk-private-key", "JSON web key with its private part", &[b"\"kty\""],
        r#""kty"\s{0,4}:\s{0,4}"(?:RSA|EC|OKP)"[^{}]{0,2000}?"d"\s{0,4}:\s{0,4}"([A-Za-z0-9_-]{40,1400})""#).rule("SEC-003").longest(4096).entropy(4.0),
    Kind::code("der-private-key-pkcs8", "RSA private key, binary (PKCS #8)", &[b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00\x04\x82"], der::pkcs8_rsa).rule("SEC-003"),
    Kind::code("der-private-key-ec", "EC private key, binary (PKCS #8)", &[b"\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06"], der::pkcs8_ec).rule("SEC-003"),
    Kind::code("der-private-key-edwards", "Ed25519, Ed448 or X25519 private key, binary", &[b"\x02\x01\x00\x30\x05\x06\x03\x2B\x65"], der::pkcs8_edwards).rule("SEC-003"),
    Kind::code("der-private-key-rsa", "RSA private key, binary (PKCS #1)", &[b"\x02\x01\x00\x02\x82", b"\x02\x01\x00\x02\x81"], der::pkcs1).rule("SEC-003"),
    Kind::code("der-private-key-sec1", "EC private key, binary (SEC 1)", &[b"\x02\x01\x01\x04\x20", b"\x02\x01\x01\x04\x30", b"\x02\x01\x01\x04\x42"], der::sec1).rule("SEC-003"),
    Kind::code("der-private-key-encrypted", "Private key with a passphrase, binary (PKCS #8)", &[b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D\x30"], der::encrypted).rule("SEC-003").severity(High),
    Kind::code("pkcs12", "PKCS #12 store", &[b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01\xA0"], der::pkcs12).rule("SEC-003").severity(High),
    Kind::code("java-key-store", "Java key store with a private key", &[b"\xFE\xED\xFE\xED\x00\x00\x00"], stores::java).rule("SEC-003").severity(High),
    Kind::code("java-cryptography-store", "Java JCEKS store with a key", &[b"\xCE\xCE\xCE\xCE\x00\x00\x00\x02"], stores::java).rule("SEC-003").severity(High),
    Kind::code("keepass-database", "KeePass database", &[b"\x03\xD9\xA2\x9A\x67\xFB\x4B\xB5", b"\x03\xD9\xA2\x9A\x65\xFB\x4B\xB5", b"\x03\xD9\xA2\x9A\x66\xFB\x4B\xB5"], stores::keepass).rule("SEC-003").severity(High),
    Kind::token("ansible-vault", "Ansible vault (encrypted)", &[b"$ANSIBLE_VAULT;"], r"\$ANSIBLE_VAULT;1\.[0-9];AES256(?:;[^\r\n]{1,64})?\r?\n\s{0,40}([0-9a-f]{60,80})").severity(Info).entropy(0.0),
    Kind::token("sops-file", "File encrypted by SOPS", &[b"ENC[AES256_GCM"], r"ENC\[AES256_GCM,data:([A-Za-z0-9+/=]{4,400}),iv:").severity(Info).entropy(0.0),
];
