//! Parameters of Systems Manager that name images.

use amint_publish::calls;
use amint_publish::{
    CloudError, CloudErrorClass, CloudImage, Parameter, ParameterVersion, Parameters, PutParameter, Tags,
};
use aws_sdk_ssm::types::{ParameterType, ResourceTypeForTagging, Tag};

use crate::error::odd_answer;
use crate::region::AwsRegion;

/// The data type that lets the service look whether there is such an image.
const IMAGE: &str = "aws:ec2:image";
/// The most values of a page, and how many pages are read at most: the service keeps 100 values of a parameter.
const PAGE: i32 = 50;
const PAGES_MAX: u32 = 20;

impl Parameters for AwsRegion {
    async fn images_tagged(&self, key: &str, value: &str) -> Result<Vec<CloudImage>, CloudError> {
        self.ec2_images(&format!("tag:{key}"), vec![value.to_owned()]).await
    }

    async fn parameter(&self, name: &str) -> Result<Option<Parameter>, CloudError> {
        let call = calls::GET_PARAMETER;
        let answer = match self.ssm.get_parameter().name(name).send().await.map_err(self.failed(call)) {
            Ok(answer) => answer,
            Err(error) if error.class == CloudErrorClass::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = self.needed(call, "parameter", answer.parameter)?;
        let value = self.needed(call, "value", found.value)?;
        Ok(Some(Parameter { value, version: u64::try_from(found.version).unwrap_or(0) }))
    }

    async fn parameter_history(&self, name: &str) -> Result<Vec<ParameterVersion>, CloudError> {
        let call = calls::GET_PARAMETER_HISTORY;
        let (mut found, mut page) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let request = self.ssm.get_parameter_history().name(name).max_results(PAGE);
            let answer = request.set_next_token(page.take()).send().await.map_err(self.failed(call))?;
            found.extend(answer.parameters().iter().map(|one| ParameterVersion {
                version: u64::try_from(one.version()).unwrap_or(0),
                value: one.value().unwrap_or_default().to_owned(),
                description: one.description().unwrap_or_default().to_owned(),
            }));
            page = answer.next_token.filter(|token| !token.is_empty());
            if page.is_none() {
                found.sort_by_key(|one| one.version);
                return Ok(found);
            }
        }
        Err(odd_answer(call, &self.name, "the list of values does not end"))
    }

    async fn parameter_tags(&self, name: &str) -> Result<Tags, CloudError> {
        let request = self.ssm.list_tags_for_resource().resource_type(ResourceTypeForTagging::Parameter);
        let answer = request.resource_id(name).send().await;
        let answer = answer.map_err(self.failed(calls::LIST_TAGS_FOR_RESOURCE))?;
        let pairs = answer.tag_list().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
        Ok(pairs.collect())
    }

    async fn put_parameter(&self, request: &PutParameter) -> Result<u64, CloudError> {
        let call = calls::PUT_PARAMETER;
        let mut put = self
            .ssm
            .put_parameter()
            .name(&request.name)
            .value(&request.value)
            .r#type(ParameterType::String)
            .data_type(IMAGE)
            .description(&request.description)
            .overwrite(request.tags.is_none());
        for (key, value) in request.tags.iter().flatten() {
            let tag = Tag::builder().key(key).value(value).build();
            put = put.tags(tag.map_err(|error| odd_answer(call, &self.name, error.to_string()))?);
        }
        let answer = put.send().await.map_err(self.failed(call))?;
        Ok(u64::try_from(answer.version).unwrap_or(0))
    }

    async fn delete_parameter(&self, name: &str) -> Result<(), CloudError> {
        let answer = self.ssm.delete_parameter().name(name).send().await;
        answer.map(drop).map_err(self.failed(calls::DELETE_PARAMETER))
    }
}
