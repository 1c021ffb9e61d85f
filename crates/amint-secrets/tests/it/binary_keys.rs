//! Private keys and stores, made whole: text armour, DER, PKCS #12, Java, `KeePass`; also by openssl and ssh-keygen.

use std::process::Command;

use amint_types::Severity;

use crate::make::{Random, armour, der, kinds_of, rsa_der, rsa_pem, scan};

const RSA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00";
const DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";

fn told(path: &str, bytes: &[u8]) -> Vec<&'static str> {
    kinds_of(&scan(path, bytes).0)
}

/// Puts bytes in the middle of others, as free space has them.
fn amid(bytes: &[u8]) -> Vec<u8> {
    [vec![0; 777], bytes.to_vec(), vec![0; 4096]].concat()
}

#[test]
fn keys_of_rsa_are_found_in_text_json_and_cut_short() {
    let pem = rsa_pem(&mut Random::new(1));
    assert_eq!(told("/x", pem.as_bytes()), ["private-key-rsa"]);
    assert_eq!(told("/x", pem.replace('\n', "\\n").as_bytes()), ["private-key-rsa"]);
    assert_eq!(told("/x", pem.replace('\n', "\r\n    ").as_bytes()), ["private-key-rsa"]);
    assert_eq!(told("/x", &pem.as_bytes()[..400]), ["private-key-rsa"]);
}

#[test]
fn an_encrypted_key_is_told_as_such() {
    let pem = rsa_pem(&mut Random::new(2)).replacen(
        '\n',
        "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233\n\n",
        1,
    );
    let (found, _) = scan("/x", pem.as_bytes());
    assert_eq!(
        (found[0].severity, found[0].note.as_deref()),
        (Severity::High, Some("encrypted with a passphrase"))
    );
}

#[test]
fn each_label_is_a_kind() {
    let mut random = Random::new(3);
    let key = rsa_der(&mut random);
    for (label, kind) in [
        ("PRIVATE KEY", "private-key-pkcs8"),
        ("ENCRYPTED PRIVATE KEY", "private-key-pkcs8-encrypted"),
        ("EC PRIVATE KEY", "private-key-ec"),
        ("DSA PRIVATE KEY", "private-key-dsa"),
        ("ENCRYPTED COSIGN PRIVATE KEY", "private-key-cosign"),
        ("TSS2 PRIVATE KEY", "private-key-tpm"),
        ("OpenVPN tls-crypt-v2 client key", "openvpn-tls-crypt-key"),
    ] {
        assert_eq!(told("/x", armour(label, &key).as_bytes()), [kind]);
    }
    let pgp = [vec![0x95, 0x03, 0x98, 4], random.bytes(400)].concat();
    assert_eq!(told("/x", armour("PGP PRIVATE KEY BLOCK", &pgp).as_bytes()), ["private-key-pgp"]);
    let ssh2 = [vec![0x3F, 0x6F, 0xF9, 0xEB], random.bytes(400)].concat();
    let text = armour("SSH2 ENCRYPTED PRIVATE KEY", &ssh2)
        .replace("-----BEGIN", "---- BEGIN")
        .replace("KEY-----", "KEY ----");
    assert_eq!(told("/x", text.as_bytes()), ["private-key-ssh2"]);
    let dashes = "-".repeat(5);
    let openvpn =
        format!("{dashes}BEGIN OpenVPN Static key V1{dashes}\n{}\n", random.of(b"0123456789abcdef", 512));
    assert_eq!(told("/x", openvpn.as_bytes()), ["openvpn-static-key"]);
}

#[test]
fn keys_in_der_are_found_anywhere() {
    let mut random = Random::new(4);
    let pkcs1 = rsa_der(&mut random);
    assert_eq!(told("/x", &amid(&pkcs1)), ["der-private-key-rsa"]);
    let pkcs8 = der(0x30, &[der(2, &[0]), der(0x30, RSA), der(4, &pkcs1)].concat());
    assert_eq!(told("/x", &amid(&pkcs8)), ["der-private-key-pkcs8"]);
    let curve = der(6, b"\x2A\x86\x48\xCE\x3D\x03\x01\x07");
    let number = der(4, &random.bytes(32));
    let sec1 = der(0x30, &[der(2, &[1]), number.clone(), der(0xA0, &curve)].concat());
    assert_eq!(told("/x", &amid(&sec1)), ["der-private-key-sec1"]);
    let bare = der(0x30, &[der(2, &[1]), number].concat());
    let algorithm = der(0x30, &[der(6, b"\x2A\x86\x48\xCE\x3D\x02\x01"), curve].concat());
    let ec = der(0x30, &[der(2, &[0]), algorithm, der(4, &bare)].concat());
    assert_eq!(told("/x", &amid(&ec)), ["der-private-key-ec"]);
    let edwards = der(
        0x30,
        &[der(2, &[0]), der(0x30, b"\x06\x03\x2B\x65\x70"), der(4, &der(4, &random.bytes(32)))].concat(),
    );
    assert_eq!(told("/x", &amid(&edwards)), ["der-private-key-edwards"]);
}

#[test]
fn identifiers_without_a_key_are_nothing() {
    let mut random = Random::new(5);
    let public = der(0x30, &[der(0x30, RSA), der(3, &random.bytes(270))].concat());
    assert!(told("/x", &amid(&public)).is_empty());
    // What programs hold to write keys with: the bytes around the number, and whatever follows them.
    let template =
        b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06\x08\x2A\x86\x48\xCE\
                     \x3D\x03\x01\x07\x04\x6D\x30\x6B\x02\x01\x01\x04\x20\xA1\x44\x03\x42\x00";
    assert!(told("/x", &amid(&[template.to_vec(), random.bytes(200)].concat())).is_empty());
    let mut broken = rsa_der(&mut random);
    broken[9] = 0;
    broken.truncate(100);
    assert!(told("/x", &broken).is_empty());
}

#[test]
fn stores_tell_whether_a_key_is_in_them() {
    let mut random = Random::new(6);
    let store = |bag: &[u8], random: &mut Random| {
        let inner = der(4, &[bag.to_vec(), random.bytes(600)].concat());
        let content = der(0x30, &[DATA.to_vec(), der(0xA0, &inner)].concat());
        der(0x30, &[der(2, &[3]), content].concat())
    };
    let (found, _) = scan("/x.p12", &store(b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01\x02", &mut random));
    assert_eq!((found[0].kind, found[0].severity), ("pkcs12", Severity::High));
    let (found, _) = scan("/x.p12", &store(b"", &mut random));
    assert_eq!((found[0].kind, found[0].severity), ("pkcs12", Severity::Low));
    for (tag, severity) in [(1_u8, Severity::High), (2, Severity::Info)] {
        let java = [
            &[0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, tag, 0, 3][..],
            b"web",
            &random.bytes(300),
        ]
        .concat();
        let (found, _) = scan("/x.jks", &java);
        assert_eq!((found[0].kind, found[0].severity), ("java-key-store", severity));
    }
    let jceks =
        [&[0xCE, 0xCE, 0xCE, 0xCE, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 3][..], b"web", &random.bytes(300)]
            .concat();
    assert_eq!(told("/x", &jceks), ["java-cryptography-store"]);
    let keepass = [&b"\x03\xD9\xA2\x9A\x67\xFB\x4B\xB5\x01\x00\x04\x00"[..], &random.bytes(300)].concat();
    assert_eq!(told("/x", &amid(&keepass)), ["keepass-database"]);
    let tor = [&b"== ed25519v1-secret: type0 ==\0\0\0"[..], &random.bytes(64)].concat();
    assert_eq!(told("/x", &tor), ["tor-secret-key"]);
    let git_crypt = [&b"\0GITCRYPTKEY\0\0\0\x02"[..], &[0; 4], &random.bytes(140)].concat();
    assert_eq!(told("/x", &git_crypt), ["git-crypt-key"]);
}

#[test]
fn keys_of_openssl_are_found() {
    const SCRIPT: &str = "
        openssl genpkey -algorithm RSA -outform DER -out 0.der-private-key-rsa
        openssl genpkey -algorithm ED25519 -outform DER -out 1.der-private-key-edwards
        openssl ecparam -name prime256v1 -genkey -noout -outform DER -out 2.der-private-key-sec1
        openssl ecparam -name secp384r1 -genkey -noout -out 3.private-key-ec
        openssl genpkey -algorithm ED25519 -out 4.private-key-pkcs8
        openssl genpkey -algorithm ED25519 -aes256 -pass pass:x1y2z3 -out 5.private-key-pkcs8-encrypted
        openssl pkcs8 -topk8 -nocrypt -in 3.private-key-ec -outform DER -out 6.der-private-key-ec
        openssl pkcs8 -topk8 -nocrypt -inform DER -in 0.der-private-key-rsa -outform DER -out 7.der-private-key-pkcs8
        openssl pkcs8 -topk8 -passout pass:x1y2z3 -in 3.private-key-ec -outform DER -out 8.der-private-key-encrypted
        openssl req -x509 -newkey ed25519 -nodes -subj /CN=x -keyout key -out certificate
        openssl pkcs12 -export -inkey key -in certificate -passout pass:x1y2z3 -out 9.pkcs12
        rm key certificate";
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new("sh").args(["-ec", SCRIPT]).current_dir(folder.path()).output();
    if !run.is_ok_and(|output| output.status.success()) {
        return eprintln!("SKIPPED: needs openssl");
    }
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().unwrap().to_str().unwrap();
        assert_eq!(told("/etc/x", &std::fs::read(&path).unwrap()), [kind], "{}", path.display());
    }
}

#[test]
fn keys_of_ssh_keygen_are_found() {
    let folder = tempfile::tempdir().unwrap();
    for (name, passphrase, severity) in
        [("open", "", Severity::Critical), ("closed", "x1y2z3", Severity::High)]
    {
        let path = folder.path().join(name);
        let run = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", passphrase, "-f"])
            .arg(&path)
            .status();
        if !run.is_ok_and(|status| status.success()) {
            return eprintln!("SKIPPED: needs ssh-keygen");
        }
        let (found, _) = scan("/root/.ssh/id", &std::fs::read(&path).unwrap());
        assert_eq!((found[0].kind, found[0].severity), ("private-key-openssh", severity));
        let public = std::fs::read(path.with_extension("pub")).unwrap();
        assert!(scan("/root/.ssh/id.pub", &public).0.is_empty());
    }
}
