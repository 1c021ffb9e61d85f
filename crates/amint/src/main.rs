//! The `amint` binary.

fn main() -> std::process::ExitCode {
    amint_cli::main()
}
