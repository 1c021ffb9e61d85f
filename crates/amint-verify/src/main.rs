//! `amint-verify`: one small static program that proves, inside an image, that it runs on the product it was sold for.
//!
//! It does what `amint identity verify` does, with nothing else around it: no files are needed beside it, so it runs in
//! an empty root folder. The first line of its output is `verified` or `refused: REASON`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to scripts")]

mod arguments;
mod report;
mod run;

use std::process::ExitCode;

use arguments::{Arguments, HELP, Request};

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Verify(arguments)) => arguments,
        Ok(Request::Help) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Version) => {
            println!("amint-verify {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Err(text) => {
            eprintln!("error: {text}\nhint: `amint-verify --help` lists the arguments");
            return ExitCode::from(report::USAGE);
        }
    };
    let outcome = run::run(&arguments);
    let (output, code) = report::report(&outcome, arguments.is_json);
    if !arguments.is_quiet {
        print!("{output}");
    }
    ExitCode::from(code)
}
