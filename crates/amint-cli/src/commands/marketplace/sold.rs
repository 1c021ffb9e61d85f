//! An image of the store that is sold.

use amint_publish::marketplace::{Access, Listing, Opening};
use amint_recipe::{Recipe, RecipeFile};
use amint_store::{ImageRecord, Store};
use amint_types::ImageRef;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::stored_recipe;

/// From where AWS scans (AWS Marketplace seller guide, "AMI-based product requirements", A14).
const SCANNERS: [&str; 2] = ["10.0.0.0/16", "10.2.0.0/16"];

/// An image of the store that is sold.
pub(super) struct Sold {
    pub(super) store: Store,
    pub(super) record: ImageRecord,
    pub(super) recipe: RecipeFile,
}

impl Sold {
    pub(super) fn open(image: &str, context: &Context) -> Result<Self, Failure> {
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

    pub(super) fn subject(&self) -> String {
        self.record.reference().to_string()
    }

    pub(super) fn product_id(&self) -> Result<&str, Failure> {
        self.recipe.recipe.marketplace.product.as_deref().ok_or_else(|| {
            Failure::new(ExitCode::Input, format!("the recipe of {} names no product", self.subject()))
                .hint("write `[marketplace] product = \"prod-…\"` into it, and build the image again")
        })
    }

    /// Puts together what the version says of itself; `access_role` is the role where the recipe names none.
    pub(super) fn listing(&self, access_role: &str) -> Listing {
        let recipe = &self.recipe.recipe;
        let marketplace = &recipe.marketplace;
        Listing {
            product_id: marketplace.product.clone().unwrap_or_default(),
            title: marketplace.version_title(&self.record.version),
            release_notes: marketplace.release_notes.clone().unwrap_or_default(),
            usage_instructions: marketplace.usage_instructions.clone().unwrap_or_default(),
            access_role: marketplace.access_role.clone().unwrap_or_else(|| access_role.to_owned()),
            user_name: recipe.user.name.clone(),
            system_name: marketplace.system_name.clone().unwrap_or_else(|| "DEBIAN".to_owned()),
            system_version: marketplace
                .system_version
                .clone()
                .unwrap_or_else(|| recipe.base.debian.version().to_string()),
            instance_type: marketplace.instance_type.clone().unwrap_or_default(),
            openings: openings(recipe),
            access: marketplace.access.as_ref().map(|access| Access {
                protocol: access.protocol.as_str().to_owned(),
                port: access.port,
                path: access.path.clone(),
            }),
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
