//! Analyzers: what each looks for.

mod certificates;
mod checksums;
mod languages;

pub use certificates::Certificates;
pub use checksums::Checksums;
pub use languages::Languages;
