//! Where an image comes from, and the marks that go along.

use crate::support::Bench;

#[test]
fn the_line_of_an_image_goes_on_through_images_that_are_gone() {
    let (bench, time) = Bench::timed();
    let first = bench.image_id();
    let second =
        bench.did(&format!("CopyImage&Name=two&SourceImageId={first}&SourceRegion=us-east-1")).one("imageId");
    time.pass(60);
    let there =
        |body: &str| bench.send("POST", "/", "eu-west-1/ec2", &format!("Version=2016-11-15&Action={body}"));
    let third =
        there(&format!("CopyImage&Name=three&SourceImageId={second}&SourceRegion=us-east-1")).one("imageId");
    bench.did(&format!("DeregisterImage&ImageId={second}"));
    let line = there(&format!("GetImageAncestry&ImageId={third}"));
    assert_eq!(line.all("imageId"), [third.as_str(), &second, &first]);
    assert_eq!(line.all("sourceImageId"), [second.as_str(), &first]);
    assert_eq!(line.all("sourceImageRegion"), ["us-east-1", "us-east-1"]);
    assert_eq!(
        bench.refused(&format!("GetImageAncestry&ImageId={third}")),
        "InvalidAMIID.NotFound",
        "it is elsewhere"
    );
}

#[test]
fn watermarks_go_along_with_copies_and_not_on_public_images() {
    let (bench, time) = Bench::timed();
    let id = bench.image_id();
    let attach = |name: &str| format!("AttachImageWatermark&ImageId={id}&WatermarkName={name}");
    let detach = format!("DetachImageWatermark&ImageId={id}&WatermarkKey=123456789012:approved");
    let key = "123456789012:approved";
    assert_eq!(bench.did(&attach("approved")).one("watermarkKey"), key);
    bench.did(&attach("approved"));
    let copy =
        bench.did(&format!("CopyImage&Name=two&SourceImageId={id}&SourceRegion=us-east-1")).one("imageId");
    time.pass(60);
    let marked = "DescribeImages&Filter.1.Name=image-watermark.watermark-key&Filter.1.Value.1=*:approved";
    assert_eq!(bench.did(marked).all("watermarkKey"), [key, key]);
    assert_eq!(bench.refused(&attach("no")), "InvalidParameterValue");
    let publish = format!("ModifyImageAttribute&ImageId={id}&LaunchPermission.Add.1.Group=all");
    assert_eq!(bench.refused(&publish), "OperationNotPermitted");
    bench.did(&detach);
    bench.did(&detach);
    let left = bench.did(marked);
    assert_eq!((left.one("imageId"), left.one("watermarkKey")), (copy, key.to_owned()));
    assert!(left.text().contains(&format!("<sourceImageId>{id}</sourceImageId>")));
    bench.did(&publish);
    assert_eq!(bench.refused(&attach("approved")), "OperationNotPermitted");
}
