//! `amint identity`: who signed an instance identity document, and what it says.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

use amint_identity::imds::{Client, ProofError};
use amint_identity::{
    CertificateInfo, Certificates, Document, Expect, Form, Origin, Refusal, Verified, verify,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::identity_args::{
    EvidenceArgs, IdentityCertificatesArgs, IdentityCommand, IdentityShowArgs, IdentityVerifyArgs,
};
use crate::ui::Palette;

/// Longer than any document or signature that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Verifies or shows a document, or lists certificates.
pub(crate) fn run(command: &IdentityCommand, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        IdentityCommand::Verify(args) => run_verify(args, context),
        IdentityCommand::Show(args) => run_show(args, context),
        IdentityCommand::Certificates(args) => run_certificates(args, context),
    }
}

/// The bytes to judge, and what the metadata service lists beside them.
struct Evidence {
    document: Vec<u8>,
    result: Result<Verified, Refusal>,
}

fn run_verify(args: &IdentityVerifyArgs, context: &Context) -> Result<ExitCode, Failure> {
    let evidence = judge(&args.evidence, expect(args)?)?;
    let palette = Palette::for_stdout();
    match evidence.result {
        Ok(verified) => {
            if context.global.json {
                let mut value = document_json(&verified.document);
                value["verified"] = true.into();
                value["form"] = verified.form.as_str().into();
                value["certificate"] = certificate_json(&verified.certificate);
                value["certificate_expired"] = verified.is_certificate_expired.into();
                context.print_json(&value)?;
            } else {
                let text = format!("{} verified\n{}", palette.green(palette.tick()), facts(&verified));
                context.print(&text);
            }
            if verified.is_certificate_expired {
                context.say("note: the certificate has expired; EC2 goes on using keys after that");
            }
            Ok(ExitCode::Fine)
        }
        Err(refusal) => {
            if context.global.json {
                context.print_json(&refusal_json(&refusal))?;
            } else {
                let (mark, hint) = (palette.red(palette.cross()), palette.cyan("hint:"));
                let text = clean(&refusal.to_string());
                context.print(&format!(
                    "{mark} refused: {}\n  {text}\n  {hint} {}\n",
                    refusal.name(),
                    refusal.explanation()
                ));
            }
            Ok(if refusal.is_unreadable() { ExitCode::Input } else { ExitCode::Gate })
        }
    }
}

fn run_show(args: &IdentityShowArgs, context: &Context) -> Result<ExitCode, Failure> {
    let evidence = judge(&args.evidence, trust(&args.evidence)?)?;
    let document = Document::parse_unverified(&evidence.document)
        .map_err(|what| Failure::new(ExitCode::Input, format!("the document cannot be read: {what}")))?;
    let proof = match &evidence.result {
        Ok(verified) => format!(
            "genuine: signed in the form {} with the certificate {}",
            verified.form, verified.certificate.serial
        ),
        Err(refusal) => format!("NOT proven: {}: {}", refusal.name(), clean(&refusal.to_string())),
    };
    if context.global.json {
        let mut value = document_json(&document);
        value["verified"] = evidence.result.is_ok().into();
        value["refusal"] = evidence.result.as_ref().err().map_or(Value::Null, refusal_json);
        context.print_json(&value)?;
    } else {
        let palette = Palette::for_stdout();
        let mark = if evidence.result.is_ok() {
            palette.green(palette.tick())
        } else {
            palette.red(palette.cross())
        };
        context.print(&format!("{}\n{mark} {proof}\n", document_text(&document).trim_end()));
    }
    Ok(ExitCode::Fine)
}

fn run_certificates(args: &IdentityCertificatesArgs, context: &Context) -> Result<ExitCode, Failure> {
    let given = args.certificates.as_deref().map(read_certificates).transpose()?;
    let certificates = given.as_ref().unwrap_or_else(|| Certificates::embedded());
    let is_wanted = |info: &CertificateInfo| match &args.region {
        Some(region) => info.regions.contains(region),
        None => true,
    };
    let infos: Vec<CertificateInfo> = certificates.iter().filter(is_wanted).collect();
    if context.global.json {
        context.print_json(&infos.iter().map(certificate_json).collect::<Vec<_>>())?;
        return Ok(ExitCode::Fine);
    }
    let now = SystemTime::now();
    let mut text = String::new();
    for info in &infos {
        let (kind, bits) = info.key;
        let expired = if info.not_after < now { "  expired" } else { "" };
        let _ = writeln!(
            text,
            "{:<9}  {kind} {bits}  until {}{expired}  {}\n           {}",
            info.form.as_str(),
            date(info.not_after),
            info.serial,
            clean(&info.regions.join(" "))
        );
    }
    context.print(&text);
    if infos.is_empty() {
        context.say("no certificate is known for that region");
        return Ok(ExitCode::Gate);
    }
    Ok(ExitCode::Fine)
}

/// Gets the document and its signature, from files or from the metadata service, and verifies them.
fn judge(args: &EvidenceArgs, expect: Expect) -> Result<Evidence, Failure> {
    if let (Some(document), Some(signature)) = (&args.document, &args.signature) {
        let (document, signature) = (read(document)?, read(signature)?);
        let result = verify(&document, &signature, &expect.forms(forms(args)?));
        return Ok(Evidence { document, result });
    }
    let client = match &args.endpoint {
        Some(endpoint) => Client::new(endpoint),
        None => Client::from_environment(),
    };
    let forms = forms(args)?;
    let form = forms.first().copied().unwrap_or(Form::Rsa2048);
    let evidence = client.and_then(|client| client.fetch(form)).map_err(proof_failure)?;
    let result = evidence.verify(&expect.forms(forms));
    Ok(Evidence { document: evidence.document, result })
}

fn proof_failure(error: ProofError) -> Failure {
    let code = match error {
        ProofError::Read { .. } => ExitCode::Input,
        ProofError::Endpoint { .. } => ExitCode::Usage,
        _ => ExitCode::Environment,
    };
    let hint = error.hint();
    let failure = Failure::new(code, error);
    if let Some(hint) = hint { failure.hint(hint) } else { failure }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| Failure::file(path, error))?;
    Ok(bytes)
}

fn read_certificates(path: &Path) -> Result<Certificates, Failure> {
    Certificates::read(path).map_err(|error| Failure::new(ExitCode::Input, error))
}

/// Returns the forms that are accepted: those named, or the one that the signature file is named after.
fn forms(args: &EvidenceArgs) -> Result<Vec<Form>, Failure> {
    let parse = |text: &String| text.parse().map_err(|error| Failure::new(ExitCode::Usage, error));
    let named = args.forms.iter().map(parse).collect::<Result<Vec<Form>, _>>()?;
    if !named.is_empty() {
        return Ok(named);
    }
    let ending = args.signature.as_ref().and_then(|path| path.extension()?.to_str()?.parse().ok());
    Ok(vec![ending.unwrap_or(Form::Rsa2048)])
}

/// Returns the expectation of a genuine document.
fn trust(args: &EvidenceArgs) -> Result<Expect, Failure> {
    let base = args.certificates.as_deref().map(read_certificates).transpose()?;
    let more = args.also_trust.as_deref().map(read_certificates).transpose()?;
    let certificates = match more {
        Some(more) => base.unwrap_or_else(|| Certificates::embedded().clone()).and(more),
        None => base.unwrap_or_else(|| Certificates::embedded().clone()),
    };
    Ok(Expect::new().certificates(certificates))
}

fn expect(args: &IdentityVerifyArgs) -> Result<Expect, Failure> {
    let mut expect = trust(&args.evidence)?.all_product_codes(&args.product_codes);
    if !args.any_product_codes.is_empty() {
        expect = expect.any_product_code(&args.any_product_codes);
    }
    if !args.images.is_empty() {
        expect = expect.images(&args.images);
    }
    if !args.private_ips.is_empty() {
        expect = expect.private_ip(args.private_ips.iter().copied());
    }
    if args.own_address {
        expect = expect.private_ip_of_this_machine();
    }
    if let Some(account) = &args.account {
        expect = expect.account(account);
    }
    if let Some(region) = &args.region {
        expect = expect.region(region);
    }
    if let Some(instance) = &args.instance {
        expect = expect.instance(instance);
    }
    if let Some(architecture) = &args.architecture {
        expect = expect.architecture(architecture);
    }
    if let Some(seconds) = args.max_age {
        expect = expect.pending_within(Duration::from_secs(seconds));
    }
    Ok(if args.unexpired { expect.refuse_expired_certificate() } else { expect })
}

/// Takes out of outside text what could write lines of its own or steer a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn date(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "?".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

fn facts(verified: &Verified) -> String {
    let certificate = &verified.certificate;
    let origin = if certificate.origin == Origin::Embedded { "EC2's" } else { "given by you" };
    let mut text = document_text(&verified.document);
    let _ = writeln!(
        text,
        "  {:<15} {} ({}, until {}, {origin})",
        "signed by",
        certificate.serial,
        verified.form,
        date(certificate.not_after)
    );
    text
}

fn document_text(document: &Document) -> String {
    let codes = document.marketplace_product_codes.join(" ");
    let rows = [
        ("instance", document.instance_id.clone()),
        ("account", document.account_id.clone()),
        ("region", document.region.clone()),
        ("image", document.image_id.clone()),
        ("product codes", if codes.is_empty() { "none".to_owned() } else { codes }),
        ("type", document.instance_type.clone().unwrap_or_default()),
        ("architecture", document.architecture.clone().unwrap_or_default()),
        ("private address", document.private_ip.map(|address| address.to_string()).unwrap_or_default()),
        ("started", document.pending_time_text.clone()),
    ];
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "  {name:<15} {}", clean(value));
        text
    })
}

fn document_json(document: &Document) -> Value {
    json!({
        "account": document.account_id,
        "architecture": document.architecture,
        "availability_zone": document.availability_zone,
        "image": document.image_id,
        "instance": document.instance_id,
        "instance_type": document.instance_type,
        "pending_time": document.pending_time_text,
        "private_ip": document.private_ip,
        "product_codes": document.marketplace_product_codes,
        "region": document.region,
    })
}

fn certificate_json(info: &CertificateInfo) -> Value {
    let (kind, bits) = info.key;
    json!({
        "form": info.form.as_str(),
        "regions": info.regions,
        "serial": info.serial,
        "not_before": date(info.not_before),
        "not_after": date(info.not_after),
        "key": kind,
        "key_bits": bits,
        "origin": if info.origin == Origin::Embedded { "embedded" } else { "given" },
    })
}

fn refusal_json(refusal: &Refusal) -> Value {
    json!({
        "verified": false,
        "reason": refusal.name(),
        "code": refusal.code(),
        "text": refusal.to_string(),
        "hint": refusal.explanation(),
    })
}
