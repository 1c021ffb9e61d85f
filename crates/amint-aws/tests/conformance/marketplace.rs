//! Products of AWS Marketplace.

use aws_sdk_marketplacecatalog::types::{
    AssessmentTargetFilter, Change, ChangeStatus, Entity, Filter, Intent,
};
use aws_smithy_types::{Document, Number};
use serde_json::{Value, json};

use crate::support::{ACCOUNT, Bench, REGION, refused};

pub(crate) const CATALOG: &[&str] = &[
    "aws-marketplace CancelChangeSet",
    "aws-marketplace DescribeAssessment",
    "aws-marketplace DescribeChangeSet",
    "aws-marketplace DescribeEntity",
    "aws-marketplace ListAssessments",
    "aws-marketplace ListChangeSets",
    "aws-marketplace ListEntities",
    "aws-marketplace StartChangeSet",
];

const CATALOG_NAME: &str = "AWSMarketplace";
const HOUR: u64 = 3600;
const TRUST: &str = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "assets.marketplace.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;

/// Makes the SDK's kind of document.
fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(is_so) => Document::Bool(*is_so),
        Value::Number(number) => Document::Number(Number::PosInt(number.as_u64().unwrap())),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(entries) => Document::Array(entries.iter().map(document).collect()),
        Value::Object(fields) => {
            Document::Object(fields.iter().map(|(name, value)| (name.clone(), document(value))).collect())
        }
    }
}

fn change(kind: &str, id: Option<&str>, details: &Value) -> Change {
    let entity = Entity::builder().r#type("AmiProduct@1.0").set_identifier(id.map(str::to_owned));
    let change = Change::builder().change_type(kind).entity(entity.build().unwrap());
    change.details_document(document(details)).change_name(kind).build().unwrap()
}

fn version(image: &str) -> Value {
    json!({
        "Version": { "VersionTitle": "1.0", "ReleaseNotes": "new" },
        "DeliveryOptions": [{ "Details": { "AmiDeliveryOptionDetails": {
            "AmiSource": {
                "AmiId": image, "AccessRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/ingestion"),
                "UserName": "ec2-user", "OperatingSystemName": "OTHERLINUX", "OperatingSystemVersion": "13",
            },
            "UsageInstructions": "ssh", "RecommendedInstanceType": "t3.micro",
            "SecurityGroups": [{ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ["10.0.0.0/16"] }],
        } } }],
    })
}

#[test]
fn a_product_gets_a_version_that_is_looked_at() {
    let bench = Bench::new();
    bench.run(CATALOG, async {
        let client = bench.catalog();
        let made = Some("$CreateProduct.Entity.Identifier");
        let start = || client.start_change_set().catalog(CATALOG_NAME);
        let started = start()
            .change_set(change("CreateProduct", None, &json!({})))
            .change_set(change("UpdateInformation", made, &json!({ "ProductTitle": "Web" })))
            .change_set(change("AddRegions", made, &json!({ "Regions": [REGION] })))
            .change_set(change("AddInstanceTypes", made, &json!({ "InstanceTypes": ["t3.micro"] })))
            .change_set_name("new")
            .client_request_token("once")
            .send()
            .await
            .unwrap();
        let id = started.change_set_id().unwrap();
        assert!(started.change_set_arn().is_some_and(|arn| arn.contains(id)));
        bench.time.pass(HOUR);
        let told = client.describe_change_set().catalog(CATALOG_NAME).change_set_id(id).send().await.unwrap();
        assert_eq!((told.status(), told.intent()), (Some(&ChangeStatus::Succeeded), Some(&Intent::Apply)));
        assert_eq!((told.change_set_id(), told.change_set_name()), (Some(id), Some("new")));
        assert!(told.change_set_arn().is_some() && told.start_time().is_some() && told.end_time().is_some());
        let first = &told.change_set()[0];
        assert_eq!(
            (first.change_type(), first.change_name()),
            (Some("CreateProduct"), Some("CreateProduct"))
        );
        let product = first.entity().and_then(|one| one.identifier()).unwrap();

        let iam = bench.iam();
        iam.create_role().role_name("ingestion").assume_role_policy_document(TRUST).send().await.unwrap();
        let policy = "arn:aws:iam::aws:policy/AWSMarketplaceAmiIngestion";
        iam.attach_role_policy().role_name("ingestion").policy_arn(policy).send().await.unwrap();
        let ec2 = bench.ec2();
        let source = ec2.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap();
        // The image of the store would be too old.
        let copy = ec2
            .copy_image()
            .name("web-2")
            .source_image_id(source)
            .source_region(REGION)
            .send()
            .await
            .unwrap();
        bench.time.pass(60);
        let add = |image: &str| change("AddDeliveryOptions", Some(product), &version(image));
        let cancelled =
            start().change_set(add(copy.image_id().unwrap())).send().await.unwrap().change_set_id.unwrap();
        let locked = start().change_set(change("ReleaseProduct", Some(product), &json!({}))).send().await;
        assert!(locked.unwrap_err().into_service_error().is_resource_in_use_exception());
        let formless =
            start().change_set(change("AddDeliveryOptions", Some(product), &json!({}))).send().await;
        assert!(formless.unwrap_err().into_service_error().is_validation_exception());
        let cancel =
            client.cancel_change_set().catalog(CATALOG_NAME).change_set_id(&cancelled).send().await.unwrap();
        assert_eq!(cancel.change_set_id(), Some(&*cancelled));
        assert!(cancel.change_set_arn().is_some());
        bench.time.pass(2 * HOUR);
        let mut sets = Vec::new();
        for image in ["ami-00000000", copy.image_id().unwrap()] {
            let started = start().change_set(add(image)).send().await.unwrap();
            sets.push(started.change_set_id.unwrap());
            bench.time.pass(2 * HOUR);
        }
        let failed =
            client.describe_change_set().catalog(CATALOG_NAME).change_set_id(&sets[0]).send().await.unwrap();
        assert_eq!(failed.status(), Some(&ChangeStatus::Failed));
        assert!(failed.failure_code().is_some());
        let error = &failed.change_set()[0].error_detail_list()[0];
        assert_eq!(error.error_code(), Some("INVALID_AMI"));
        assert!(error.error_message().is_some());

        let entity = client.describe_entity().catalog(CATALOG_NAME).entity_id(product).send().await.unwrap();
        assert!(entity.entity_type().is_some_and(|kind| kind.starts_with("AmiProduct@")));
        assert!(
            entity.entity_arn().is_some()
                && entity.last_modified_date().is_some()
                && entity.entity_identifier().is_some()
        );
        let details = entity.details_document().and_then(Document::as_object).unwrap();
        let versions = details.get("Versions").and_then(Document::as_array).unwrap();
        assert_eq!(
            versions[0].as_object().and_then(|one| one.get("VersionTitle")).and_then(Document::as_string),
            Some("1.0")
        );
        let pages = client
            .list_entities()
            .catalog(CATALOG_NAME)
            .entity_type("AmiProduct")
            .into_paginator()
            .items()
            .send();
        let entities = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((entities[0].entity_id(), entities[0].name()), (Some(product), Some("Web")));
        assert!(entities[0].visibility().is_some() && entities[0].entity_arn().is_some());
        let filter = Filter::builder().name("Status").value_list("CANCELLED").build();
        let pages = client
            .list_change_sets()
            .catalog(CATALOG_NAME)
            .filter_list(filter)
            .into_paginator()
            .items()
            .send();
        let listed = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(
            (listed[0].change_set_id(), listed[0].status()),
            (Some(&*cancelled), Some(&ChangeStatus::Cancelled))
        );
        assert_eq!(listed[0].entity_id_list(), [product.to_owned()]);

        let target = AssessmentTargetFilter::builder().change_set_id(&sets[0]).build();
        let pages = client
            .list_assessments()
            .catalog(CATALOG_NAME)
            .assessment_target_filter(target)
            .into_paginator()
            .items()
            .send();
        let assessments = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let summary = &assessments[0];
        assert_eq!(summary.assessment_result().map(|one| one.as_str()), Some("FAIL"));
        let describe =
            |id: &str| client.describe_assessment().catalog(CATALOG_NAME).assessment_identifier(id);
        let pages =
            describe(summary.assessment_arn().unwrap()).max_results(4).into_paginator().items().send();
        let controls = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(controls[0].control_id(), Some("MP-A1"));
        assert_eq!(controls[0].errors()[0].code(), Some("INVALID_AMI"));
        assert_eq!(refused(describe("assessment-none").send().await), "ResourceNotFoundException");
        let none = client.describe_entity().catalog("Other").entity_id(product).send().await;
        assert_eq!(refused(none), "ResourceNotFoundException");
    });
}
