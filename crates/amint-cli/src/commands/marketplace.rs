//! `amint marketplace`: versions of products that are sold on AWS Marketplace.

use std::fmt::Write;
use std::time::Instant;

use amint_aws::{AwsCatalog, AwsRegion, Connection};
use amint_publish::calls::Purpose;
use amint_publish::marketplace::{
    Catalog, CatalogProduct, ChangeSetState, ChangeSetStatus, Flaw, Listing, Opening, REGION, Submission,
    explain, follow, image_flaws, product_flaws, restrict, role_flaws, submit,
};
use amint_publish::{CloudImage, Parameters, Region};
use amint_recipe::{Recipe, RecipeFile};
use amint_scan::Profile;
use amint_store::{ImageRecord, Store};
use amint_types::scan::ScanVerdict;
use amint_types::{ImageRef, Severity, StepOutcome, Unit};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::stored_recipe;
use crate::inspecting::{Judging, Looked, look_into};
use crate::marketplace_args::{
    MarketplaceCheckArgs, MarketplaceCommand, MarketplaceStatusArgs, RestrictArgs, SubmitArgs,
};
use crate::ui::{Palette, Table};

/// The access role where the recipe names none.
const ROLE: &str = "amint-marketplace";
/// From where AWS scans (AWS Marketplace seller guide, "AMI-based product requirements", A14).
const SCANNERS: [&str; 2] = ["10.0.0.0/16", "10.2.0.0/16"];
/// The tag that holds the digest of an image's blocks.
const DIGEST_TAG: &str = "amint:digest";

/// Runs one of them.
pub(crate) fn run(command: &MarketplaceCommand, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        MarketplaceCommand::Check(args) => check(args, context),
        MarketplaceCommand::Submit(args) => submit_version(args, context),
        MarketplaceCommand::Status(args) => status(args, context),
        MarketplaceCommand::Restrict(args) => restrict_version(args, context),
    }
}

/// An image of the store that is sold.
struct Sold {
    store: Store,
    record: ImageRecord,
    recipe: RecipeFile,
}

impl Sold {
    fn open(image: &str, context: &Context) -> Result<Self, Failure> {
        let store = context.store()?;
        let reference: ImageRef = image.parse()?;
        let record = store.resolve(&reference)?;
        let recipe = stored_recipe(&store, &record)?.ok_or_else(|| {
            let message = format!("{} was stored without a recipe", record.reference());
            Failure::new(ExitCode::Input, message)
                .hint("build it with amint: `[marketplace]` of its recipe is needed")
        })?;
        Ok(Self { store, record, recipe })
    }

    fn subject(&self) -> String {
        self.record.reference().to_string()
    }

    fn product_id(&self) -> Result<&str, Failure> {
        self.recipe.recipe.marketplace.product.as_deref().ok_or_else(|| {
            Failure::new(ExitCode::Input, format!("the recipe of {} names no product", self.subject()))
                .hint("write `[marketplace] product = \"prod-…\"` into it, and build the image again")
        })
    }

    /// Puts together what the version says of itself. Without an account the role has no ARN.
    fn listing(&self, account: Option<&str>) -> Listing {
        let recipe = &self.recipe.recipe;
        let marketplace = &recipe.marketplace;
        let role = || account.map(|account| format!("arn:aws:iam::{account}:role/{ROLE}"));
        Listing {
            product_id: marketplace.product.clone().unwrap_or_default(),
            title: self.record.version.to_string(),
            release_notes: marketplace.release_notes.clone().unwrap_or_default(),
            usage_instructions: marketplace.usage_instructions.clone().unwrap_or_default(),
            access_role: marketplace.access_role.clone().or_else(role).unwrap_or_default(),
            user_name: recipe.user.name.clone(),
            system_name: marketplace.system_name.clone().unwrap_or_else(|| "DEBIAN".to_owned()),
            system_version: recipe.base.debian.version().to_string(),
            instance_type: marketplace.instance_type.clone().unwrap_or_default(),
            openings: openings(recipe),
        }
    }
}

/// Derives the least security group from the recipe's ports.
fn openings(recipe: &Recipe) -> Vec<Opening> {
    let ssh_from = &recipe.marketplace.ssh_from;
    let sources = if ssh_from.is_empty() {
        SCANNERS.map(str::to_owned).to_vec()
    } else {
        ssh_from.iter().map(ToString::to_string).collect()
    };
    let ssh = Opening { protocol: "tcp".to_owned(), port: 22, sources };
    let named = recipe.ports.iter().map(|port| Opening {
        protocol: port.protocol.as_str().to_owned(),
        port: port.port,
        sources: port.from.iter().map(ToString::to_string).collect(),
    });
    let mut all: Vec<Opening> = named.collect();
    if !all.iter().any(|opening| opening.port == ssh.port && opening.protocol == ssh.protocol) {
        all.insert(0, ssh);
    }
    all
}

/// A part of the check.
#[derive(Serialize)]
struct Part {
    #[serde(rename = "part")]
    name: &'static str,
    flaws: Vec<Flaw>,
    /// Why it could not be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    unchecked: Option<String>,
}

impl Part {
    fn of(name: &'static str, flaws: Vec<Flaw>) -> Self {
        Self { name, flaws, unchecked: None }
    }

    fn unchecked(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, flaws: Vec::new(), unchecked: Some(why.into()) }
    }

    fn is_refused(&self) -> bool {
        self.flaws.iter().any(|flaw| flaw.is_refused)
    }
}

fn check(args: &MarketplaceCheckArgs, context: &Context) -> Result<ExitCode, Failure> {
    let sold = Sold::open(&args.image, context)?;
    let gate: Severity = args.gate.parse().map_err(|error| Failure::new(ExitCode::Usage, error))?;
    let judging = Judging { gate, baseline: None, profile: Some(Profile::Marketplace) };
    let Looked { inspection, .. } = look_into(&args.image, &args.inspect, &judging, context)?;
    let document = inspection.document;
    let mut parts = if args.offline {
        let why = "AWS was not asked";
        let mut parts = vec![Part::of("listing", sold.listing(Some("000000000000")).flaws())];
        parts.extend(["ami", "product", "role"].map(|part| Part::unchecked(part, why)));
        parts
    } else {
        crate::aws::run(Purpose::Sell, async |connection| ask(&sold, args.ami.as_deref(), &connection).await)?
            .parts
    };
    let verdict = document.verdict;
    let unread = document.reasons.join("; ");
    parts.insert(
        0,
        match verdict {
            ScanVerdict::Pass => Part::of("image", Vec::new()),
            ScanVerdict::Fail => {
                let message = document.reasons.join("; ");
                let hint = format!("`amint scan {} --profile marketplace` shows each finding", args.image);
                Part::of("image", vec![Flaw { code: "SCAN_ERROR", message, hint, is_refused: true }])
            }
            _ => Part::unchecked("image", unread),
        },
    );
    context.finish();
    let code = if parts.iter().any(Part::is_refused) {
        ExitCode::Gate
    } else if parts.iter().any(|part| part.unchecked.is_some()) {
        ExitCode::Evidence
    } else {
        ExitCode::Fine
    };
    tell_parts(&sold.subject(), &parts, context)?;
    Ok(code)
}

fn tell_parts(subject: &str, parts: &[Part], context: &Context) -> Result<(), Failure> {
    if context.global.json {
        return context.print_json(&json!({ "image": subject, "parts": parts }));
    }
    context.print(&parts_text(parts, Palette::for_stdout()));
    Ok(())
}

fn parts_text(parts: &[Part], palette: Palette) -> String {
    let mut text = String::new();
    for part in parts {
        let (mark, words) = match &part.unchecked {
            Some(why) => (palette.yellow("?"), format!("not checked: {why}")),
            None if part.is_refused() => (palette.red(palette.cross()), String::new()),
            None => {
                (palette.green(palette.tick()), if part.flaws.is_empty() { "fine" } else { "" }.to_owned())
            }
        };
        text.push_str(format!("{mark} {:<8} {words}", part.name).trim_end());
        text.push('\n');
        for flaw in &part.flaws {
            let word = if flaw.is_refused { palette.red("refused:") } else { palette.yellow("note:") };
            text.push_str(&format_flaw(&word, flaw, palette));
        }
    }
    text
}

fn format_flaw(word: &str, flaw: &Flaw, palette: Palette) -> String {
    format!("    {word} {} ({})\n      {} {}\n", flaw.message, flaw.code, palette.cyan("hint:"), flaw.hint)
}

/// What AWS says of a version that is not there yet.
struct Asked {
    parts: Vec<Part>,
    listing: Listing,
    image: Option<CloudImage>,
    product: Option<CatalogProduct>,
    has_role: bool,
}

/// Asks for AMI, product and role, and holds them against the listing.
async fn ask(sold: &Sold, ami: Option<&str>, connection: &Connection) -> Result<Asked, Failure> {
    let (region, catalog) = (connection.in_region(REGION), connection.catalog());
    let account = region.account().await.map_err(cloud)?;
    let listing = sold.listing(Some(&account));
    let image = find_image(sold, ami, &region).await?;
    let product_id = listing.product_id.clone();
    let product =
        if product_id.is_empty() { None } else { catalog.product(&product_id).await.map_err(cloud)? };
    let role_name = listing.access_role.rsplit('/').next().unwrap_or_default().to_owned();
    let role = catalog.access_role(&role_name).await.map_err(cloud)?;
    let image_part = if let Some(image) = &image {
        Part::of("ami", image_flaws(image, Timestamp::now()))
    } else {
        let message = format!("{} is not published in {REGION}", sold.subject());
        let hint = format!("`amint publish {} --region {REGION}` makes the AMI", sold.subject());
        Part::of("ami", vec![Flaw { code: "INVALID_AMI", message, hint, is_refused: true }])
    };
    let parts = vec![
        Part::of("listing", listing.flaws()),
        image_part,
        Part::of("product", product_flaws(&listing, product.as_ref(), image.as_ref())),
        Part::of("role", role_flaws(&listing.access_role, role.as_ref())),
    ];
    Ok(Asked { parts, listing, image, product, has_role: role.is_some() })
}

fn cloud(error: amint_publish::CloudError) -> Failure {
    Failure::from(amint_publish::ApplyError::from(error))
}

async fn find_image(
    sold: &Sold,
    ami: Option<&str>,
    region: &AwsRegion,
) -> Result<Option<CloudImage>, Failure> {
    if let Some(id) = ami {
        return region.image(id).await.map_err(cloud);
    }
    let images = region.images_tagged(DIGEST_TAG, &sold.record.digest.to_string()).await.map_err(cloud)?;
    Ok(images.into_iter().min_by(|one, other| one.id.cmp(&other.id)))
}

fn submit_version(args: &SubmitArgs, context: &Context) -> Result<ExitCode, Failure> {
    let sold = Sold::open(&args.image, context)?;
    sold.product_id()?;
    crate::aws::run(Purpose::Sell, async |connection| {
        let mut asked = ask(&sold, args.ami.as_deref(), &connection).await?;
        let catalog = connection.catalog();
        if args.create_role && !asked.has_role && !args.plan {
            create_role(&sold, &catalog, &asked.listing, context).await?;
            asked = ask(&sold, args.ami.as_deref(), &connection).await?;
        }
        let is_made = |part: &Part| args.plan && args.create_role && !asked.has_role && part.name == "role";
        let is_refused = asked.parts.iter().any(|part| part.is_refused() && !is_made(part));
        if args.plan || is_refused {
            if context.global.json {
                let details = asked.image.as_ref().map(|image| asked.listing.details(&image.id));
                context.print_json(&json!({
                    "image": sold.subject(), "parts": asked.parts, "details": details,
                    "creates_role": args.create_role && !asked.has_role,
                }))?;
            } else {
                let text = parts_text(&asked.parts, Palette::for_stdout());
                context.print(&(text + &plan_text(args, &asked)));
            }
            return Ok(if is_refused { ExitCode::Gate } else { ExitCode::Fine });
        }
        let (Some(image), Some(product)) = (&asked.image, &asked.product) else { return Ok(ExitCode::Gate) };
        for part in &asked.parts {
            for flaw in &part.flaws {
                context.sink().warn(&flaw.message, Some(&flaw.hint));
            }
        }
        let subject = sold.subject();
        let submission = Submission {
            listing: &asked.listing,
            image_id: &image.id,
            subject: &subject,
            is_validation: args.validate,
        };
        let started = submit(&catalog, &submission, product, &sold.store, &context.cancel).await?;
        let Some(id) = started else {
            context.finish();
            context.say(&format!("{} has the version {} already", product.id, asked.listing.title));
            return Ok(ExitCode::Fine);
        };
        end(&catalog, &id, args.no_wait, context).await
    })
}

fn plan_text(args: &SubmitArgs, asked: &Asked) -> String {
    let listing = &asked.listing;
    let Some(image) = &asked.image else { return String::new() };
    let verb = if args.validate { "validate" } else { "add" };
    let mut text =
        format!("{verb} version {} of {} in {REGION}, of {}\n", listing.title, listing.product_id, image.id);
    if args.create_role && !asked.has_role {
        let _ = writeln!(text, "make the role {} first", listing.access_role);
    }
    for opening in &listing.openings {
        let sources = opening.sources.join(", ");
        let _ = writeln!(text, "  opens {} {} for {sources}", opening.protocol, opening.port);
    }
    text
}

async fn create_role(
    sold: &Sold,
    catalog: &AwsCatalog,
    listing: &Listing,
    context: &Context,
) -> Result<(), Failure> {
    let name = listing.access_role.rsplit('/').next().unwrap_or_default();
    let operation = sold.store.begin("access-role", &sold.subject(), &json!({ "role": name }))?;
    let made = async {
        let arn = catalog.create_access_role(name).await?;
        catalog.attach_ingestion_policy(name).await.map(|()| arn)
    };
    match made.await {
        Ok(arn) => {
            sold.store.finish(operation, amint_store::Outcome::Succeeded, &json!({ "arn": arn }))?;
            context.say(&format!("made the role {arn}"));
            Ok(())
        }
        Err(error) => {
            sold.store.finish(
                operation,
                amint_store::Outcome::Failed,
                &json!({ "error": error.to_string() }),
            )?;
            Err(cloud(error))
        }
    }
}

/// Follows a change set to its end, and tells it.
async fn end(catalog: &AwsCatalog, id: &str, is_left: bool, context: &Context) -> Result<ExitCode, Failure> {
    if is_left {
        context.finish();
        if context.global.json {
            context.print_json(&json!({ "change_set": { "id": id } }))?;
        } else {
            context.print(&format!("{id} is on its way\n"));
        }
        return Ok(ExitCode::Fine);
    }
    let (sink, started) = (context.sink(), Instant::now());
    sink.step_started("change-set", &format!("Waiting for {id}"), None, Unit::Bytes);
    let progress = |status: ChangeSetStatus| sink.step_progress("change-set", 0, None, Some(status.as_str()));
    let state = follow(catalog, id, &progress, &context.cancel).await;
    let is_good = state.as_ref().is_ok_and(|state| state.status == ChangeSetStatus::Succeeded);
    let outcome = if is_good { StepOutcome::Done } else { StepOutcome::Failed };
    sink.step_finished("change-set", outcome, started.elapsed(), None);
    let state = state.map_err(|error| {
        Failure::from(error)
            .hint(format!("it goes on by itself: `amint marketplace status IMAGE --change-set {id}`"))
    })?;
    context.finish();
    tell_state(&state, context)?;
    Ok(if is_good { ExitCode::Fine } else { ExitCode::Gate })
}

fn tell_state(state: &ChangeSetState, context: &Context) -> Result<(), Failure> {
    if context.global.json {
        return context.print_json(&json!({ "change_set": state }));
    }
    let palette = Palette::for_stdout();
    let word = match state.status {
        ChangeSetStatus::Succeeded => palette.green(state.status.as_str()),
        ChangeSetStatus::Failed => palette.red(state.status.as_str()),
        _ => state.status.as_str().to_owned(),
    };
    let mut text = format!("{}  {word}  {}\n", state.id, state.name);
    for error in &state.errors {
        let _ = write!(
            text,
            "  {} {}\n    {} {}\n",
            palette.red(&error.code),
            error.message,
            palette.cyan("hint:"),
            explain(&error.code)
        );
    }
    if state.is_fault_of_service {
        text += "  AWS itself failed: submit it again\n";
    }
    context.print(&text);
    Ok(())
}

fn status(args: &MarketplaceStatusArgs, context: &Context) -> Result<ExitCode, Failure> {
    let sold = Sold::open(&args.image, context)?;
    let product_id = sold.product_id()?;
    crate::aws::run(Purpose::Sell, async |connection| {
        let catalog = connection.catalog();
        if let Some(id) = &args.change_set {
            return end(&catalog, id, false, context).await;
        }
        let product = catalog.product(product_id).await.map_err(cloud)?;
        let sets = catalog.change_sets(product_id).await.map_err(cloud)?;
        if context.global.json {
            let versions = product.as_ref().map(|product| &product.versions);
            context
                .print_json(&json!({ "product": product_id, "versions": versions, "change_sets": sets }))?;
            return Ok(ExitCode::Fine);
        }
        let mut table = Table::new(["VERSION", "AMI", "BUYERS"]);
        for version in product.iter().flat_map(|product| &product.versions) {
            let buyers =
                if version.public_options.is_empty() { "hidden from new ones" } else { "can choose it" };
            table.row([version.title.as_str(), version.image_id.as_str(), buyers]);
        }
        context.print(&table.render(Palette::for_stdout()));
        let mut table = Table::new(["CHANGE SET", "STATUS", "STARTED", "WHAT"]);
        for set in &sets {
            let started =
                set.started.map(|time| time.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
            table.row([set.id.as_str(), set.status.as_str(), started.as_str(), set.name.as_str()]);
        }
        context.print(&table.render(Palette::for_stdout()));
        // Lists of change sets come without their errors.
        if let Some(failed) = sets.first().filter(|set| set.status == ChangeSetStatus::Failed)
            && let Some(state) = catalog.change_set(&failed.id).await.map_err(cloud)?
        {
            tell_state(&state, context)?;
        }
        Ok(ExitCode::Fine)
    })
}

fn restrict_version(args: &RestrictArgs, context: &Context) -> Result<ExitCode, Failure> {
    let sold = Sold::open(&args.image, context)?;
    let (product_id, title) = (sold.product_id()?, sold.record.version.to_string());
    crate::aws::run(Purpose::Sell, async |connection| {
        let catalog = connection.catalog();
        let product = catalog.product(product_id).await.map_err(cloud)?;
        let product = product.ok_or_else(|| {
            Failure::new(ExitCode::Input, format!("there is no product {product_id} in the account"))
        })?;
        let version = product.versions.iter().find(|version| version.title == title).ok_or_else(|| {
            Failure::new(ExitCode::Input, format!("{product_id} has no version {title}"))
                .hint("`amint marketplace status` lists its versions")
        })?;
        let is_public =
            |version: &&amint_publish::marketplace::CatalogVersion| !version.public_options.is_empty();
        if !is_public(&version) {
            context.say(&format!("version {title} of {product_id} is hidden already"));
            return Ok(ExitCode::Fine);
        }
        if product.versions.iter().filter(is_public).count() == 1 {
            let message = format!("{title} is the only version of {product_id} that buyers can choose");
            return Err(Failure::new(ExitCode::Gate, message).hint("submit a newer one first"));
        }
        let options = &version.public_options;
        if args.plan {
            if context.global.json {
                context.print_json(
                    &json!({ "product": product_id, "version": title, "delivery_options": options }),
                )?;
            } else {
                context.print(&format!(
                    "hide version {title} of {product_id} from new buyers: {}\n",
                    options.join(", ")
                ));
            }
            return Ok(ExitCode::Fine);
        }
        let id =
            restrict(&catalog, product_id, options, &sold.subject(), &sold.store, &context.cancel).await?;
        end(&catalog, &id, args.no_wait, context).await
    })
}
