//! A catalog in memory, with faults.

use std::collections::BTreeMap;
use std::sync::Mutex;

use amint_types::assessment::AssessmentReport;

use super::catalog::{
    AccessRole, Catalog, CatalogProduct, ChangeError, ChangeSetState, ChangeSetStatus, StartChangeSet,
};
use super::check::{POLICY, SERVICE};
use crate::cloud::{CloudError, CloudErrorClass};

/// A catalog in memory: each change set ends at the third look.
#[derive(Default)]
pub(crate) struct FakeCatalog {
    pub(crate) sets: Mutex<Vec<(StartChangeSet, u32)>>,
    /// How often answers of changes are lost from now on.
    pub(crate) losses: Mutex<u32>,
    /// Whether every change set fails.
    pub(crate) is_refusing: bool,
    /// Whether products may not be seen.
    pub(crate) is_closed: bool,
    pub(crate) products: BTreeMap<String, CatalogProduct>,
    pub(crate) roles: Mutex<BTreeMap<String, AccessRole>>,
    /// How often a role that is there is not seen.
    pub(crate) blindness: Mutex<u32>,
    /// Which assessments there are, oldest first, and of which change sets.
    pub(crate) assessments: Vec<AssessmentReport>,
}

fn error(class: CloudErrorClass, code: &str) -> CloudError {
    CloudError {
        operation: "aws-marketplace:StartChangeSet",
        region: "us-east-1".to_owned(),
        class,
        code: Some(code.to_owned()),
        message: "a fault".to_owned(),
        request_id: None,
    }
}

impl FakeCatalog {
    fn state(&self, index: usize, set: &StartChangeSet, looks: u32) -> ChangeSetState {
        let status = match looks {
            0 => ChangeSetStatus::Preparing,
            1 => ChangeSetStatus::Applying,
            _ if self.is_refusing => ChangeSetStatus::Failed,
            _ => ChangeSetStatus::Succeeded,
        };
        let error = ChangeError { code: "SCAN_ERROR".to_owned(), message: "a secret".to_owned() };
        let errors = if status == ChangeSetStatus::Failed { vec![error] } else { Vec::new() };
        let (id, name) = (format!("set-{index}"), set.name.clone());
        ChangeSetState { id, name, status, started: None, ended: None, errors, is_fault_of_service: false }
    }

    /// Loses the answer of what was done, while there are answers to lose.
    fn lose<T>(&self, answer: T) -> Result<T, CloudError> {
        let mut losses = self.losses.lock().unwrap();
        if *losses > 0 {
            *losses -= 1;
            return Err(error(CloudErrorClass::Transient, "InternalFailure"));
        }
        Ok(answer)
    }
}

impl Catalog for FakeCatalog {
    async fn product(&self, id: &str) -> Result<Option<CatalogProduct>, CloudError> {
        if self.is_closed {
            return Err(error(CloudErrorClass::Denied, "AccessDeniedException"));
        }
        Ok(self.products.get(id).cloned())
    }

    async fn start(&self, request: &StartChangeSet) -> Result<String, CloudError> {
        let index = {
            let mut sets = self.sets.lock().unwrap();
            let known = sets.iter().position(|(set, _)| set.client_token == request.client_token);
            known.unwrap_or_else(|| {
                sets.push((request.clone(), 0));
                sets.len() - 1
            })
        };
        self.lose(format!("set-{index}"))
    }

    async fn change_set(&self, id: &str) -> Result<Option<ChangeSetState>, CloudError> {
        let mut sets = self.sets.lock().unwrap();
        let index: usize = id[4..].parse().unwrap();
        let Some((set, looks)) = sets.get_mut(index) else { return Ok(None) };
        let state = self.state(index, set, *looks);
        *looks += 1;
        Ok(Some(state))
    }

    async fn change_sets(&self, _: &str) -> Result<Vec<ChangeSetState>, CloudError> {
        let sets = self.sets.lock().unwrap();
        let states = sets.iter().enumerate().map(|(index, (set, looks))| self.state(index, set, *looks));
        Ok(states.rev().collect())
    }

    async fn assessments(
        &self,
        _: &str,
        change_set_id: Option<&str>,
    ) -> Result<Vec<AssessmentReport>, CloudError> {
        let is_asked = |report: &&AssessmentReport| {
            let of = report.assessment_target_summary.as_ref().and_then(|one| one.change_set_id.as_deref());
            change_set_id.is_none() || of == change_set_id
        };
        let asked = self.assessments.iter().filter(is_asked);
        Ok(asked.map(|one| AssessmentReport { control_assessments: Vec::new(), ..one.clone() }).collect())
    }

    async fn assessment(&self, id: &str) -> Result<Option<AssessmentReport>, CloudError> {
        Ok(self.assessments.iter().find(|report| report.assessment_id.as_deref() == Some(id)).cloned())
    }

    async fn access_role(&self, name: &str) -> Result<Option<AccessRole>, CloudError> {
        let mut blindness = self.blindness.lock().unwrap();
        if *blindness > 0 {
            *blindness -= 1;
            return Ok(None);
        }
        Ok(self.roles.lock().unwrap().get(name).cloned())
    }

    async fn create_access_role(&self, path: &str, name: &str) -> Result<String, CloudError> {
        let arn = format!("arn:aws:iam::123456789012:role{path}{name}");
        let trust =
            format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"Service":"{SERVICE}"}}}}]}}"#);
        let role = AccessRole { arn: arn.clone(), trust, ..AccessRole::default() };
        {
            let mut roles = self.roles.lock().unwrap();
            if roles.contains_key(name) {
                return Err(error(CloudErrorClass::Conflict, "EntityAlreadyExists"));
            }
            roles.insert(name.to_owned(), role);
        }
        self.lose(arn)
    }

    async fn attach_ingestion_policy(&self, name: &str) -> Result<(), CloudError> {
        match self.roles.lock().unwrap().get_mut(name) {
            Some(role) => drop(role.attached.insert(format!("arn:aws:iam::aws:policy/{POLICY}"))),
            None => return Err(error(CloudErrorClass::NotFound, "NoSuchEntity")),
        }
        self.lose(())
    }
}
