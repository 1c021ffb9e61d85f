use jiff::SignedDuration;

use super::sessions::Fresh;
use crate::access::is_account;
use crate::operations::iam::{find_role, trust};
use crate::operations::{Call, CallerKind};
use crate::protocol::{Element, Fault, Params};

/// How long a session lasts, in seconds.
const SECONDS: std::ops::RangeInclusive<u64> = 900..=43_200;
const SECONDS_USUAL: u64 = 3600;
/// The longest session of a session.
const CHAINED_SECONDS_MAX: u64 = 3600;
/// Gives the credentials of a role to somebody whom its trust policy names.
pub(crate) fn assume_role(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (arn, name) = (params.required("RoleArn")?, params.required("RoleSessionName")?);
    let external_id = params.get("ExternalId");
    let seconds = params.number("DurationSeconds")?.unwrap_or(SECONDS_USUAL);
    check_name(name)?;
    if !SECONDS.contains(&seconds) {
        return Err(invalid("DurationSeconds has to be between 900 and 43200"));
    }
    let (account, role_name) = parse(arn).ok_or_else(|| invalid(format!("{arn} is invalid")))?;
    let is_chained = matches!(call.caller.kind, CallerKind::Session(_));
    if is_chained && seconds > CHAINED_SECONDS_MAX {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(invalid(message));
    }
    let fresh = Fresh::new(account)?;
    let session = call.change(params, |change| {
        let role = find_role(change.tables(), account, role_name).filter(|role| role.arn() == arn);
        let role = role.filter(|role| trust::is_trusted(&role.trust, call.caller, external_id));
        let role = role.ok_or_else(|| {
            let message = format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                call.caller.arn
            );
            Fault::client("AccessDenied", message).with_status(403)
        })?;
        if i64::try_from(seconds).is_ok_and(|seconds| seconds > role.session_seconds_max) {
            return Err(invalid(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        let lasting = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
        Ok(fresh.open(call.world, change, &role, name, (call.now, lasting)))
    })?;
    let credentials = Element::new("Credentials")
        .text("AccessKeyId", &session.id)
        .text("SecretAccessKey", &session.secret.0)
        .text("SessionToken", &session.token.0)
        .text("Expiration", session.expires.strftime("%Y-%m-%dT%H:%M:%SZ"));
    let user = Element::new("AssumedRoleUser")
        .text("AssumedRoleId", format!("{}:{name}", session.role_id))
        .text("Arn", session.arn());
    Ok(Element::default().with(user).with(credentials))
}

/// Takes account and name out of the ARN of a role.
fn parse(arn: &str) -> Option<(&str, &str)> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    is_account(account).then_some((account, name))
}

fn check_name(name: &str) -> Result<(), Fault> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if (2..=64).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(invalid(format!("The value '{name}' at 'roleSessionName' is no name of 2 to 64 characters")))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationError", message)
}
