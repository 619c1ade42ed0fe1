//! The `tollgate` command.

use std::process::ExitCode;

use tollgate::cli::{Exit, World, run};

fn main() -> ExitCode {
    match World::real() {
        Ok(world) => run(world, std::env::args_os()).into(),
        Err(what) => {
            // There is no world to write through yet, so this is the one line written from here.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("error: {what}\n").as_bytes(),
            );
            Exit::Failed.into()
        }
    }
}
