//! What the commands that publish, prove and clear away have in common, without any way to AWS.

use std::collections::BTreeSet;

use amint_recipe::Recipe;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Tells whether a text is the id of an AMI, and no name of the store.
pub(crate) fn is_ami(text: &str) -> bool {
    text.strip_prefix("ami-").is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Checks regions, and drops those that are named twice.
pub(crate) fn regions<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Failure> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        // Anything else would become part of a host's name.
        if !amint_recipe::is_region(name) {
            let message = format!("`{name}` is not a region");
            return Err(Failure::new(ExitCode::Usage, message).hint("write one such as `us-east-1`"));
        }
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

/// Returns the regions that are meant: those of the command line, else the recipe's, else the environment's.
#[cfg(feature = "aws")]
pub(crate) fn meant_regions(
    asked: &[String],
    recipe: Option<&Recipe>,
    environment: Option<String>,
) -> Result<Vec<String>, Failure> {
    let mut names = asked.to_vec();
    if names.is_empty() {
        let of_recipe = recipe.iter().flat_map(|recipe| &recipe.publish.regions);
        names = of_recipe.map(ToString::to_string).collect();
    }
    if names.is_empty() {
        names.extend(environment);
    }
    if names.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "no region is named")
            .hint("give `--region`, write `[publish] regions` into the recipe, or set AWS_REGION"));
    }
    regions(names.iter().map(String::as_str))
}

/// Returns the path of an image's channels where nobody names another.
pub(crate) fn default_parameter(name: &amint_types::ImageName) -> String {
    format!("/amint/{name}")
}

/// Puts the accounts, and then the organizations, of the recipe and of the command line together.
pub(crate) fn accounts(
    recipe: Option<&Recipe>,
    more: &[String],
) -> Result<(BTreeSet<String>, BTreeSet<String>), Failure> {
    let (mut found, mut organizations) = (BTreeSet::new(), BTreeSet::new());
    for account in
        recipe.map(|recipe| recipe.publish.share_with.as_slice()).unwrap_or_default().iter().chain(more)
    {
        if amint_recipe::is_organization(account) {
            organizations.insert(account.clone());
            continue;
        }
        if account.len() != 12 || !account.bytes().all(|letter| letter.is_ascii_digit()) {
            let message = format!("`{account}` is not an account");
            return Err(Failure::new(ExitCode::Usage, message)
                .hint("write its 12 digits, or the ARN of an organization or a unit"));
        }
        found.insert(account.clone());
    }
    Ok((found, organizations))
}

/// Returns the account of a role's ARN.
#[cfg(feature = "aws")]
pub(crate) fn account_of_role(arn: &str) -> Result<String, Failure> {
    let account =
        arn.strip_prefix("arn:aws").and_then(|rest| rest.split_once(":iam::")?.1.split_once(":role/"));
    match account {
        Some((account, name)) if account.len() == 12 && !name.is_empty() => Ok(account.to_owned()),
        _ => Err(Failure::new(ExitCode::Usage, format!("`{arn}` is not the ARN of a role"))
            .hint("write one such as `arn:aws:iam::111122223333:role/publisher`")),
    }
}

/// Reads `REGION=KEY`.
#[cfg(feature = "aws")]
pub(crate) fn key_of(pair: &str) -> Result<(String, String), Failure> {
    match pair.split_once('=') {
        Some((region, key)) if amint_recipe::is_region(region) && !key.is_empty() => {
            Ok((region.to_owned(), key.to_owned()))
        }
        _ => Err(Failure::new(ExitCode::Usage, format!("`{pair}` is not REGION=KEY"))
            .hint("write one such as `eu-west-1=alias/golden`")),
    }
}

/// Returns the folder for lists of blocks that were sent.
#[cfg(feature = "aws")]
pub(crate) fn publish_folder(context: &crate::context::Context) -> Result<std::path::PathBuf, Failure> {
    Ok(context.home()?.join("publish"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_no_names() {
        assert!(is_ami("ami-0123456789abcdef0") && is_ami("ami-01234567"));
        assert!(!is_ami("ami-tools") && !is_ami("ami-0123456") && !is_ami("web"));
    }

    #[test]
    fn a_region_becomes_part_of_a_host_name_only_if_it_is_one() {
        assert_eq!(regions(["us-east-1", "eu-west-1", "us-east-1"]).unwrap(), ["us-east-1", "eu-west-1"]);
        assert!(regions(["us-east-1.example.org"]).is_err());
    }
}
