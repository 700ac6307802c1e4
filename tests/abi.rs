//! What programs in other languages are linked to: symbols, soname and layouts
//! are frozen lists. Within a major version lines are only added.
#![cfg(all(feature = "capi", target_os = "linux"))]

#[path = "support/cdylib.rs"]
mod cdylib;
#[path = "support/frozen.rs"]
mod frozen;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The folder with the library, made with the features of a release.
fn library() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| cdylib::build("abi", "capi"))
}

fn exported_symbols() -> Vec<String> {
    let library = library().join("libsegl.so.1");
    let table = cdylib::run(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(library),
    );
    let mut symbols: Vec<String> = table
        .lines()
        .map(|line| line.split_whitespace().last().unwrap().to_owned())
        .collect();
    symbols.sort();
    symbols
}

#[test]
fn the_library_exports_these_symbols_and_no_others() {
    let symbols = exported_symbols();
    assert!(
        symbols.iter().all(|name| name.starts_with("segl_")),
        "{symbols:?}"
    );
    frozen::check("tests/data/abi-symbols.txt", &(symbols.join("\n") + "\n"));
}

#[test]
fn the_header_declares_what_the_library_exports() {
    assert_eq!(cdylib::declared_functions(), exported_symbols());
}

#[test]
fn the_library_has_its_name_and_stays_loaded() {
    let library = library().join("libsegl.so.1");
    let dynamic = cdylib::run(Command::new("readelf").args(["-d", "-W"]).arg(library));
    let has = |tag: &str, value: &str| {
        dynamic
            .lines()
            .any(|line| line.contains(tag) && line.contains(value))
    };
    assert!(has("(SONAME)", "[libsegl.so.1]"), "{dynamic}");
    assert!(has("(FLAGS_1)", "NODELETE"), "{dynamic}");
}

#[test]
#[cfg(target_pointer_width = "64")]
fn the_structs_are_laid_out_like_this() {
    for (compiler, language) in [("gcc", "-std=c11"), ("clang", "-std=c11")] {
        let program = format!("layout-{compiler}");
        cdylib::compile(compiler, &[language], &["layout.c"], library(), &program);
        let layout = cdylib::run(&mut Command::new(library().join(&program)));
        frozen::check("tests/data/abi-layout.txt", &layout);
    }
}

#[test]
fn the_layout_has_every_member_of_the_header() {
    let header = std::fs::read_to_string(cdylib::root().join("include/segl.h")).unwrap();
    let code = cdylib::without_comments(&header);
    let mut expected = BTreeSet::new();
    for definition in code.split("typedef struct {").skip(1) {
        let (members, rest) = definition.split_once("\n}").unwrap();
        let name = rest.split(';').next().unwrap().trim();
        expected.insert(name.to_owned());
        for member in members
            .split(';')
            .filter(|member| !member.trim().is_empty())
        {
            expected.insert(format!("{name}.{}", member_name(member)));
        }
    }
    let printer = std::fs::read_to_string(cdylib::root().join("tests/c/layout.c")).unwrap();
    let printed = printer
        .lines()
        .filter_map(|line| line.trim().strip_suffix(");"))
        .filter_map(|line| {
            let member = line.strip_prefix("MEMBER(").map(|at| at.replace(", ", "."));
            member.or_else(|| line.strip_prefix("STRUCT(").map(str::to_owned))
        })
        .collect();
    assert_eq!(expected, printed);
    assert!(expected.contains("segl_call.cancel"));
}

/// `size_t len` and `void (*destroy)(void *ctx)` have the names `len` and
/// `destroy`.
fn member_name(declaration: &str) -> &str {
    match declaration.split_once("(*") {
        Some((_, name)) => name.split(')').next().unwrap(),
        None => declaration
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()
            .unwrap(),
    }
}
