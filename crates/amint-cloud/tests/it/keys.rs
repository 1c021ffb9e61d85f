//! Key pairs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Bench, between, code};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@here";

#[test]
fn a_pair_is_told_once_described_by_its_name_and_forgotten() {
    let bench = Bench::new(true);
    let made = bench.ec2("Action=CreateKeyPair&KeyName=mine&KeyType=ed25519&TagSpecification.1.ResourceType=key-pair&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b").text();
    assert!(
        between(&made, "<keyMaterial>", "</keyMaterial>").starts_with("-----BEGIN OPENSSH PRIVATE KEY-----")
    );
    let id = between(&made, "<keyPairId>", "</keyPairId>");
    assert_eq!(code(&bench.ec2("Action=CreateKeyPair&KeyName=mine")).1, "InvalidKeyPair.Duplicate");
    let material = STANDARD.encode(KEY).replace('+', "%2B").replace('=', "%3D");
    let imported =
        bench.ec2(&format!("Action=ImportKeyPair&KeyName=other&PublicKeyMaterial={material}")).text();
    assert_eq!(
        between(&imported, "<keyFingerprint>", "</keyFingerprint>"),
        "ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA="
    );
    let wrong = STANDARD.encode("ssh-rsa nothing").replace('=', "%3D");
    let wrong = bench.ec2(&format!("Action=ImportKeyPair&KeyName=third&PublicKeyMaterial={wrong}"));
    assert_eq!(code(&wrong).1, "InvalidKey.Format");
    let shown = bench.ec2("Action=DescribeKeyPairs&KeyName.1=other&IncludePublicKey=true").text();
    assert!(shown.contains("ssh-ed25519 AAAA") && !shown.contains("me@here") && !shown.contains("mine"));
    let tagged = bench.ec2("Action=DescribeKeyPairs&Filter.1.Name=tag:a&Filter.1.Value.1=b").text();
    assert!(tagged.contains(&id) && !tagged.contains("keyMaterial") && !tagged.contains("other"));
    assert_eq!(bench.ec2("Action=DeleteKeyPair&KeyName=mine").status, 200);
    assert_eq!(bench.ec2("Action=DeleteKeyPair&KeyName=mine").status, 200, "it is gone already");
    assert_eq!(code(&bench.ec2("Action=DescribeKeyPairs&KeyName.1=mine")).1, "InvalidKeyPair.NotFound");
    let elsewhere = bench.send("POST", "/", "eu-west-1/ec2", "Action=DescribeKeyPairs").text();
    assert!(!elsewhere.contains("other"), "pairs are of a region");
}
