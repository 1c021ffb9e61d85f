//! Which advisories apply to the packages of an image.
//!
//! Packages of a distribution are judged by its own advisories only: by source package for dpkg and apk, by binary
//! package, epoch, version, release and module stream for rpm. Upstream's versions say nothing about them, since
//! distributions mend old versions. Packages of others are judged by nobody and counted. Packages of languages are
//! judged by their registry's advisories, unless a package of the distribution owns them.
//!
//! Nothing is dropped in silence: what weighs less (headers, documentation, kernels that do not boot) is lowered with
//! its reason, what is not judged is counted.

mod age;
mod context;
mod decide;
mod finding;
mod group;
mod kernel;
pub(crate) mod lowering;
mod matcher;
mod origin;
mod outdated;

pub use age::{AgeProblem, AgeVerdict};
pub use context::{MatchContext, MatchCounts, MatchReport, NotJudged};
pub use matcher::Matcher;
