//! Who may pass on the operating system (RES-001), and under whose name (RES-004).

use amint_types::Severity;
use amint_types::scan::OperatingSystem;

use crate::table::{rows, words};
use crate::{RightsFinding, RightsRule};

const SYSTEMS: &str = include_str!("../data/systems.tsv");
const POLICY: &str = "https://docs.aws.amazon.com/marketplace/latest/userguide/product-and-ami-policies.html";

pub(crate) fn judge_system(
    system: Option<&OperatingSystem>,
    usage_operation: Option<&str>,
) -> Vec<RightsFinding> {
    let Some(system) = system else {
        return vec![blank(
            "",
            "the operating system is not known",
            Severity::High,
            "no os-release(5) tells which it is, so nobody can say who may pass it on",
            POLICY,
        )];
    };
    let name = if system.name.is_empty() { &system.id } else { &system.name };
    let Some([id, verdict, owner, billing, reason, source]) =
        rows::<6>(SYSTEMS).find(|row| row.first().is_some_and(|id| system.id.eq_ignore_ascii_case(id)))
    else {
        let mut finding = blank(
            &system.id,
            &format!("nothing is known about who may pass on {name}"),
            Severity::High,
            "a derivative of a free system may hold parts that are not free",
            POLICY,
        );
        "declare a right with the publisher's terms as its document, or build on a system that is known"
            .clone_into(&mut finding.fix);
        return vec![finding];
    };
    let paid = usage_operation.filter(|operation| words(billing).contains(operation));
    let mut finding = match (verdict, paid) {
        ("right", Some(operation)) => blank(
            id,
            &format!("{name} is paid through AWS's billing ({operation})"),
            Severity::Info,
            "the base image carries the billing of AWS; it must stay on the image, so build from it and do not import a disk",
            POLICY,
        ),
        ("right", None) => blank(
            id,
            &format!("{name} may not be sold without a right of {owner}"),
            Severity::Critical,
            reason,
            source,
        ),
        ("marks", _) => {
            let title = format!("the name of {name} is a trademark of {owner}");
            let mut finding = blank(id, &title, Severity::Low, reason, source);
            finding.rule = RightsRule::Terms;
            "do not name the product after it, keep its notices, or get the holder's agreement"
                .clone_into(&mut finding.fix);
            finding
        }
        _ => return Vec::new(),
    };
    finding.owner = Some(owner.to_owned());
    vec![finding]
}

fn blank(id: &str, title: &str, severity: Severity, reason: &str, source: &str) -> RightsFinding {
    let names = if id.is_empty() { Vec::new() } else { vec![format!("os:{id}"), id.to_owned()] };
    RightsFinding {
        rule: RightsRule::System,
        severity,
        title: title.to_owned(),
        reason: reason.to_owned(),
        source: source.to_owned(),
        owner: None,
        names,
        package: None,
        path: "/etc/os-release".to_owned(),
        fix: "build from AWS's own image of it, build on a free system, or declare the right in `[[rights]]`"
            .to_owned(),
        requirements: Vec::new(),
        ended: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::assert_shape;
    use crate::testing::system;

    #[test]
    fn table_is_well_formed() {
        assert_shape::<6>(SYSTEMS);
        let mut seen = std::collections::BTreeSet::new();
        for [id, verdict, _, billing, _, source] in rows::<6>(SYSTEMS) {
            assert!(seen.insert(id), "{id} twice");
            assert!(["free", "marks", "right"].contains(&verdict), "{id}");
            assert!(words(billing).iter().all(|word| word.starts_with("RunInstances:")));
            assert!(source.starts_with("https://"));
        }
    }

    #[test]
    fn free_systems_pass_and_others_need_a_right() {
        for id in
            ["debian", "amzn", "almalinux", "rocky", "centos", "fedora", "opensuse-leap", "alpine", "freebsd"]
        {
            assert_eq!(judge_system(Some(&system(id)), None), [], "{id}");
        }
        for id in ["rhel", "sles", "ol", "windows", "sles_sap", "cloudlinux"] {
            let found = judge_system(Some(&system(id)), None);
            assert_eq!(found[0].severity, Severity::Critical, "{id}");
            assert_eq!(found[0].rule, RightsRule::System);
            assert!(found[0].owner.is_some());
        }
        let found = judge_system(Some(&system("ubuntu")), None);
        assert_eq!((found[0].rule, found[0].severity), (RightsRule::Terms, Severity::Low));
        assert_eq!(judge_system(Some(&system("wubblix")), None)[0].severity, Severity::High);
        assert_eq!(judge_system(None, None)[0].severity, Severity::High);
    }

    #[test]
    fn billing_of_aws_pays_only_for_its_own_system() {
        let severity =
            |id: &str, operation: &str| judge_system(Some(&system(id)), Some(operation))[0].severity;
        assert_eq!(severity("rhel", "RunInstances:0010"), Severity::Info);
        assert_eq!(severity("rhel", "RunInstances:00g0"), Severity::Critical, "own subscription");
        assert_eq!(severity("rhel", "RunInstances"), Severity::Critical);
        assert_eq!(severity("sles", "RunInstances:000g"), Severity::Info);
        assert_eq!(severity("windows", "RunInstances:0002"), Severity::Info);
        assert_eq!(severity("windows", "RunInstances:0800"), Severity::Critical, "own licence");
        assert_eq!(severity("ol", "RunInstances:0010"), Severity::Critical);
    }
}
