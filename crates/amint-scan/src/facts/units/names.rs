//! Names of units: `prefix@instance.kind`.

/// Returns what stands after the last dot.
pub(super) fn kind(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, kind)| kind)
}

/// Returns what stands before the instance, or before the kind.
pub(super) fn prefix(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.split_once('@').map_or(stem, |(prefix, _)| prefix)
}

/// Returns the instance: none for a plain unit, empty for a template.
pub(super) fn instance(name: &str) -> Option<&str> {
    let (stem, _) = name.rsplit_once('.')?;
    stem.split_once('@').map(|(_, instance)| instance)
}

/// Tells whether a name is that of an instance.
pub(super) fn is_instance(name: &str) -> bool {
    instance(name).is_some_and(|instance| !instance.is_empty())
}

/// Tells whether a name is that of a template.
pub(super) fn is_template(name: &str) -> bool {
    instance(name) == Some("")
}

/// Returns the template that an instance is made from; other names as they are.
pub(super) fn template(name: &str) -> String {
    with_instance(name, "")
}

/// Returns a name with another instance; a plain unit has none to change.
pub(super) fn with_instance(name: &str, instance_wanted: &str) -> String {
    if instance(name).is_some() {
        format!("{}@{instance_wanted}.{}", prefix(name), kind(name))
    } else {
        name.to_owned()
    }
}

/// Returns the longest shorter prefix that ends with a dash, as a name: `foo-bar.service` to `foo-.service`.
pub(super) fn shortened(name: &str) -> Option<String> {
    let prefix = prefix(name).trim_end_matches('-');
    let dash = prefix.rfind('-').filter(|dash| *dash > 0)?;
    let shorter = &prefix[..=dash];
    // systemd shortens a template to a plain name.
    Some(match instance(name).filter(|instance| !instance.is_empty()) {
        Some(instance) => format!("{shorter}@{instance}.{}", kind(name)),
        None => format!("{shorter}.{}", kind(name)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_as_systemd_takes_them_apart() {
        assert_eq!(template("getty@tty1.service"), "getty@.service");
        assert_eq!(template("ssh.service"), "ssh.service");
        assert_eq!(with_instance("a@.service", "x"), "a@x.service");
        assert!(is_template("a@.service") && !is_instance("a@.service") && is_instance("a@b.c.service"));
        assert_eq!(shortened("foo-bar-baz.service").as_deref(), Some("foo-bar-.service"));
        assert_eq!(shortened("foo-bar-.service").as_deref(), Some("foo-.service"));
        assert_eq!(shortened("foo-.service"), None);
        assert_eq!(shortened("foo-bar@x.service").as_deref(), Some("foo-@x.service"));
        assert_eq!(shortened("foo-bar@.service").as_deref(), Some("foo-.service"));
        assert_eq!(shortened("-.slice"), None);
    }
}
