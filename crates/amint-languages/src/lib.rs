//! Packages of programming languages, found in an image's files.
//!
//! What is installed is told by the files that package managers and compilers leave behind, never by lists of what somebody
//! meant to install: metadata of Python distributions, `package.json`, gem specifications, Java archives (also inside other
//! archives), build information in Go binaries, the list that `cargo auditable` puts into Rust binaries, Composer's
//! `installed.json`, `.deps.json` of .NET.
//!
//! Each [`Language`] says by name which files it wants and reads them through [`ReadAt`](amint_types::ReadAt); nothing is
//! executed, and every size and depth has a limit.

mod composer;
mod dotnet;
mod elf;
mod error;
mod gem;
mod go;
mod jar;
mod language;
mod make;
mod node;
mod python;
mod rust;

pub use error::LanguageError;
pub use language::Language;
