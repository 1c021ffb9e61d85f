//! What Systems Manager does, in memory.

use super::fake::{Fake, State, error};
use crate::cloud::{CloudError, CloudErrorClass, CloudImage, Tags};
use crate::parameters::{Parameter, ParameterVersion, Parameters, PutParameter};

impl Parameters for Fake {
    async fn images_tagged(&self, key: &str, value: &str) -> Result<Vec<CloudImage>, CloudError> {
        let has = |image: &&CloudImage| image.tags.get(key).is_some_and(|found| found == value);
        self.call("ec2:DescribeImages", |state| Ok(state.images.values().filter(has).cloned().collect()))
            .await
    }

    async fn parameter(&self, name: &str) -> Result<Option<Parameter>, CloudError> {
        let newest = |values: &Vec<ParameterVersion>| {
            values.last().map(|last| Parameter { value: last.value.clone(), version: last.version })
        };
        let find = |state: &mut State| Ok(state.parameters.get(name).and_then(|(values, _)| newest(values)));
        self.call("ssm:GetParameter", find).await
    }

    async fn parameter_history(&self, name: &str) -> Result<Vec<ParameterVersion>, CloudError> {
        let find =
            |state: &mut State| Ok(state.parameters.get(name).map(|one| one.0.clone()).unwrap_or_default());
        self.call("ssm:GetParameterHistory", find).await
    }

    async fn parameter_tags(&self, name: &str) -> Result<Tags, CloudError> {
        let find =
            |state: &mut State| Ok(state.parameters.get(name).map(|one| one.1.clone()).unwrap_or_default());
        self.call("ssm:ListTagsForResource", find).await
    }

    async fn put_parameter(&self, request: &PutParameter) -> Result<u64, CloudError> {
        let operation = "ssm:PutParameter";
        self.call(operation, |state| {
            if state.faults.is_put_denied {
                return Err(error(operation, CloudErrorClass::Denied, "no"));
            }
            let is_there = state.parameters.contains_key(&request.name);
            if request.tags.is_some() && is_there {
                return Err(error(operation, CloudErrorClass::Conflict, "the parameter is there"));
            }
            state.changes += 1;
            let (values, tags) = state.parameters.entry(request.name.clone()).or_default();
            tags.extend(request.tags.clone().unwrap_or_default());
            let version = values.last().map_or(1, |last| last.version + 1);
            let (value, description) = (request.value.clone(), request.description.clone());
            values.push(ParameterVersion { version, value, description });
            Ok(version)
        })
        .await
    }

    async fn delete_parameter(&self, name: &str) -> Result<(), CloudError> {
        let operation = "ssm:DeleteParameter";
        self.call(operation, |state| {
            let gone = state.parameters.remove(name).map(drop);
            state.changes += 1;
            gone.ok_or_else(|| error(operation, CloudErrorClass::NotFound, "no such parameter"))
        })
        .await
    }
}
