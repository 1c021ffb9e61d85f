use std::collections::BTreeSet;

use amint_types::scan::PackageKind as Kind;

use super::*;
use crate::table::assert_shape;
use crate::testing::package;

fn ids(kind: Kind, name: &str, version: &str, vendor: Option<&str>) -> Vec<&'static str> {
    let mut package = package(kind, name, version, &[]);
    package.vendor = vendor.map(str::to_owned);
    products().iter().filter(|product| product.fit(&package) != Fit::No).map(|product| product.id).collect()
}

#[test]
fn table_is_well_formed() {
    assert_shape::<11>(PRODUCTS);
    assert_eq!(products().len(), rows::<11>(PRODUCTS).count(), "every row is understood");
    let mut seen = BTreeSet::new();
    for product in products() {
        assert!(seen.insert(product.id), "{} twice", product.id);
        assert!(product.source.starts_with("https://"), "{}", product.id);
        assert!(product.paths.iter().all(|path| path.starts_with('/')), "{}", product.id);
        assert!(!product.packages.is_empty() || !product.paths.is_empty(), "{}", product.id);
        assert!(
            product.packages.iter().all(|pattern| pattern.trim_matches(['*', '!']).len() > 2),
            "{} is too wide",
            product.id
        );
        let ranges = product.versions.unwrap_or(">=0");
        assert!(is_within(ranges, "0").is_some());
        assert!(
            ranges.split(['|', ' ']).filter(|bound| !bound.is_empty()).all(|bound| {
                bound.trim_start_matches(['>', '=', '<']).starts_with(|letter: char| letter.is_ascii_digit())
            }),
            "{}: {ranges}",
            product.id
        );
    }
}

#[test]
fn every_product_is_found_by_each_of_its_own_names() {
    for product in products() {
        let names = product.packages.iter().filter(|name| !name.starts_with('!'));
        for name in names {
            let name = name.replace('*', "1");
            let (kind, name) = match name.split_once(':') {
                Some((kind, name)) => (
                    Kind::ALL.into_iter().find(|other| other.as_str() == kind).expect("a kind"),
                    name.to_owned(),
                ),
                None => (Kind::Rpm, name),
            };
            let bound = product.versions.map_or("1", |ranges| {
                ranges.split([' ', '|']).find_map(|bound| bound.strip_prefix(">=")).expect("a lower bound")
            });
            let vendor = product.vendor.map(|vendor| vendor.replace('*', " "));
            let found = ids(kind, &name, bound, vendor.as_deref());
            assert!(found.contains(&product.id), "{name} {bound} is not {}: {found:?}", product.id);
        }
    }
}

#[test]
fn licences_changed_with_versions() {
    for (name, last_free, first_other) in [
        ("terraform", "1.5.7-1", "1.6.0-1"),
        ("vault", "1.14.8-1", "1.15.0-1"),
        ("consul", "1.16.4-1", "1.17.0-1"),
        ("nomad", "1.6.3-1", "1.7.0-1"),
        ("packer", "1.9.5-1", "1.10.0-1"),
        ("redis-server", "5:7.2.5-1", "6:7.4.0-1rl1~bookworm1"),
        ("mongodb-org-server", "4.0.3", "4.0.4"),
        ("mongodb-org-server", "3.6.8", "3.6.9"),
        ("graylog-server", "3.3.16-1", "4.0.1-1"),
        ("scylla-server", "6.2.3", "2025.1.0"),
    ] {
        assert_eq!(ids(Kind::Deb, name, last_free, None), Vec::<&str>::new(), "{name} {last_free}");
        assert_eq!(ids(Kind::Deb, name, first_other, None).len(), 1, "{name} {first_other}");
    }
    assert_eq!(ids(Kind::Deb, "elasticsearch", "7.10.2", None), ["elastic-basic"]);
    assert_eq!(ids(Kind::Deb, "elasticsearch", "7.11.0", None), ["elastic"]);
    assert_eq!(ids(Kind::Deb, "elasticsearch-oss", "7.10.2", None), Vec::<&str>::new());
    assert_eq!(ids(Kind::Deb, "redis-server", "6:8.2.0-1rl1", None), ["redis-8"]);
    assert_eq!(ids(Kind::Golang, "github.com/hashicorp/vault", "(devel)", None), ["hashicorp-vault"]);
    assert_eq!(ids(Kind::Golang, "github.com/hashicorp/vault/api", "v1.16.0", None), Vec::<&str>::new());
    assert_eq!(ids(Kind::Maven, "com.typesafe.akka:akka-actor_2.13", "2.6.21", None), Vec::<&str>::new());
    assert_eq!(ids(Kind::Maven, "com.typesafe.akka:akka-actor_2.13", "2.8.0", None), ["akka"]);
}

#[test]
fn free_relatives_are_left_alone() {
    for name in [
        "openjdk-17-jdk",
        "java-17-openjdk",
        "temurin-21-jdk",
        "docker-ce",
        "docker.io",
        "moby-engine",
        "open-vm-tools",
        "chromium",
        "valkey",
        "valkey-server",
        "opensearch",
        "mariadb-server",
        "mysql-server",
        "mysql-community-server",
        "postgresql-15",
        "nginx",
        "grafana",
        "nvidia-container-toolkit",
        "libnvidia-container1",
        "cuda-keyring",
        "fonts-liberation",
        "unrar-free",
        "neo4j",
        "gitlab-ce",
        "amazon-ssm-agent",
        "timescaledb-2-oss-postgresql-16",
        "code",
        "slack",
        "ubuntu-advantage-tools",
        "libmongoc-1.0-0",
        "python3-redis",
        "golang-github-hashicorp-consul-dev",
    ] {
        assert_eq!(ids(Kind::Deb, name, "99", Some("Debian Maintainers")), Vec::<&str>::new(), "{name}");
    }
    assert_eq!(ids(Kind::Rpm, "jdk-21", "21.0.2", Some("Oracle America")), ["oracle-jdk-rpm"]);
    assert_eq!(ids(Kind::Deb, "code", "1.95", Some("Microsoft Corporation <x@y>")), ["vs-code"]);
}
