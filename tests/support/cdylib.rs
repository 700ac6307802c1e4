//! The shared library, built as a release builds it but for optimisation, and
//! the C compilers that use it.
#![allow(dead_code, reason = "each test uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TMP: &str = env!("CARGO_TARGET_TMPDIR");

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the library with `features` and returns a new folder called `name`
/// that holds it as `libsegl.so.1` and `libsegl.so`. The target folder is its
/// own, because cargo has locked that of the running tests.
pub fn build(name: &str, features: &str) -> PathBuf {
    let target = Path::new(TMP).with_file_name("c-api");
    run(Command::new(root().join("scripts/cdylib"))
        .arg(features)
        .env("CARGO_TARGET_DIR", &target));
    let folder = empty_folder(name);
    let library = folder.join("libsegl.so.1");
    fs::copy(target.join("debug/libsegl.so"), &library).unwrap();
    std::os::unix::fs::symlink("libsegl.so.1", folder.join("libsegl.so")).unwrap();
    folder
}

/// A new folder for what a test makes.
pub fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(TMP).join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => fs::create_dir_all(&folder).unwrap(),
    }
    folder
}

/// Compiles `sources` of `tests/c` to `program` in `folder`, which holds the
/// library. `options` are the compiler's, such as the language.
pub fn compile(compiler: &str, options: &[&str], sources: &[&str], folder: &Path, program: &str) {
    let mut command = Command::new(compiler);
    command
        .args(options)
        .args("-g -O1 -Wall -Wextra -Wpedantic -Werror -D_POSIX_C_SOURCE=200809L".split(' '))
        .arg("-I")
        .arg(root().join("include"))
        .arg("-I")
        .arg(folder)
        .args(
            sources
                .iter()
                .map(|source| root().join("tests/c").join(source)),
        )
        .arg("-o")
        .arg(folder.join(program))
        .arg("-L")
        .arg(folder)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .args(["-lsegl", "-lpthread"]);
    run(&mut command);
}

/// Runs a command that must succeed and returns what it printed.
pub fn run(command: &mut Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", missing(&program)));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Says which Debian package has a program.
pub fn missing(program: &str) -> String {
    let package = match program {
        "gcc" | "g++" => "build-essential",
        "nm" | "readelf" => "binutils",
        other => other,
    };
    format!("{program} must be installed (apt-get install {package})")
}

/// The functions that `include/segl.h` declares, in alphabetical order.
pub fn declared_functions() -> Vec<String> {
    let header = fs::read_to_string(root().join("include/segl.h")).unwrap();
    let code = without_comments(&header);
    let (_, declarations) = code.split_once("extern \"C\"").unwrap();
    let mut names: Vec<String> = declarations
        .match_indices('(')
        .filter_map(|(end, _)| {
            let name = declarations[..end]
                .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .next()?;
            name.starts_with("segl_").then(|| name.to_owned())
        })
        .collect();
    names.sort();
    names
}

/// C source without its block comments.
pub fn without_comments(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").unwrap().1;
    }
    code + rest
}
