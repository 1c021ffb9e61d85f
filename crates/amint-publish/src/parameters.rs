//! What channels need of a region: parameters of Systems Manager that name images.

use std::future::Future;

use amint_types::Digest;

use crate::cloud::{CloudError, CloudImage, Region, Tags};
use crate::wanted::{DIGEST_TAG, is_managed};

/// The parameters of a region, besides its images.
///
/// As with [`Region`], each method is one request (or one list of pages), without retries.
pub trait Parameters: Region {
    /// Returns the account's own images that have a tag (`ec2:DescribeImages`).
    fn images_tagged(
        &self,
        key: &str,
        value: &str,
    ) -> impl Future<Output = Result<Vec<CloudImage>, CloudError>> + Send;

    /// Returns a parameter (`ssm:GetParameter`).
    fn parameter(&self, name: &str) -> impl Future<Output = Result<Option<Parameter>, CloudError>> + Send;

    /// Returns the values that a parameter had, oldest first (`ssm:GetParameterHistory`).
    fn parameter_history(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Vec<ParameterVersion>, CloudError>> + Send;

    /// Returns the tags of a parameter (`ssm:ListTagsForResource`).
    fn parameter_tags(&self, name: &str) -> impl Future<Output = Result<Tags, CloudError>> + Send;

    /// Gives a parameter a value (`ssm:PutParameter`), and returns its version.
    fn put_parameter(&self, request: &PutParameter) -> impl Future<Output = Result<u64, CloudError>> + Send;

    /// Removes a parameter with all its values (`ssm:DeleteParameter`).
    fn delete_parameter(&self, name: &str) -> impl Future<Output = Result<(), CloudError>> + Send;
}

/// Returns the images that were published of a digest.
///
/// Others may have the same bytes and tell so, and come and go as they like: the endpoint's images of the store do.
pub(crate) async fn published<R: Parameters>(
    region: &R,
    digest: Digest,
) -> Result<Vec<CloudImage>, CloudError> {
    let mut images = region.images_tagged(DIGEST_TAG, &digest.to_string()).await?;
    images.retain(|image| is_managed(&image.tags));
    Ok(images)
}

/// A parameter as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its value.
    pub value: String,
    /// How often it was given one.
    pub version: u64,
}

/// A value that a parameter has or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterVersion {
    /// Which one.
    pub version: u64,
    /// The value.
    pub value: String,
    /// What people read.
    pub description: String,
}

/// A value for a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutParameter {
    /// `/golden/web/stable`.
    pub name: String,
    /// `ami-…`: the service checks that there is such an image (data type `aws:ec2:image`).
    pub value: String,
    /// What people read.
    pub description: String,
    /// Tags of a new parameter; none for one that is there, of which the service takes no tags.
    pub tags: Option<Tags>,
}
