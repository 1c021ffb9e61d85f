//! Parameters of Systems Manager.

use serde_json::{Value, json};

use crate::support::{Answer, Bench};

fn ssm(bench: &Bench, operation: &str, body: &Value) -> Answer {
    bench.target("us-east-1/ssm", &format!("AmazonSSM.{operation}"), body)
}

fn did(bench: &Bench, operation: &str, body: &Value) -> Value {
    let answer = ssm(bench, operation, body);
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    answer.json()
}

fn refused(bench: &Bench, operation: &str, body: &Value) -> String {
    let answer = ssm(bench, operation, body);
    assert_eq!(answer.status, 400, "{operation} {body}: {}", answer.text());
    assert_eq!(answer.header("x-amzn-errortype"), answer.json()["__type"]);
    answer.header("x-amzn-errortype").to_owned()
}

fn put(bench: &Bench, name: &str, value: &str) -> Value {
    let body = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
    did(bench, "PutParameter", &body)["Version"].clone()
}

#[test]
fn versions_and_labels_select_values() {
    let bench = Bench::new(true);
    assert_eq!((put(&bench, "/web/ami", "a"), put(&bench, "/web/ami", "b")), (json!(1), json!(2)));
    did(
        &bench,
        "LabelParameterVersion",
        &json!({ "Name": "/web/ami", "ParameterVersion": 1, "Labels": ["stable"] }),
    );
    for (name, value) in [
        ("/web/ami", "b"),
        ("/web/ami:1", "a"),
        ("/web/ami:stable", "a"),
        ("arn:aws:ssm:us-east-1:123456789012:parameter/web/ami:2", "b"),
    ] {
        let found = did(&bench, "GetParameter", &json!({ "Name": name, "WithDecryption": true }));
        assert_eq!(found["Parameter"]["Value"], value, "{name}");
    }
    let moved = json!({ "Name": "/web/ami", "Labels": ["stable", "1st"] });
    assert_eq!(
        did(&bench, "LabelParameterVersion", &moved),
        json!({ "InvalidLabels": ["1st"], "ParameterVersion": 2 })
    );
    let history = did(&bench, "GetParameterHistory", &json!({ "Name": "/web/ami" }));
    let labels: Vec<&Value> =
        history["Parameters"].as_array().unwrap().iter().map(|one| &one["Labels"]).collect();
    assert_eq!(labels, [&json!([]), &json!(["stable"])]);
    for (name, code) in [("/web/ami:3", "ParameterVersionNotFound"), ("/web/none", "ParameterNotFound")] {
        assert_eq!(refused(&bench, "GetParameter", &json!({ "Name": name })), code, "{name}");
    }
    let some = did(&bench, "GetParameters", &json!({ "Names": ["/web/ami", "/none"] }));
    assert_eq!(
        (some["Parameters"].as_array().unwrap().len(), &some["InvalidParameters"]),
        (1, &json!(["/none"]))
    );
    did(&bench, "DeleteParameter", &json!({ "Name": "/web/ami" }));
    assert_eq!(refused(&bench, "DeleteParameter", &json!({ "Name": "/web/ami" })), "ParameterNotFound");
}

#[test]
fn paths_are_told_level_by_level_and_in_pages() {
    let bench = Bench::new(true);
    for name in ["/a/1", "/a/2", "/a/b/3", "/ab/4", "flat"] {
        put(&bench, name, "x");
    }
    let names = |body: &Value| -> Vec<String> {
        let found = did(&bench, "GetParametersByPath", body);
        found["Parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["Name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&json!({ "Path": "/a" })), ["/a/1", "/a/2"]);
    assert_eq!(names(&json!({ "Path": "/a", "Recursive": true })), ["/a/1", "/a/2", "/a/b/3"]);
    let first =
        did(&bench, "GetParametersByPath", &json!({ "Path": "/a", "Recursive": true, "MaxResults": 2 }));
    let rest = json!({ "Path": "/a", "Recursive": true, "MaxResults": 2, "NextToken": first["NextToken"] });
    assert_eq!(names(&rest), ["/a/b/3"]);
    let filter = json!({ "ParameterFilters": [{ "Key": "Name", "Option": "Contains", "Values": ["b"] }] });
    let found = did(&bench, "DescribeParameters", &filter);
    assert_eq!(found["Parameters"].as_array().unwrap().len(), 2);
    assert!(!found.to_string().contains("Value"), "values are not listed");
    did(
        &bench,
        "AddTagsToResource",
        &json!({ "ResourceType": "Parameter", "ResourceId": "flat", "Tags": [{"Key": "k", "Value": "v"}] }),
    );
    let tags =
        did(&bench, "ListTagsForResource", &json!({ "ResourceType": "Parameter", "ResourceId": "flat" }));
    assert_eq!(tags["TagList"], json!([{ "Key": "k", "Value": "v" }]));
}

#[test]
fn parameters_of_images_name_images_that_are_there_and_instances_find_them() {
    let bench = Bench::new(true);
    let id = bench.image_id();
    let body = |value: &str| json!({ "Name": "/ami", "Value": value, "Type": "String", "DataType": "aws:ec2:image" });
    assert_eq!(refused(&bench, "PutParameter", &body("ami-00000000")), "ValidationException");
    did(&bench, "PutParameter", &body(&id));
    let asked = format!("DescribeImageReferences&ImageId.1={id}&IncludeAllResourceTypes=true");
    assert_eq!(bench.did(&asked).one("arn"), "arn:aws:ssm:us-east-1:123456789012:parameter/ami");
    let public = did(&bench, "GetParameter", &json!({ "Name": "/aws/service/amint/web/x86_64/latest" }));
    assert_eq!(public["Parameter"]["Value"], id.as_str());
    assert_eq!(
        public["Parameter"]["ARN"],
        "arn:aws:ssm:us-east-1::parameter/aws/service/amint/web/x86_64/latest"
    );
    let listed =
        did(&bench, "GetParametersByPath", &json!({ "Path": "/aws/service/amint", "Recursive": true }));
    assert_eq!(listed["Parameters"].as_array().unwrap().len(), 1);
}

#[test]
fn instances_are_of_the_image_that_a_parameter_names() {
    let Some((bench, _folder)) = Bench::with_machines(1) else { return };
    let id = bench.image_id();
    put(&bench, "/web/ami", &id);
    let run = |image: &str| {
        bench.ec2(&format!("Action=RunInstances&ImageId={image}&MinCount=1&MaxCount=1&InstanceType=t3.nano"))
    };
    assert_eq!(run("resolve:ssm:/web/none").code(), (400, "InvalidParameterValue".to_owned()));
    let launched = run("resolve:ssm:/web/ami:1");
    assert_eq!(launched.one("imageId"), id, "{}", launched.text());
}

#[test]
fn what_cannot_be_is_refused_in_the_services_own_words() {
    let bench = Bench::new(true);
    put(&bench, "known", "x");
    let new = |more: Value| {
        let mut body = json!({ "Name": "p", "Value": "x", "Type": "String" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, code) in [
        (new(json!({ "Name": "known" })), "ParameterAlreadyExists"),
        (new(json!({ "Type": "SecureString" })), "UnsupportedParameterType"),
        (new(json!({ "Name": "aws-x" })), "ValidationException"),
        (new(json!({ "Name": "a/b" })), "ValidationException"),
        (new(json!({ "Name": format!("/{}", ["a"; 16].join("/")) })), "HierarchyLevelLimitExceededException"),
        (new(json!({ "Value": "x".repeat(4097) })), "ValidationException"),
        (new(json!({ "AllowedPattern": "x" })), "ValidationException"),
        (json!({ "Name": "p" }), "ValidationException"),
        (json!([]), "ValidationException"),
    ] {
        assert_eq!(refused(&bench, "PutParameter", &body), code, "{body}");
    }
    let unknown = ssm(&bench, "SendCommand", &json!({}));
    assert_eq!((unknown.status, unknown.header("x-amzn-errortype")), (400, "UnknownOperationException"));
    let wrong =
        bench.send_with("POST", "/", "us-east-1/ssm", "X-Amz-Target: AmazonSSM.GetParameter\r\n", b"{");
    assert_eq!(wrong.header("x-amzn-errortype"), "SerializationException");
}
