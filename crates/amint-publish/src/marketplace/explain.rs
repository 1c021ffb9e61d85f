//! What to do about the errors of change sets.

/// Returns what helps against an error of a change set ("Errors in the AMI products API").
pub fn explain(code: &str) -> &'static str {
    match code {
        "DUPLICATE_VERSION_TITLE" => {
            "give the image another version, or `title` in `[marketplace]` a `{version}`: each title exists once in a product"
        }
        "INVALID_VERSION_TITLE" => {
            "see `title` in `[marketplace]`: 1 to 64 characters; without it the version of the image is the title"
        }
        "INVALID_RELEASE_NOTES" => "shorten `release_notes`, or leave out characters that AWS does not take",
        "INVALID_USAGE_INSTRUCTIONS" => {
            "shorten `usage_instructions`, or leave out characters that AWS does not take"
        }
        "RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE" => "choose one of the product's types of instances",
        "INVALID_AMI_ARCHITECTURE" => "each architecture needs a product of its own",
        "INVALID_ACCESS_ROLE_ARN" => {
            "`amint marketplace submit --create-role` makes the role as AWS wants it"
        }
        "SCAN_ERROR" | "SCAN_FAILED" | "INCOMPATIBLE_AMI" => {
            "`amint marketplace check` finds most of it here; mend the image, build and publish it, and submit the new version"
        }
        "INVALID_AMI" => "`amint marketplace check` tells which property of the AMI is meant",
        "INVALID_PRODUCT" => "see `product` in the recipe's `[marketplace]`, and whether the account owns it",
        _ => {
            "AWS's seller guide, \"Errors in the AMI products API\", and AWS Marketplace's seller support know more"
        }
    }
}
