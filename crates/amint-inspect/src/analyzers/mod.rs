//! Analyzers: what each looks for.

mod certificates;
mod checksums;
mod languages;
mod secrets;
mod wheels;

pub use certificates::Certificates;
pub use checksums::Checksums;
pub use languages::Languages;
pub use secrets::Secrets;
