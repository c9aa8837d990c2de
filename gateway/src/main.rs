//! The `hearth` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    hearth_gateway::cli::main()
}
