//! The requirements of AWS Marketplace on AMIs, and how a scan answers each.
//!
//! A rule serves the requirements that it names; what no file can tell is listed with the reason, and is never told as
//! passed. The requirements are those of AWS's product policies as of 2025, in own words.

use amint_types::Severity;
use amint_types::assessment::{
    AMI_SECURITY, AssessmentReport, AssessmentResult, ControlAssessment, ControlError, ControlResult,
    ErrorScope,
};
use amint_types::scan::{
    Coverage, FindingKind, RuleState, ScanDocument, ScanFinding, ScanVerdict, SupportState,
};

use crate::{Profile, rules};

/// The code of an error that says why a control was not looked at.
const NOT_EXECUTED: &str = "NOT_EXECUTED";

/// A requirement of AWS Marketplace.
#[derive(Debug)]
pub struct MarketplaceControl {
    /// Its id.
    pub id: &'static str,
    /// What it asks for.
    pub title: &'static str,
    /// Ids judged on the image as a whole that serve it, besides rules.
    pub judged: &'static [&'static str],
    /// Why no file can tell that it is met; none where files can. Rules may serve it all the same: then a violation is
    /// told, and no pass.
    pub beyond_files: Option<&'static str>,
}

const fn by_rules(id: &'static str, title: &'static str) -> MarketplaceControl {
    MarketplaceControl { id, title, judged: &[], beyond_files: None }
}

const fn by_image(
    id: &'static str,
    title: &'static str,
    judged: &'static [&'static str],
) -> MarketplaceControl {
    MarketplaceControl { id, title, judged, beyond_files: None }
}

const fn beyond(id: &'static str, title: &'static str, why: &'static str) -> MarketplaceControl {
    MarketplaceControl { id, title, judged: &[], beyond_files: Some(why) }
}

const REGISTERED: &str = "it is known of a registered AMI only";
const LISTING: &str = "it is a matter of the listing, not of the image";
const WINDOWS: &str = "it is asked of Windows images only";

/// Every requirement, by id.
pub static MARKETPLACE_CONTROLS: [MarketplaceControl; 34] = [
    beyond("MP-A1", "the AMI lies in us-east-1, in the seller's account", REGISTERED),
    beyond("MP-A2", "virtualization is HVM", REGISTERED),
    beyond("MP-A3", "the architecture is x86_64 or arm64", REGISTERED),
    beyond("MP-A4", "the root device is an EBS volume", REGISTERED),
    beyond("MP-A5", "no snapshot is encrypted", REGISTERED),
    by_image("MP-A6", "no file system is encrypted", &["FS-005"]),
    by_rules("MP-A7", "one image fits all regions"),
    beyond("MP-A8", "instances ask for version 2 of the metadata service", REGISTERED),
    beyond("MP-A9", "the AMI has no instance type specification", REGISTERED),
    beyond(
        "MP-C1",
        "no data of customers is collected without consent",
        "what customers consent to is told in the listing",
    ),
    by_image("MP-G1", "no known vulnerabilities and no malware", &["VUL-001", "VUL-004"]),
    by_image("MP-G2", "the operating system and software are supported", &["EOL-001"]),
    beyond("MP-G3", "the AMI is younger than two years", REGISTERED),
    by_rules("MP-G4", "no service authenticates by passwords"),
    by_rules("MP-G5", "no secrets lie in the image"),
    beyond("MP-G6", "no access keys of buyers are asked for", "what the software asks for takes a person"),
    by_rules("MP-G7", "the seller has no access to instances"),
    by_rules("MP-L1", "the ssh server takes no passwords"),
    by_rules("MP-L2", "root does not log in by password"),
    by_rules("MP-L3", "no public keys for ssh are left"),
    by_rules("MP-L4", "users get full rights through sudo"),
    by_rules("MP-L5", "the ssh server listens where the listing says"),
    beyond("MP-S1", "the seller has no more listings than allowed", LISTING),
    beyond("MP-U1", "usage is not restricted by time or users", LISTING),
    beyond(
        "MP-U2",
        "the product starts without user data",
        "it takes a boot: `amint test` starts the image without",
    ),
    beyond(
        "MP-U3",
        "what is downloaded at deployment is told",
        "whether it is told is a matter of the listing",
    ),
    beyond("MP-U4", "fulfilment stays within Marketplace", LISTING),
    beyond(
        "MP-U5",
        "connections to the outside are told",
        "whether they are told is a matter of the listing",
    ),
    beyond("MP-U6", "no text leads to products elsewhere", "what a text leads to takes a person"),
    beyond("MP-U7", "add-ons say what they extend", LISTING),
    beyond("MP-W1", "EC2Launch is the newest", WINDOWS),
    beyond("MP-W2", "EC2Config is the newest", WINDOWS),
    beyond("MP-W3", "there are no guest accounts", WINDOWS),
    beyond("MP-W4", "remote desktop and WinRM are open", WINDOWS),
];

/// Says how an image stands to the requirements of AWS Marketplace, in the form of AWS's own assessments.
///
/// A control fails by findings that reach the document's gate; it passes by exemption when all of them are waived. An
/// earlier scan makes none pass: AWS knows nothing of it.
pub fn assess(document: &ScanDocument) -> AssessmentReport {
    let control_assessments: Vec<ControlAssessment> =
        MARKETPLACE_CONTROLS.iter().map(|control| assess_control(control, document)).collect();
    let is_failed =
        control_assessments.iter().any(|control| control.control_assessment_result == ControlResult::Fail);
    let is_evident = matches!(document.verdict, ScanVerdict::Pass | ScanVerdict::Fail);
    let target = &document.target;
    AssessmentReport {
        assessment_arn: None,
        assessment_id: Some(
            target.digest.map_or_else(|| target.name.clone(), |digest| format!("sha256:{digest}")),
        ),
        framework_id: AMI_SECURITY.to_owned(),
        assessment_target_summary: None,
        assessment_result: if is_failed || !is_evident {
            AssessmentResult::Fail
        } else {
            AssessmentResult::Pass
        },
        created_at: Some(document.scanned_at.to_string()),
        expires_at: None,
        control_assessments,
        next_token: None,
    }
}

fn assess_control(control: &MarketplaceControl, document: &ScanDocument) -> ControlAssessment {
    let findings: Vec<&ScanFinding> = document
        .findings
        .iter()
        .filter(|finding| serves(control, finding) && finding.not_affected.is_none())
        .filter(|finding| finding.severity >= document.gate || finding.is_exploited)
        .collect();
    let open: Vec<&ScanFinding> =
        findings.iter().copied().filter(|finding| finding.waived.is_none()).collect();
    let mut complaints: Vec<ControlError> = open.into_iter().map(error_of).collect();
    if control.id == "MP-A6" {
        complaints.extend(document.coverage.iter().filter_map(encrypted));
    }
    let (result, errors) = if !complaints.is_empty() {
        (ControlResult::Fail, complaints)
    } else if let Some(why) = not_executed(control, document) {
        let error = ControlError { code: NOT_EXECUTED.to_owned(), message: why, scope: Vec::new() };
        (ControlResult::NotExecuted, vec![error])
    } else if !findings.is_empty() {
        (ControlResult::ExemptionPass, findings.into_iter().map(error_of).collect())
    } else {
        (ControlResult::Pass, Vec::new())
    };
    ControlAssessment { control_id: control.id.to_owned(), control_assessment_result: result, errors }
}

fn serves(control: &MarketplaceControl, finding: &ScanFinding) -> bool {
    finding.requirements.iter().any(|id| id == control.id || control.judged.contains(&id.as_str()))
        || control.judged.contains(&finding.rule.as_str())
        || (control.id == "MP-G1" && finding.kind == FindingKind::Vulnerability)
}

/// Ids of the rules that serve a control under the profile of Marketplace.
pub fn rules_serving(control: &MarketplaceControl) -> Vec<&'static str> {
    rules()
        .iter()
        .map(|rule| rule.meta())
        .filter(|meta| meta.requirements.contains(&control.id))
        .filter(|meta| {
            meta.severities.under(Profile::Marketplace).is_some_and(|severity| severity > Severity::Info)
        })
        .map(|meta| meta.id)
        .collect()
}

/// A part of the disk that is encrypted as a whole.
fn encrypted(part: &Coverage) -> Option<ControlError> {
    let is_encrypted = part.filesystem.starts_with("luks") || part.filesystem == "bitlocker";
    is_encrypted.then(|| ControlError {
        code: "FS-005".to_owned(),
        message: format!("it is encrypted ({})", part.filesystem),
        scope: vec![ErrorScope { name: "PARTITION".to_owned(), value: part.partition.clone() }],
    })
}

/// Says why nothing is known of a control.
fn not_executed(control: &MarketplaceControl, document: &ScanDocument) -> Option<String> {
    if document.verdict == ScanVerdict::Unread {
        return Some(
            document.reasons.first().cloned().unwrap_or_else(|| "the image was not read".to_owned()),
        );
    }
    if control.id == "MP-G1" && (document.data.is_empty() || document.verdict == ScanVerdict::Stale) {
        return Some("the advisories are missing or too old".to_owned());
    }
    let support = document.system.as_ref().map(|system| system.support);
    if control.id == "MP-G2" && matches!(support, None | Some(SupportState::Unknown)) {
        return Some("the end of support of the operating system is not known".to_owned());
    }
    if control.beyond_files.is_some() {
        return control.beyond_files.map(str::to_owned);
    }
    if !control.judged.is_empty() {
        return None;
    }
    let serving = rules_serving(control);
    let asked: Vec<_> =
        document.rules.iter().filter(|asked| serving.contains(&asked.rule.as_str())).collect();
    if asked.is_empty() {
        return Some("its rules were not asked: scan with the profile `marketplace`".to_owned());
    }
    if let Some(blind) = asked.iter().find(|asked| asked.state == RuleState::NotEvaluated) {
        let why = blind.reason.as_deref().unwrap_or("it does not say why");
        return Some(format!("{} could not look: {why}", blind.rule));
    }
    if asked.iter().all(|asked| asked.state == RuleState::NotApplicable) {
        let why =
            asked.first().and_then(|asked| asked.reason.as_deref()).unwrap_or("there is nothing to look at");
        return Some(format!("not applicable: {why}"));
    }
    None
}

fn error_of(finding: &ScanFinding) -> ControlError {
    let scope = |name: &str, value: &str| ErrorScope { name: name.to_owned(), value: value.to_owned() };
    let mut places = vec![scope("FILE_PATH", &finding.path)];
    places.extend(finding.line.map(|line| scope("LINE_NUMBER", &line.to_string())));
    places.extend(finding.package.as_ref().map(|package| scope("PACKAGE_NAME", package)));
    places.extend(finding.version.as_ref().map(|version| scope("PACKAGE_VERSION", version)));
    ControlError { code: finding.rule.clone(), message: finding.title.clone(), scope: places }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_served_by_a_rule_or_says_why_not() {
        let ids: Vec<&str> = MARKETPLACE_CONTROLS.iter().map(|control| control.id).collect();
        assert!(ids.is_sorted_by(|left, right| left < right));
        for control in &MARKETPLACE_CONTROLS {
            let is_served = !rules_serving(control).is_empty() || !control.judged.is_empty();
            assert!(is_served || control.beyond_files.is_some(), "{}", control.id);
        }
    }

    #[test]
    fn rules_name_only_requirements_that_there_are() {
        for rule in rules() {
            for id in rule.meta().requirements.iter().filter(|id| id.starts_with("MP-")) {
                assert!(
                    MARKETPLACE_CONTROLS.iter().any(|control| control.id == *id),
                    "{}: {id}",
                    rule.meta().id
                );
            }
        }
    }

    fn document() -> ScanDocument {
        let mut document: ScanDocument = ScanDocument {
            format_version: amint_types::scan::FORMAT_VERSION,
            tool_version: "0".to_owned(),
            scanned_at: jiff::Timestamp::UNIX_EPOCH,
            target: amint_types::scan::Target {
                name: "image".to_owned(),
                format: "raw".to_owned(),
                disk_bytes: None,
                digest: None,
            },
            verdict: ScanVerdict::Pass,
            reasons: Vec::new(),
            warnings: Vec::new(),
            baseline: None,
            gate: Severity::High,
            profiles: Vec::new(),
            rules: Vec::new(),
            data: Vec::new(),
            coverage: Vec::new(),
            analyzers: Vec::new(),
            system: None,
            kernels: Vec::new(),
            packages: Vec::new(),
            users: Vec::new(),
            services: Vec::new(),
            privileged: Vec::new(),
            certificates: Vec::new(),
            modified_files: Vec::new(),
            findings: Vec::new(),
        };
        document.rules = rules()
            .iter()
            .map(|rule| amint_types::scan::AskedRule {
                rule: rule.meta().id.to_owned(),
                state: RuleState::Pass,
                reason: None,
            })
            .collect();
        document
    }

    fn finding(severity: Severity) -> ScanFinding {
        let requirements = vec!["MP-L1".to_owned()];
        ScanFinding {
            requirements,
            ..ScanFinding::new(
                FindingKind::Rule,
                "SSH-001",
                "takes passwords",
                severity,
                "/etc/ssh/sshd_config",
            )
        }
    }

    fn result(document: &ScanDocument, id: &str) -> (ControlResult, usize) {
        let assessment = assess(document);
        let control = assessment.control_assessments.into_iter().find(|one| one.control_id == id).unwrap();
        (control.control_assessment_result, control.errors.len())
    }

    #[test]
    fn a_control_fails_by_what_reaches_the_gate_and_passes_by_exemption_when_all_is_waived() {
        let mut document = document();
        assert_eq!(result(&document, "MP-L1"), (ControlResult::Pass, 0));
        document.findings = vec![finding(Severity::Medium)];
        assert_eq!(result(&document, "MP-L1"), (ControlResult::Pass, 0), "below the gate");
        document.findings.push(finding(Severity::Critical));
        assert_eq!(result(&document, "MP-L1"), (ControlResult::Fail, 1));
        assert_eq!(assess(&document).assessment_result, AssessmentResult::Fail);
        document.findings[1].is_known = true;
        assert_eq!(result(&document, "MP-L1").0, ControlResult::Fail, "AWS knows no earlier scan");
        document.findings[1].waived = Some(amint_types::scan::Waived {
            reason: "known".to_owned(),
            owner: "team".to_owned(),
            until: jiff::civil::date(2027, 1, 1),
        });
        assert_eq!(result(&document, "MP-L1"), (ControlResult::ExemptionPass, 1));
        assert_eq!(assess(&document).assessment_result, AssessmentResult::Pass);
    }

    #[test]
    fn what_nobody_looked_at_never_passes() {
        let not_executed = (ControlResult::NotExecuted, 1);
        let mut document = document();
        for id in ["MP-A2", "MP-C1", "MP-G1", "MP-G2", "MP-W1", "MP-U1", "MP-U3"] {
            assert_eq!(result(&document, id), not_executed, "{id}");
        }
        for asked in &mut document.rules {
            asked.state = RuleState::NotApplicable;
        }
        assert_eq!(result(&document, "MP-L1"), not_executed);
        document.rules.iter_mut().for_each(|asked| asked.state = RuleState::Pass);
        let ssh = document.rules.iter_mut().find(|asked| asked.rule == "SSH-001").unwrap();
        ssh.state = RuleState::NotEvaluated;
        assert_eq!(result(&document, "MP-L1"), not_executed);
        assert_eq!(result(&document, "MP-L3").0, ControlResult::Pass);
        document.rules.clear();
        assert_eq!(result(&document, "MP-L3"), not_executed);
        document.verdict = ScanVerdict::Unread;
        assert_eq!(result(&document, "MP-A6"), not_executed);
        document.coverage.push(Coverage {
            partition: "3".to_owned(),
            filesystem: "luks2".to_owned(),
            mounted_at: None,
            files: 0,
            bytes: 0,
            status: amint_types::scan::CoverageStatus::Unread,
            notes: Vec::new(),
        });
        assert_eq!(result(&document, "MP-A6"), (ControlResult::Fail, 1));
        assert_eq!(assess(&document).assessment_result, AssessmentResult::Fail);
    }

    #[test]
    fn vulnerabilities_are_judged_by_advisories_that_are_there() {
        let mut document = document();
        let date = document.scanned_at;
        document.data = vec![amint_types::scan::DataSource { source: "debian".to_owned(), date }];
        assert_eq!(result(&document, "MP-G1"), (ControlResult::Pass, 0));
        let mut vulnerability =
            ScanFinding::new(FindingKind::Vulnerability, "CVE-2026-1", "bad", Severity::Low, "/a");
        vulnerability.is_exploited = true;
        document.findings.push(vulnerability);
        assert_eq!(result(&document, "MP-G1"), (ControlResult::Fail, 1), "it is exploited");
        document.findings.clear();
        document.verdict = ScanVerdict::Stale;
        assert_eq!(result(&document, "MP-G1"), (ControlResult::NotExecuted, 1));
    }
}
