//! Tag policies of the organization, and quotas.

use aws_sdk_organizations::types::{EffectivePolicyType, PolicyType};
use aws_sdk_servicequotas::types::RequestStatus;

use crate::support::{ACCOUNT, Bench, REGION, refused};

pub(crate) const POLICIES: &[&str] = &[
    "organizations AttachPolicy",
    "organizations CreatePolicy",
    "organizations DeletePolicy",
    "organizations DescribeEffectivePolicy",
    "organizations DescribePolicy",
    "organizations DetachPolicy",
    "organizations ListPolicies",
];

pub(crate) const QUOTAS: &[&str] = &[
    "servicequotas GetAWSDefaultServiceQuota",
    "servicequotas GetServiceQuota",
    "servicequotas ListServiceQuotas",
    "servicequotas RequestServiceQuotaIncrease",
];

#[test]
fn a_tag_policy_holds_from_its_attachment_to_its_end() {
    let bench = Bench::new();
    bench.run(POLICIES, async {
        let client = bench.organizations();
        let content = r#"{"tags": {"CostCenter": {"tag_value": {"@@assign": ["100"]}}}}"#;
        let create = || {
            let create = client.create_policy().name("tags").description("d").content(content);
            create.r#type(PolicyType::TagPolicy).send()
        };
        let made = create().await.unwrap();
        let policy = made.policy().unwrap();
        let summary = policy.policy_summary().unwrap();
        let id = summary.id().unwrap();
        assert_eq!(
            (policy.content(), summary.name(), summary.description()),
            (Some(content), Some("tags"), Some("d"))
        );
        assert_eq!((summary.r#type(), summary.aws_managed()), (Some(&PolicyType::TagPolicy), false));
        assert!(summary.arn().is_some_and(|arn| arn.ends_with(id)));
        assert_eq!(refused(create().await), "DuplicatePolicyException");
        let effective =
            || client.describe_effective_policy().policy_type(EffectivePolicyType::TagPolicy).send();
        assert_eq!(refused(effective().await), "EffectivePolicyNotFoundException");
        client.attach_policy().policy_id(id).target_id(ACCOUNT).send().await.unwrap();
        let again = client.attach_policy().policy_id(id).target_id(ACCOUNT).send().await;
        assert_eq!(refused(again), "DuplicatePolicyAttachmentException");
        let told = effective().await.unwrap().effective_policy.unwrap();
        assert_eq!(
            (told.target_id(), told.policy_type()),
            (Some(ACCOUNT), Some(&EffectivePolicyType::TagPolicy))
        );
        assert!(told.policy_content().is_some_and(|text| text.contains("costcenter")));
        assert!(told.last_updated_timestamp().is_some());
        let pages = client.list_policies().filter(PolicyType::TagPolicy).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let listed: Vec<_> = pages.iter().flat_map(|page| page.policies()).collect();
        assert_eq!((listed.len(), listed[0].id()), (1, Some(id)));
        assert_eq!(refused(client.delete_policy().policy_id(id).send().await), "PolicyInUseException");
        client.detach_policy().policy_id(id).target_id(ACCOUNT).send().await.unwrap();
        let described = client.describe_policy().policy_id(id).send().await.unwrap();
        assert_eq!(described.policy().and_then(|one| one.content()), Some(content));
        client.delete_policy().policy_id(id).send().await.unwrap();
        assert_eq!(refused(client.describe_policy().policy_id(id).send().await), "PolicyNotFoundException");
    });
}

#[test]
fn a_quota_is_told_and_raised() {
    let bench = Bench::new();
    bench.run(QUOTAS, async {
        let client = bench.quotas();
        let code = "L-B665C33B";
        let get = || client.get_service_quota().service_code("ec2").quota_code(code).send();
        let quota = get().await.unwrap().quota.unwrap();
        assert_eq!(
            (quota.service_code(), quota.quota_code(), quota.quota_name()),
            (Some("ec2"), Some(code), Some("AMIs"))
        );
        assert_eq!(quota.quota_arn(), Some(&*format!("arn:aws:servicequotas:{REGION}:{ACCOUNT}:ec2/{code}")));
        assert_eq!((quota.value(), quota.adjustable(), quota.global_quota()), (Some(50_000.0), true, false));
        assert!(quota.service_name().is_some() && quota.unit().is_some());
        let raise = |value: f64| {
            let raise = client.request_service_quota_increase().service_code("ec2").quota_code(code);
            raise.desired_value(value).send()
        };
        let raised = raise(60_000.0).await.unwrap().requested_quota.unwrap();
        assert_eq!(
            (raised.status(), raised.desired_value()),
            (Some(&RequestStatus::Approved), Some(60_000.0))
        );
        assert_eq!((raised.service_code(), raised.quota_code()), (Some("ec2"), Some(code)));
        assert!(raised.id().is_some() && raised.created().is_some() && raised.last_updated().is_some());
        assert_eq!(get().await.unwrap().quota().and_then(|one| one.value()), Some(60_000.0));
        let default =
            client.get_aws_default_service_quota().service_code("ec2").quota_code(code).send().await.unwrap();
        assert_eq!(default.quota().and_then(|one| one.value()), Some(50_000.0));
        let pages = client.list_service_quotas().service_code("ebs").into_paginator().items().send();
        assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 2);
        assert_eq!(refused(raise(1.0).await), "IllegalArgumentException");
        let none = client.get_service_quota().service_code("ec2").quota_code("L-0").send().await;
        assert_eq!(refused(none), "NoSuchResourceException");
    });
}
