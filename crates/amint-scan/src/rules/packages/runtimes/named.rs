//! Products by the names of their packages.

/// Tells which product a package is, and its version where the name has one that the package's own does not tell.
pub(super) fn product(name: &str) -> Option<(&'static str, Option<String>)> {
    let own = |product| Some((product, None));
    let is_numbers = |text: &str| text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let name = name.to_ascii_lowercase();
    let rest = |start: &str| name.strip_prefix(start);
    if let Some(version) = java(&name) {
        return Some(("java", Some(version)));
    }
    for start in ["dotnet-runtime-", "dotnet-sdk-", "aspnetcore-runtime-", "dotnet-host-"] {
        if let Some(version) = rest(start).filter(|version| is_numbers(version)) {
            return Some(("dotnet", Some(version.to_owned())));
        }
    }
    let (first, behind) = name.split_once('-').unwrap_or((&name, ""));
    let starts = |start: &str| first.strip_prefix(start).is_some_and(is_numbers);
    match behind {
        _ if starts("php") && matches!(behind, "" | "cli" | "fpm" | "cgi" | "common") => own("php"),
        "" if starts("nodejs") => own("nodejs"),
        "" | "minimal" if starts("python") => own("python"),
        "" if starts("ruby") => own("ruby"),
        "" if starts("tomcat") => own("tomcat"),
        "" if first == "nginx" => own("nginx"),
        "" if first == "openssl" || starts("libssl") => own("openssl"),
        "server" | "" if starts("postgresql") && !(behind.is_empty() && first == "postgresql") => {
            own("postgresql")
        }
        _ if first == "postgresql" && is_numbers(behind) && !behind.is_empty() => own("postgresql"),
        "server" if matches!(first, "mysql" | "mariadb") => {
            own(if first == "mysql" { "mysql" } else { "mariadb" })
        }
        "community-server" | "community-server-core" if first == "mysql" => own("mysql"),
        "lt" | "ml" | "lt-core" | "ml-core" if first == "kernel" => own("linux"),
        _ => None,
    }
}

/// Returns the release of Java in a name: `openjdk-11-jre-headless`, `java-17-amazon-corretto`, `temurin-8-jdk`.
fn java(name: &str) -> Option<String> {
    let starts = ["openjdk-", "java-", "temurin-", "zulu", "jdk-", "adoptopenjdk-", "bellsoft-java"];
    let rest = starts.iter().find_map(|start| name.strip_prefix(start))?;
    let number = rest.trim_start_matches('-').trim_start_matches("1.");
    let end = number.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(number.len());
    (end > 0).then(|| number[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_names_of_all_distributions_and_no_others() {
        for (name, wanted) in [
            ("nodejs", "nodejs"),
            ("python2.7", "python"),
            ("python39", "python"),
            ("python2-minimal", "python"),
            ("php8.1-fpm", "php"),
            ("php-cli", "php"),
            ("ruby3.0", "ruby"),
            ("tomcat9", "tomcat"),
            ("libssl1.1", "openssl"),
            ("postgresql-13", "postgresql"),
            ("postgresql13-server", "postgresql"),
            ("mysql-community-server", "mysql"),
            ("MariaDB-server", "mariadb"),
            ("dotnet-runtime-6.0", "dotnet"),
            ("openjdk-8-jre-headless", "java"),
            ("java-1.8.0-openjdk", "java"),
        ] {
            assert_eq!(product(name).map(|found| found.0), Some(wanted), "{name}");
        }
        assert_eq!(product("java-1.8.0-openjdk").unwrap().1.as_deref(), Some("8"));
        for name in [
            "python3-yaml",
            "php-pear",
            "nginx-common",
            "java-common",
            "ruby-json",
            "postgresql-common",
            "kernel-core",
            "libssl-dev",
            "openssl-libs",
        ] {
            assert_eq!(product(name), None, "{name}");
        }
    }
}
