//! What licences ask for, by their names: SPDX, Debian, Fedora, rpm tags, classifiers of Python.

mod class;
mod expression;
mod names;
mod text;

pub use class::LicenseClass;
pub use expression::Expression;
pub(crate) use names::sum;
pub use names::{Judged, class_of_name, classify, classify_all};
pub use text::recognise;
