use jiff::{SignedDuration, Timestamp};

use crate::access::Session;
use crate::operations::call::role_id;
use crate::operations::{Call, Caller};
use crate::protocol::{Element, Fault, Params};

/// How long a session lasts when nobody says so, and within which bounds it may (API reference, `AssumeRole`).
const SECONDS_DEFAULT: u64 = 3600;
const SECONDS: std::ops::RangeInclusive<u64> = 900..=43_200;

/// Lets somebody act in a role. Roles are not kept here: each that is named is there, and lets everybody in.
pub(crate) fn assume_role(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let arn = params.required("RoleArn")?;
    let name = params.required("RoleSessionName")?;
    let seconds = params.number("DurationSeconds")?.unwrap_or(SECONDS_DEFAULT);
    // Whom a role trusts is not asked, and so neither is what it wants to hear.
    params.get("ExternalId");
    if !SECONDS.contains(&seconds) {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Fault::client("ValidationError", message));
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if !(2..=64).contains(&name.len()) || !name.chars().all(is_name) {
        return Err(Fault::client("ValidationError", format!("Invalid roleSessionName: {name}")));
    }
    let (account, role) =
        role(arn).ok_or_else(|| Fault::client("ValidationError", format!("{arn} is invalid")))?;
    let lasting = i64::try_from(seconds).map_or(SignedDuration::ZERO, SignedDuration::from_secs);
    // Seconds are all that a token keeps.
    let expiry = call.now.saturating_add(lasting).map_or(i64::MAX, Timestamp::as_second);
    let expiry = Timestamp::from_second(expiry).unwrap_or(Timestamp::MAX);
    let session = Session { account, role: role.to_owned(), name: name.to_owned(), expiry };
    let (key, token) = call.key.of_session(&session).map_err(|_| Fault::internal())?;
    let caller = Caller::of_session(&session);
    let user = Element::new("AssumedRoleUser")
        .text("AssumedRoleId", format!("{}:{name}", role_id(account, role)))
        .text("Arn", caller.arn);
    let credentials = Element::new("Credentials")
        .text("AccessKeyId", key.id())
        .text("SecretAccessKey", key.secret())
        .text("SessionToken", token)
        .text("Expiration", expiry.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    Ok(Element::default().with(user).with(credentials).text("PackedPolicySize", 0))
}

/// Reads the account and the name of a role: `arn:aws:iam::111122223333:role/path/name`.
fn role(arn: &str) -> Option<(u64, &str)> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let is_account = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    let name = path.rsplit('/').next()?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    let is_role = is_account && (1..=64).contains(&name.len()) && name.chars().all(is_name);
    is_role.then(|| account.parse().ok().map(|account| (account, name)))?
}
