//! Runtimes that no package brought, by the files that tell their version.

use std::path::Path;

use super::{MendedBy, Runtime};
use crate::facts::packages::Installed;
use crate::{CheckError, Context};

/// Files below the folder of an installation: product, path, what stands before the version.
const TOLD: [(&str, &str, &str); 9] = [
    ("nodejs", "include/node/node_version.h", "NODE_MAJOR_VERSION "),
    ("php", "include/php/main/php_version.h", "PHP_VERSION \""),
    ("openssl", "include/openssl/opensslv.h", "OPENSSL_VERSION_TEXT \"OpenSSL "),
    ("openssl", "include/openssl/opensslv.h", "OPENSSL_VERSION_TEXT    \"OpenSSL "),
    ("postgresql", "include/pg_config.h", "PG_VERSION \""),
    ("mysql", "include/mysql_version.h", "MYSQL_SERVER_VERSION \""),
    ("java", "release", "JAVA_VERSION=\""),
    ("tomcat", "RELEASE-NOTES", "Apache Tomcat Version "),
    ("mariadb", "include/mariadb_version.h", "MARIADB_CLIENT_VERSION_STR \""),
];
/// Folders whose folders are installations.
const PARENTS: [&str; 6] = ["/opt", "/usr/local", "/usr/lib/jvm", "/usr/java", "/usr/local/lib", "/srv"];
/// Folders that are installations.
const PREFIXES: [&str; 2] = ["/usr/local", "/usr/local/ssl"];
/// Folders whose names are versions, below an installation or a home.
const VERSIONS: [(&str, &str); 5] = [
    ("nodejs", ".nvm/versions/node"),
    ("nodejs", "versions/node"),
    ("python", ".pyenv/versions"),
    ("ruby", ".rbenv/versions"),
    ("dotnet", ".dotnet/shared/Microsoft.NETCore.App"),
];
/// Where .NET puts its runtimes.
const DOTNET: [&str; 5] =
    ["/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet", "/usr/local/share/dotnet", "/opt/dotnet"];
/// Most installations that are looked at.
const INSTALLATIONS_MAX: usize = 1000;

pub(super) fn find(cx: &Context<'_>, installed: &Installed) -> Result<Vec<Runtime>, CheckError> {
    let mut prefixes: Vec<String> = PREFIXES.map(str::to_owned).to_vec();
    for parent in PARENTS {
        let names = cx.list(parent)?.into_iter().map(|entry| entry.name);
        prefixes.extend(names.map(|name| format!("{parent}/{}", name.to_string_lossy())));
    }
    prefixes.truncate(INSTALLATIONS_MAX);
    let mut found = Vec::new();
    for prefix in &prefixes {
        for (product, file, mark) in TOLD {
            let path = format!("{prefix}/{file}");
            if let Some(version) = version_in(cx, &path, mark)? {
                // Java 8 calls itself 1.8.
                let version = version.strip_prefix("1.").filter(|_| product == "java").unwrap_or(&version);
                add(&mut found, installed, product, version, &path);
            }
        }
        programs(cx, installed, prefix, &mut found)?;
    }
    let homes = cx.homes()?.iter().map(|home| home.to_string_lossy().into_owned());
    for home in homes.chain(prefixes.iter().cloned()) {
        for (product, folder) in VERSIONS {
            numbered(cx, installed, product, &format!("{home}/{folder}"), &mut found)?;
        }
    }
    for folder in DOTNET {
        numbered(cx, installed, "dotnet", &format!("{folder}/shared/Microsoft.NETCore.App"), &mut found)?;
    }
    Ok(found)
}

fn add(found: &mut Vec<Runtime>, installed: &Installed, product: &'static str, version: &str, path: &str) {
    // What a package owns is judged as a package.
    if installed.owner(path).is_none() {
        found.push(Runtime {
            product,
            version: version.to_owned(),
            name: path.to_owned(),
            path: path.to_owned(),
            mended_by: MendedBy::Nobody,
        });
    }
}

/// Reads the version behind a mark in a file; none where either is not there.
fn version_in(cx: &Context<'_>, path: &str, mark: &str) -> Result<Option<String>, CheckError> {
    if !cx.metadata_following(path)?.is_some_and(|found| found.is_file()) {
        return Ok(None);
    }
    let text = cx.text(path)?.unwrap_or_default();
    let behind = text.split_once(mark).map(|(_, behind)| behind.trim_start());
    let version: Option<String> = behind.map(|behind| {
        behind.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect()
    });
    Ok(version.filter(|version| !version.is_empty()))
}

/// Programs whose names tell their version: `bin/python3.8`; and Ruby, whose library does.
fn programs(
    cx: &Context<'_>,
    installed: &Installed,
    prefix: &str,
    found: &mut Vec<Runtime>,
) -> Result<(), CheckError> {
    for entry in cx.list(format!("{prefix}/bin"))? {
        let name = entry.name.to_string_lossy();
        let version = name.strip_prefix("python").filter(|version| version.contains('.'));
        if let Some(version) = version.filter(|version| is_version(version)) {
            add(found, installed, "python", version, &format!("{prefix}/bin/{name}"));
        }
    }
    if cx.exists(format!("{prefix}/bin/ruby"))? {
        numbered(cx, installed, "ruby", &format!("{prefix}/lib/ruby"), found)?;
    }
    Ok(())
}

fn numbered(
    cx: &Context<'_>,
    installed: &Installed,
    product: &'static str,
    folder: &str,
    found: &mut Vec<Runtime>,
) -> Result<(), CheckError> {
    if !cx.metadata_following(folder)?.is_some_and(|metadata| metadata.is_dir()) {
        return Ok(());
    }
    for entry in cx.list(Path::new(folder))? {
        let name = entry.name.to_string_lossy();
        let version = name.trim_start_matches('v');
        if is_version(version) {
            add(found, installed, product, version, &format!("{folder}/{name}"));
        }
    }
    Ok(())
}

fn is_version(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn installations_beside_the_packages_are_found_by_their_files() {
        let fixture = Fixture::new()
            .file("/usr/local/include/node/node_version.h", "#define NODE_MAJOR_VERSION 16\n")
            .file("/opt/jdk/release", "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"1.7.0_80\"\n")
            .file("/opt/tomcat/RELEASE-NOTES", "      Apache Tomcat Version 8.5.83\n")
            .file("/usr/local/bin/python3.6", "")
            .file(
                "/usr/local/include/openssl/opensslv.h",
                "# define OPENSSL_VERSION_TEXT    \"OpenSSL 1.1.1k  25 Mar 2021\"\n",
            )
            .dir("/usr/share/dotnet/shared/Microsoft.NETCore.App/6.0.36")
            .file("/etc/passwd", "dev:x:1000:1000::/home/dev:/bin/bash\n")
            .dir("/home/dev/.nvm/versions/node/v14.21.3");
        let found = fixture.findings("EOL-002").join("\n");
        for name in
            ["nodejs 16", "java 7", "tomcat 8.5", "python 3.6", "openssl 1.1.1", "dotnet 6", "nodejs 14"]
        {
            assert!(found.contains(name), "{name} in {found}");
        }
    }

    #[test]
    fn what_is_supported_or_owned_by_a_package_is_no_flaw() {
        let fixture = Fixture::new()
            .file("/opt/jdk/release", "JAVA_VERSION=\"21.0.5\"\n")
            .file("/usr/local/bin/python3.13", "")
            .file("/usr/lib/jvm/java-16-openjdk-amd64/release", "JAVA_VERSION=\"16.0.1\"\n")
            .file("/var/lib/dpkg/status", "Package: java-own\nStatus: install ok installed\nVersion: 1\n")
            .file("/var/lib/dpkg/info/java-own.list", "/usr/lib/jvm/java-16-openjdk-amd64/release\n");
        assert!(fixture.is_pass("EOL-002"), "{:?}", fixture.findings("EOL-002"));
    }
}
