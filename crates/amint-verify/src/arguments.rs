//! The command line: few arguments, read by hand to keep the program small.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use amint_identity::Form;

pub(crate) const HELP: &str = "\
Verifies the identity document of this EC2 instance: who signed it, and what it says

Usage: amint-verify [OPTIONS]

What must be so (options may be given several times where it says so):
  --product-code CODE       the document lists this product code; several: all of them
  --any-product-code CODE   several: at least one of them is listed
  --account ID              the instance belongs to this account
  --region REGION           the instance runs in this region
  --image AMI               several: the instance was launched from one of them
  --instance ID             the document is of this instance
  --private-ip ADDRESS      several: the document's private address is one of them
  --own-address             the document's private address is one of this machine
  --architecture NAME       x86_64 or arm64
  --max-age SECONDS         the instance was started at most so long ago
  --unexpired               the certificate has not expired

How:
  --form FORM               rsa2048 (default), pkcs7 or signature; several: any of them
  --document FILE           with --signature: verify files, ask no metadata service
  --signature FILE          its ending, if it is the name of a form, chooses the form
  --certificates PATH       trust this list or folder instead of EC2's certificates
  --also-trust PATH         trust this list or folder beside EC2's certificates
  --endpoint URL            the metadata service [AWS_EC2_METADATA_SERVICE_ENDPOINT]
  --timeout-ms NUMBER       how long each attempt may take (default 1000)
  --json                    write JSON
  --quiet, -q               write nothing: the exit code tells
  --help, -h                this text
  --version, -V             the version

Exit codes: 0 verified, 1 refused, 2 wrong arguments, 3 unreadable, 7 not on EC2
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    Help,
    Version,
    Verify(Box<Arguments>),
}

/// What must be so, and how to find out.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Arguments {
    pub(crate) product_codes: Vec<String>,
    pub(crate) any_product_codes: Vec<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) images: Vec<String>,
    pub(crate) instance: Option<String>,
    pub(crate) private_ips: Vec<IpAddr>,
    pub(crate) is_own_address: bool,
    pub(crate) architecture: Option<String>,
    pub(crate) age_max: Option<Duration>,
    pub(crate) is_unexpired: bool,
    pub(crate) forms: Vec<Form>,
    pub(crate) document: Option<PathBuf>,
    pub(crate) signature: Option<PathBuf>,
    pub(crate) certificates: Option<PathBuf>,
    pub(crate) also_trust: Option<PathBuf>,
    pub(crate) endpoint: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) is_json: bool,
    pub(crate) is_quiet: bool,
}

impl Arguments {
    /// Reads the arguments.
    pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Request, String> {
        let mut arguments = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let word = word.into_string().map_err(|word| format!("`{}` is no text", word.display()))?;
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => {
                    (name.to_owned(), Some(OsString::from(value)))
                }
                _ => (word, None),
            };
            match name.as_str() {
                "--help" | "-h" => return Ok(Request::Help),
                "--version" | "-V" => return Ok(Request::Version),
                "--own-address" => arguments.is_own_address = true,
                "--unexpired" => arguments.is_unexpired = true,
                "--json" => arguments.is_json = true,
                "--quiet" | "-q" => arguments.is_quiet = true,
                _ => {
                    let value = inline.or_else(|| words.next()).filter(|value| !value.is_empty());
                    arguments.set(&name, value)?;
                    continue;
                }
            }
            if inline.is_some() {
                return Err(format!("`{name}` takes no value"));
            }
        }
        if arguments.document.is_some() != arguments.signature.is_some() {
            return Err("`--document` and `--signature` go together".to_owned());
        }
        Ok(Request::Verify(Box::new(arguments)))
    }

    fn set(&mut self, name: &str, value: Option<OsString>) -> Result<(), String> {
        let known = [
            "--product-code",
            "--any-product-code",
            "--account",
            "--region",
            "--image",
            "--instance",
            "--private-ip",
            "--architecture",
            "--max-age",
            "--form",
            "--document",
            "--signature",
            "--certificates",
            "--also-trust",
            "--endpoint",
            "--timeout-ms",
        ];
        if !known.contains(&name) {
            return Err(format!("`{name}` is unknown"));
        }
        let value = value.ok_or_else(|| format!("`{name}` needs a value"))?;
        let path = || Some(PathBuf::from(&value));
        let text = || value.clone().into_string().map_err(|_| format!("the value of `{name}` is no text"));
        let number = || text()?.parse::<u64>().map_err(|_| format!("the value of `{name}` is no number"));
        match name {
            "--product-code" => self.product_codes.push(text()?),
            "--any-product-code" => self.any_product_codes.push(text()?),
            "--account" => self.account = Some(text()?),
            "--region" => self.region = Some(text()?),
            "--image" => self.images.push(text()?),
            "--instance" => self.instance = Some(text()?),
            "--private-ip" => {
                let address = text()?.parse().map_err(|_| format!("the value of `{name}` is no address"))?;
                self.private_ips.push(address);
            }
            "--architecture" => self.architecture = Some(text()?),
            "--max-age" => self.age_max = Some(Duration::from_secs(number()?)),
            "--form" => self.forms.push(text()?.parse().map_err(|error| format!("{error}"))?),
            "--document" => self.document = path(),
            "--signature" => self.signature = path(),
            "--certificates" => self.certificates = path(),
            "--also-trust" => self.also_trust = path(),
            "--endpoint" => self.endpoint = Some(text()?),
            _ => self.timeout = Some(Duration::from_millis(number()?)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Request, String> {
        Arguments::parse(words.split_whitespace().map(OsString::from))
    }

    #[test]
    fn reads_values_with_and_without_an_equals_sign() {
        let words = "--product-code a --product-code=b --max-age=60 -q --form pkcs7";
        let Request::Verify(arguments) = parse(words).unwrap() else { panic!("no request to verify") };
        assert_eq!(arguments.product_codes, ["a", "b"]);
        assert_eq!(arguments.age_max, Some(Duration::from_mins(1)));
        assert!(arguments.is_quiet && arguments.forms == [Form::Pkcs7]);
        assert!(matches!(parse("--region x --help").unwrap(), Request::Help));
    }

    #[test]
    fn an_argument_that_is_not_understood_is_never_ignored() {
        for words in
            ["--produkt-code a", "a", "--product-code", "--product-code=", "--json=1", "--max-age soon"]
        {
            assert!(parse(words).is_err(), "{words}");
        }
        for words in ["--document a", "--signature a", "--form x", "--private-ip x", "--quite", "-x"] {
            assert!(parse(words).is_err(), "{words}");
        }
    }
}
