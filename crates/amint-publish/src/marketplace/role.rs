//! The access role: by it AWS Marketplace takes images in.

use std::time::Duration;

use amint_store::{Outcome, Store};
use amint_types::Cancel;
use serde::Serialize;
use serde_json::json;

use super::catalog::{AccessRole, Catalog};
use super::check::has_policy;
use crate::apply::ApplyError;
use crate::cloud::CloudError;
use crate::retry::{Patience, Stopped, again, or_cancelled};

/// The role where none is named.
const NAME: &str = "amint-marketplace";
/// How often, and after how long each time, it is looked whether a new role can be seen: IAM's machines differ for a while.
const LOOKS_MAX: u32 = 30;
const LOOK: Duration = Duration::from_secs(2);

/// The ARN of a role: `arn:aws:iam::111122223333:role/path/name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleArn(String);

impl RoleArn {
    /// Takes the ARN that is named, or the account's own role.
    pub(crate) fn new(named: Option<&str>, account: &str) -> Self {
        Self(named.map_or_else(|| format!("arn:aws:iam::{account}:role/{NAME}"), str::to_owned))
    }

    /// Returns all of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the account of the role.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }

    /// Returns the name alone, by which IAM knows the role.
    pub fn name(&self) -> &str {
        self.0.rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// Returns the path: `/` where there is none.
    pub fn path(&self) -> &str {
        let resource = self.0.split_once(":role").map_or("/", |(_, rest)| rest);
        &resource[..resource.rfind('/').map_or(0, |at| at + 1)]
    }
}

/// What is missing of the access role, and can be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolePlan {
    /// The role.
    pub arn: RoleArn,
    /// Whether there is none yet.
    pub creates: bool,
    /// Whether it has no policy that lets AWS Marketplace work.
    pub attaches: bool,
}

impl RolePlan {
    /// Tells whether there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        !self.creates && !self.attaches
    }
}

/// Plans the access role. What somebody else wrote (its trust, policies of its own) stays as it is.
pub fn plan_role(arn: &RoleArn, account: &str, role: Option<&AccessRole>) -> RolePlan {
    let is_ours = arn.account() == account;
    let lacks = |role: &AccessRole| !has_policy(role) && !role.has_inline;
    RolePlan {
        arn: arn.clone(),
        creates: is_ours && role.is_none(),
        attaches: is_ours && role.is_none_or(lacks),
    }
}

/// Makes what is missing, and waits until it can be seen. Broken off, it goes on when it is asked again.
///
/// # Errors
/// Fails when IAM refuses or fails, or the store cannot log it.
pub async fn make_role<C: Catalog>(
    catalog: &C,
    plan: &RolePlan,
    subject: &str,
    store: &Store,
    cancel: &Cancel,
) -> Result<(), ApplyError> {
    if plan.is_nothing() {
        return Ok(());
    }
    let operation = store.begin("access-role", subject, &json!(plan))?;
    match try_make(catalog, plan, cancel).await {
        Ok(()) => {
            store.finish(operation, Outcome::Succeeded, &json!({ "arn": plan.arn }))?;
            Ok(())
        }
        Err(error) => {
            store.finish(operation, Outcome::Failed, &json!({ "error": error.to_string() }))?;
            Err(error)
        }
    }
}

async fn try_make<C: Catalog>(catalog: &C, plan: &RolePlan, cancel: &Cancel) -> Result<(), ApplyError> {
    let (path, name) = (plan.arn.path(), plan.arn.name());
    if plan.creates {
        let made = again(Patience::Settled, cancel, || catalog.create_access_role(path, name)).await;
        match made {
            Ok(_) => {}
            // The answer of an earlier try was lost.
            Err(Stopped::Cloud(error)) if is_there(&error) => {}
            Err(stopped) => return Err(stopped.into()),
        }
    }
    if plan.attaches {
        again(Patience::Young, cancel, || catalog.attach_ingestion_policy(name)).await?;
    }
    for _ in 0..LOOKS_MAX {
        let role = again(Patience::Settled, cancel, || catalog.access_role(name)).await?;
        if role.as_ref().is_some_and(has_policy) {
            return Ok(());
        }
        or_cancelled(cancel, tokio::time::sleep(LOOK)).await?;
    }
    Err(ApplyError::NotReady { what: format!("the role {}", plan.arn.as_str()) })
}

fn is_there(error: &CloudError) -> bool {
    error.code.as_deref() == Some("EntityAlreadyExists")
}

#[cfg(test)]
mod tests {
    use super::super::check::role_flaws;
    use super::super::testing::FakeCatalog;
    use super::*;
    use crate::testing::stored;

    const ACCOUNT: &str = "123456789012";

    #[test]
    fn an_arn_tells_account_path_and_name() {
        let deep = RoleArn::new(Some("arn:aws:iam::111122223333:role/in/take"), ACCOUNT);
        assert_eq!((deep.account(), deep.path(), deep.name()), ("111122223333", "/in/", "take"));
        let own = RoleArn::new(None, ACCOUNT);
        assert_eq!((own.account(), own.path(), own.name()), (ACCOUNT, "/", NAME));
        let odd = RoleArn::new(Some("take"), ACCOUNT);
        assert_eq!((odd.account(), odd.path(), odd.name()), ("", "/", "take"));
    }

    #[test]
    fn only_the_own_account_s_role_is_made_and_a_policy_of_its_own_is_left_alone() {
        let arn = RoleArn::new(None, ACCOUNT);
        let plan = |role: Option<&AccessRole>| plan_role(&arn, ACCOUNT, role);
        assert_eq!((plan(None).creates, plan(None).attaches), (true, true));
        let bare = plan(Some(&AccessRole::default()));
        assert_eq!((bare.creates, bare.attaches), (false, true));
        let own = AccessRole { has_inline: true, ..AccessRole::default() };
        assert!(plan(Some(&own)).is_nothing());
        assert!(plan_role(&arn, "111122223333", None).is_nothing(), "another account's");
    }

    #[tokio::test(start_paused = true)]
    async fn a_role_is_made_whatever_answers_are_lost_and_however_late_it_is_seen() {
        let (_folder, store, _) = stored(&[7]);
        let cancel = Cancel::new();
        for losses in 0..4 {
            let catalog = FakeCatalog::default();
            *catalog.losses.lock().unwrap() = losses;
            *catalog.blindness.lock().unwrap() = 5;
            let arn = RoleArn::new(Some("arn:aws:iam::123456789012:role/in/take"), ACCOUNT);
            let plan = plan_role(&arn, ACCOUNT, None);
            make_role(&catalog, &plan, "web:1", &store, &cancel).await.unwrap();
            let made = catalog.access_role("take").await.unwrap();
            assert_eq!(role_flaws(arn.as_str(), ACCOUNT, made.as_ref()), [], "{losses}");
            assert!(plan_role(&arn, ACCOUNT, made.as_ref()).is_nothing());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_made_without_its_policy_gets_it() {
        let (_folder, store, _) = stored(&[7]);
        let (catalog, cancel) = (FakeCatalog::default(), Cancel::new());
        let arn = RoleArn::new(None, ACCOUNT);
        catalog.create_access_role("/", NAME).await.unwrap();
        let role = catalog.access_role(NAME).await.unwrap();
        let plan = plan_role(&arn, ACCOUNT, role.as_ref());
        make_role(&catalog, &plan, "web:1", &store, &cancel).await.unwrap();
        assert!(has_policy(&catalog.access_role(NAME).await.unwrap().unwrap()));
    }
}
