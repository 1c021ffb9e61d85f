//! Doing what the arguments ask for.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use amint_identity::imds::{Client, ProofError};
use amint_identity::{Certificates, Expect, Form, Refusal, Verified, verify};

use crate::arguments::Arguments;

/// Longer than any document or signature that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// How it ended.
pub(crate) enum Outcome {
    Verified(Box<Verified>),
    Refused(Refusal),
    /// A file or an answer cannot be read: the text, with its causes.
    Unreadable(&'static str, String),
    /// No metadata service can be asked: the reason, the text, and what to try.
    NotOnEc2(&'static str, String, Option<&'static str>),
}

/// Writes an error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let expect = match expect(arguments) {
        Ok(expect) => expect,
        Err(text) => return Outcome::Unreadable("file", text),
    };
    let result = match (&arguments.document, &arguments.signature) {
        (Some(document), Some(signature)) => match (read(document), read(signature)) {
            (Ok(document), Ok(signature)) => verify(&document, &signature, &expect),
            (Err(text), _) | (_, Err(text)) => return Outcome::Unreadable("file", text),
        },
        _ => match prove(arguments, &expect) {
            Ok(verified) => Ok(verified),
            Err(ProofError::Refused(refusal)) => Err(refusal),
            Err(error @ (ProofError::Read { .. } | ProofError::Endpoint { .. })) => {
                return Outcome::Unreadable(error.name(), chain(&error));
            }
            Err(error) => return Outcome::NotOnEc2(error.name(), chain(&error), error.hint()),
        },
    };
    match result {
        Ok(verified) => Outcome::Verified(Box::new(verified)),
        Err(refusal) => Outcome::Refused(refusal),
    }
}

fn prove(arguments: &Arguments, expect: &Expect) -> Result<Verified, ProofError> {
    let client = match &arguments.endpoint {
        Some(endpoint) => Client::new(endpoint)?,
        None => Client::from_environment()?,
    };
    match arguments.timeout {
        Some(timeout) => client.timeout(timeout).prove(expect),
        None => client.prove(expect),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    Ok(bytes)
}

fn expect(arguments: &Arguments) -> Result<Expect, String> {
    let mut expect = Expect::new().all_product_codes(&arguments.product_codes);
    if !arguments.any_product_codes.is_empty() {
        expect = expect.any_product_code(&arguments.any_product_codes);
    }
    if !arguments.images.is_empty() {
        expect = expect.images(&arguments.images);
    }
    if !arguments.private_ips.is_empty() {
        expect = expect.private_ip(arguments.private_ips.iter().copied());
    }
    if arguments.is_own_address {
        expect = expect.private_ip_of_this_machine();
    }
    if let Some(account) = &arguments.account {
        expect = expect.account(account);
    }
    if let Some(region) = &arguments.region {
        expect = expect.region(region);
    }
    if let Some(instance) = &arguments.instance {
        expect = expect.instance(instance);
    }
    if let Some(architecture) = &arguments.architecture {
        expect = expect.architecture(architecture);
    }
    if let Some(age) = arguments.age_max {
        expect = expect.pending_within(age);
    }
    if arguments.is_unexpired {
        expect = expect.refuse_expired_certificate();
    }
    if let Some(certificates) = certificates(arguments)? {
        expect = expect.certificates(certificates);
    }
    Ok(expect.forms(forms(arguments)))
}

/// Returns the forms that are accepted: those named, or the one that the signature file is named after.
fn forms(arguments: &Arguments) -> Vec<Form> {
    if !arguments.forms.is_empty() {
        return arguments.forms.clone();
    }
    let ending = arguments.signature.as_ref().and_then(|path| path.extension()?.to_str()?.parse().ok());
    vec![ending.unwrap_or(Form::Rsa2048)]
}

fn certificates(arguments: &Arguments) -> Result<Option<Certificates>, String> {
    let read = |path: &Path| Certificates::read(path).map_err(|error| chain(&error));
    let base = arguments.certificates.as_deref().map(read).transpose()?;
    let Some(more) = arguments.also_trust.as_deref().map(read).transpose()? else { return Ok(base) };
    Ok(Some(base.unwrap_or_else(|| Certificates::embedded().clone()).and(more)))
}
