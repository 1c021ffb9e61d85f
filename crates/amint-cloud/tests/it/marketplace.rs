//! Products of AWS Marketplace, and the change sets that make them.

use serde_json::{Value, json};

use crate::support::{Answer, Bench, Time};

const SCOPE: &str = "us-east-1/aws-marketplace";
const ROLE: &str = "arn:aws:iam::123456789012:role/ingestion";
const HOUR: i64 = 3600;

fn send(bench: &Bench, method: &str, target: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    bench.send(method, target, SCOPE, &body)
}

fn start(bench: &Bench, changes: &Value) -> Answer {
    send(bench, "POST", "/StartChangeSet", &json!({ "Catalog": "AWSMarketplace", "ChangeSet": changes }))
}

fn started(bench: &Bench, changes: &Value) -> String {
    let answer = start(bench, changes);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["ChangeSetId"].as_str().unwrap().to_owned()
}

fn shown(bench: &Bench, id: &str) -> Value {
    let answer = send(
        bench,
        "GET",
        &format!("/DescribeChangeSet?catalog=AWSMarketplace&changeSetId={id}"),
        &Value::Null,
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn entity(bench: &Bench, id: &str) -> Value {
    send(bench, "GET", &format!("/DescribeEntity?catalog=AWSMarketplace&entityId={id}"), &Value::Null).json()
}

fn change(kind: &str, id: &str, details: &Value) -> Value {
    json!({ "ChangeType": kind, "Entity": { "Type": "AmiProduct@1.0", "Identifier": id }, "DetailsDocument": details })
}

/// Makes a product that takes versions.
fn product(bench: &Bench, time: &Time) -> String {
    let mut create = change("CreateProduct", "", &json!({}));
    create["Entity"].as_object_mut().unwrap().remove("Identifier");
    create["ChangeName"] = "New".into();
    let made = "$New.Entity.Identifier";
    let id = started(
        bench,
        &json!([
            create,
            change("UpdateInformation", made, &json!({ "ProductTitle": "Web" })),
            change("AddRegions", made, &json!({ "Regions": ["us-east-1"] })),
            change("AddInstanceTypes", made, &json!({ "InstanceTypes": ["t3.micro"] })),
        ]),
    );
    time.pass(HOUR);
    let set = shown(bench, &id);
    assert_eq!(set["Status"], "SUCCEEDED", "{set}");
    set["ChangeSet"][0]["Entity"]["Identifier"].as_str().unwrap().to_owned()
}

/// Makes the role by which AWS Marketplace takes images in.
fn role(bench: &Bench) {
    let trust = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "assets.marketplace.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
    for body in [
        format!("CreateRole&RoleName=ingestion&AssumeRolePolicyDocument={trust}"),
        "AttachRolePolicy&RoleName=ingestion&PolicyArn=arn:aws:iam::aws:policy/AWSMarketplaceAmiIngestion"
            .to_owned(),
    ] {
        assert_eq!(bench.send("POST", "/", "us-east-1/iam", &format!("Action={body}")).status, 200);
    }
}

fn version(image: &str, title: &str) -> Value {
    json!({
        "Version": { "VersionTitle": title, "ReleaseNotes": "new" },
        "DeliveryOptions": [{ "Details": { "AmiDeliveryOptionDetails": {
            "AmiSource": {
                "AmiId": image, "AccessRoleArn": ROLE, "UserName": "ec2-user",
                "OperatingSystemName": "OTHERLINUX", "OperatingSystemVersion": "13",
            },
            "UsageInstructions": "ssh", "RecommendedInstanceType": "t3.micro",
            "SecurityGroups": [{ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ["10.0.0.0/16"] }],
        } } }],
    })
}

/// Adds a version and returns the codes of what is wrong with it.
fn codes(bench: &Bench, time: &Time, product: &str, details: &Value) -> Vec<String> {
    let id = started(bench, &json!([change("AddDeliveryOptions", product, details)]));
    time.pass(2 * HOUR);
    let set = shown(bench, &id);
    let errors = set["ChangeSet"][0]["ErrorDetailList"].as_array().unwrap().clone();
    assert_eq!(set["Status"], if errors.is_empty() { "SUCCEEDED" } else { "FAILED" });
    errors.iter().map(|error| error["ErrorCode"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_version_is_taken_in_after_a_while_and_its_image_shared() {
    let (bench, time) = Bench::timed();
    let product = product(&bench, &time);
    role(&bench);
    // The image of the store would be too old.
    let source = bench.image_id();
    let copy = format!("CopyImage&Name=web-2&SourceImageId={source}&SourceRegion=us-east-1");
    let image = bench.did(&copy).one("imageId");
    time.pass(60);
    let id = started(&bench, &json!([change("AddDeliveryOptions", &product, &version(&image, "1.0"))]));
    assert_eq!(shown(&bench, &id)["Status"], "PREPARING");
    let locked = start(&bench, &json!([change("ReleaseProduct", &product, &json!({}))]));
    assert_eq!((locked.status, locked.header("x-amzn-errortype")), (423, "ResourceInUseException"));
    time.pass(60);
    assert_eq!(shown(&bench, &id)["Status"], "APPLYING");
    let cancel = send(
        &bench,
        "PATCH",
        &format!("/CancelChangeSet?catalog=AWSMarketplace&changeSetId={id}"),
        &Value::Null,
    );
    assert_eq!(cancel.status, 423, "it is too late");
    time.pass(HOUR);
    let set = shown(&bench, &id);
    assert_eq!(set["Status"], "SUCCEEDED", "{set}");
    let told = entity(&bench, &product);
    let new = &told["DetailsDocument"]["Versions"][0];
    assert_eq!((&new["VersionTitle"], &new["Sources"][0]["Image"]), (&json!("1.0"), &json!(image)));
    let permissions =
        bench.did(&format!("DescribeImageAttribute&ImageId={image}&Attribute=launchPermission"));
    assert_eq!(permissions.one("userId"), "679593333241");
    assert_eq!(codes(&bench, &time, &product, &version(&image, "1.0")), ["DUPLICATE_VERSION_TITLE"]);
    let release = started(&bench, &json!([change("ReleaseProduct", &product, &json!({}))]));
    time.pass(HOUR);
    assert_eq!(shown(&bench, &release)["Status"], "SUCCEEDED");
    let listed = send(
        &bench,
        "POST",
        "/ListEntities",
        &json!({ "Catalog": "AWSMarketplace", "EntityType": "AmiProduct" }),
    );
    assert_eq!(listed.json()["EntitySummaryList"][0]["Visibility"], "Limited");
}

#[test]
fn what_is_wrong_with_a_version_is_told_when_it_was_looked_at() {
    let (bench, time) = Bench::timed();
    let product = product(&bench, &time);
    let source = bench.image_id();
    let copy = format!("CopyImage&Name=web-2&SourceImageId={source}&SourceRegion=us-east-1");
    let image = bench.did(&copy).one("imageId");
    let there = bench.send("POST", "/", "eu-west-1/ec2", &format!("Action={copy}")).one("imageId");
    time.pass(60);
    let no_role = "INVALID_ACCESS_ROLE_ARN";
    assert_eq!(codes(&bench, &time, &product, &version(&image, "1.0")), [no_role]);
    role(&bench);
    let of = |edit: &dyn Fn(&mut Value)| {
        let mut details = version(&image, "1.0");
        edit(&mut details);
        codes(&bench, &time, &product, &details)
    };
    let option = "/DeliveryOptions/0/Details/AmiDeliveryOptionDetails";
    let set = |details: &mut Value, name: &str, value: &str| {
        *details.pointer_mut(&format!("{option}{name}")).unwrap() = value.into();
    };
    for (name, value, code) in [
        ("/AmiSource/AmiId", "ami-00000000", "INVALID_AMI"),
        ("/AmiSource/AmiId", &there, "INVALID_AMI"),
        ("/RecommendedInstanceType", "t3.nano", "RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE"),
    ] {
        assert_eq!(of(&|details| set(details, name, value)), [code], "{name} {value}");
    }
    for title in [" 1", "Web ™", "x/ä", &"x".repeat(65)] {
        assert_eq!(
            of(&|details| details["Version"]["VersionTitle"] = title.into()),
            ["INVALID_VERSION_TITLE"]
        );
    }
    assert_eq!(of(&|details| details["Version"]["ReleaseNotes"] = " new".into()), ["INVALID_RELEASE_NOTES"]);
    let usage = of(&|details| set(details, "/UsageInstructions", "Acme ® listens."));
    assert_eq!(usage, ["INVALID_USAGE_INSTRUCTIONS"]);
    assert_eq!(entity(&bench, &product)["DetailsDocument"]["Versions"], json!([]), "nothing was added");
    let reached = json!({ "Port": 443, "Protocol": "https", "RelativePath": "login" });
    let details = |details: &mut Value| {
        details.pointer_mut(option).unwrap()["AccessEndpointUrl"] = reached.clone();
    };
    assert_eq!(of(&details), Vec::<String>::new());
    let told = entity(&bench, &product);
    let instructions = &told["DetailsDocument"]["Versions"][0]["DeliveryOptions"][0]["Instructions"];
    assert_eq!(instructions["Access"], reached);
}

#[test]
fn a_validation_changes_nothing_and_a_set_can_be_cancelled() {
    let (bench, time) = Bench::timed();
    let product = product(&bench, &time);
    role(&bench);
    let copy = format!("CopyImage&Name=web-2&SourceImageId={}&SourceRegion=us-east-1", bench.image_id());
    let image = bench.did(&copy).one("imageId");
    time.pass(60);
    let changes = json!([change("AddDeliveryOptions", &product, &version(&image, "1.0"))]);
    let mut body = json!({ "Catalog": "AWSMarketplace", "ChangeSet": changes, "Intent": "VALIDATE" });
    let id = send(&bench, "POST", "/StartChangeSet", &body).json()["ChangeSetId"].clone();
    time.pass(2 * HOUR);
    let set = shown(&bench, id.as_str().unwrap());
    assert_eq!((&set["Status"], &set["Intent"]), (&json!("SUCCEEDED"), &json!("VALIDATE")));
    assert_eq!(entity(&bench, &product)["DetailsDocument"]["Versions"], json!([]));
    body["Intent"] = "APPLY".into();
    body["ClientRequestToken"] = "once".into();
    let id = send(&bench, "POST", "/StartChangeSet", &body).json()["ChangeSetId"].clone();
    assert_eq!(send(&bench, "POST", "/StartChangeSet", &body).json()["ChangeSetId"], id);
    let target = format!("/CancelChangeSet?catalog=AWSMarketplace&changeSetId={}", id.as_str().unwrap());
    assert_eq!(send(&bench, "PATCH", &target, &Value::Null).status, 200);
    time.pass(2 * HOUR);
    assert_eq!(shown(&bench, id.as_str().unwrap())["Status"], "CANCELLED");
    let filter = json!({
        "Catalog": "AWSMarketplace", "FilterList": [{ "Name": "Status", "ValueList": ["CANCELLED"] }],
    });
    let listed = send(&bench, "POST", "/ListChangeSets", &filter).json();
    assert_eq!(listed["ChangeSetSummaryList"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_not_of_the_form_is_refused_at_once() {
    let (bench, time) = Bench::timed();
    let product = product(&bench, &time);
    let mut wide = version("ami-00000000", "1");
    wide["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"]["SecurityGroups"][0]["IpRanges"] =
        json!(["::/0"]);
    let reached = |endpoint: &Value| {
        let mut details = version("ami-00000000", "1");
        details["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"]["AccessEndpointUrl"] =
            endpoint.clone();
        change("AddDeliveryOptions", &product, &details)
    };
    for (changes, status) in [
        (json!([]), 422),
        (json!([change("AddDeliveryOptions", &product, &json!({}))]), 422),
        (json!([change("AddDeliveryOptions", &product, &wide)]), 422),
        (json!([reached(&json!({ "Port": 443, "Protocol": "https", "RelativePath": "/login" }))]), 422),
        (json!([reached(&json!({ "Port": 443, "Protocol": "ftp" }))]), 422),
        (json!([reached(&json!({ "Port": 0, "Protocol": "http" }))]), 422),
        (json!([change("AddDimensions", &product, &json!({}))]), 422),
        (json!([change("UpdateInformation", &product, &json!({ "ProductTitle": "x".repeat(73) }))]), 422),
        (json!([change("ReleaseProduct", "$Other.Entity.Identifier", &json!({}))]), 422),
        (json!([change("ReleaseProduct", "prod-none", &json!({}))]), 404),
    ] {
        assert_eq!(start(&bench, &changes).status, status, "{changes}");
    }
    let other = send(&bench, "POST", "/StartChangeSet", &json!({ "Catalog": "Other", "ChangeSet": [] }));
    assert_eq!((other.status, other.header("x-amzn-errortype")), (404, "ResourceNotFoundException"));
    assert_eq!(send(&bench, "GET", "/Nothing", &Value::Null).status, 404);
}

#[test]
fn each_version_that_was_looked_at_has_an_assessment() {
    let (bench, time) = Bench::timed();
    let product = product(&bench, &time);
    role(&bench);
    let copy = format!("CopyImage&Name=web-2&SourceImageId={}&SourceRegion=us-east-1", bench.image_id());
    let image = bench.did(&copy).one("imageId");
    let elsewhere = bench.send("POST", "/", "eu-west-1/ec2", &format!("Action={copy}")).one("imageId");
    time.pass(60);
    let list = |target: &Value| {
        let body = json!({ "Catalog": "AWSMarketplace", "AssessmentTargetFilter": target });
        let answer = send(&bench, "POST", "/ListAssessments", &body).json();
        answer["AssessmentSummaryList"].as_array().unwrap().clone()
    };
    let refused =
        started(&bench, &json!([change("AddDeliveryOptions", &product, &version(&elsewhere, "1.0"))]));
    assert_eq!(list(&json!({ "EntityId": product })), Vec::<Value>::new(), "nobody has looked yet");
    time.pass(2 * HOUR);
    let taken = started(&bench, &json!([change("AddDeliveryOptions", &product, &version(&image, "1.0"))]));
    time.pass(2 * HOUR);
    assert_eq!(list(&json!({ "EntityId": product })).len(), 2);
    assert_eq!(list(&json!({ "EntityId": "prod-other" })).len(), 0);
    let of = |set: &str| list(&json!({ "ChangeSetId": set }))[0].clone();
    assert_eq!(of(&taken)["AssessmentResult"], "PASS");
    let summary = of(&refused);
    assert_eq!(summary["AssessmentResult"], "FAIL");

    let mut body = json!({ "Catalog": "AWSMarketplace", "AssessmentIdentifier": summary["AssessmentArn"], "MaxResults": 4 });
    let mut controls = Vec::new();
    loop {
        let page = send(&bench, "POST", "/DescribeAssessment", &body).json();
        assert_eq!(page["AssessmentId"], summary["AssessmentId"]);
        controls.extend(page["ControlAssessments"].as_array().unwrap().clone());
        let Some(next) = page["NextToken"].as_str() else { break };
        body["NextToken"] = next.into();
    }
    let results: Vec<(&str, &str)> = controls
        .iter()
        .map(|one| (one["ControlId"].as_str().unwrap(), one["ControlAssessmentResult"].as_str().unwrap()))
        .collect();
    let expected = [("MP-A1", "FAIL"), ("MP-A5", "PASS"), ("MP-A8", "PASS"), ("MP-G1", "NOT_EXECUTED")];
    assert_eq!(results[..4], expected);
    let error = &controls[0]["Errors"][0];
    assert_eq!((&error["Code"], &error["Scope"][0]["Value"]), (&json!("INVALID_AMI"), &json!(elsewhere)));
    body["AssessmentIdentifier"] = "assessment-none".into();
    body.as_object_mut().unwrap().remove("NextToken");
    assert_eq!(send(&bench, "POST", "/DescribeAssessment", &body).status, 404);
}
