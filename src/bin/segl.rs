//! The program `segl`; see [`segl::cli`].

fn main() -> std::process::ExitCode {
    segl::cli::main()
}
