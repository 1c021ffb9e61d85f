//! Words that every room of amint shares.
//!
//! Names, digests, findings, events and report models. Nothing here reads or writes: every type is plain
//! data with its text form, so that engines, the store, reports and the terminal can agree without leaning
//! on each other.

mod architecture;
pub mod assessment;
mod block_source;
mod cancel;
mod channel;
mod digest;
mod event;
mod hint;
mod image_name;
mod kernel_arguments;
mod read_at;
mod redacted;
pub mod report;
pub mod scan;
pub mod scan_difference;
mod seed;
mod severity;
mod size;

pub use architecture::{Architecture, ParseArchitectureError};
pub use block_source::BlockSource;
pub use cancel::{Cancel, Cancelled};
pub use channel::{ParameterNameError, channel_parameter};
pub use digest::{Digest, DigestWriter, ParseDigestError};
pub use event::{Event, EventSink, NoteLevel, NullSink, Step, StepOutcome, Stream, Unit};
pub use hint::Hint;
pub use image_name::{ImageName, ImageRef, ImageVersion, ParseNameError};
pub use kernel_arguments::weakening_arguments;
pub use read_at::{Piece, ReadAt};
pub use redacted::Redacted;
pub use seed::Seed;
pub use severity::{ParseSeverityError, Severity};
pub use size::{BLOCK_BYTES, GIB, KIB, MIB, format_bytes, format_duration};
