//! From process start to the first signature with a key in SoftHSM: a C program
//! over segl against a C program that makes the bare calls.

#[path = "../tests/support/softhsm.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod softhsm;
mod support;

use std::path::Path;
use std::process::Command;

use criterion::{Criterion, criterion_group, criterion_main};

use softhsm::SoftHsm;

fn first_signature(criterion: &mut Criterion) {
    let hsm = SoftHsm::new("bench-start");
    hsm.init_token("bench");
    hsm.generate("bench", "EC:prime256v1", "02", "ec", &[]);
    let library = support::release_folder();
    let compile = |name: &str, flags: &[&str]| {
        let program = hsm.path(name);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/c/{name}.c"));
        let status = Command::new("cc")
            .args([
                "-O2",
                "-o",
                program.to_str().unwrap(),
                source.to_str().unwrap(),
            ])
            .args(flags)
            .status()
            .unwrap();
        assert!(status.success());
        program
    };
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
    let folder = format!("-L{}", library.display());
    let run_path = format!("-Wl,-rpath,{}", library.display());
    let bare = compile("bare", &["-ldl"]);
    let first = compile("first", &[include, &folder, &run_path, "-lsegl"]);
    let uri = format!(
        "pkcs11:token=bench;id=%02?module-path={}",
        softhsm::module()
    );
    let run = |program: &Path, argument: &str| {
        let status = Command::new(program)
            .args([argument, softhsm::PIN])
            .status()
            .unwrap();
        assert!(status.success());
    };
    support::compare(
        criterion,
        "process start to first signature, SoftHSM key, C over segl to bare C",
        || run(&bare, softhsm::module()),
        || run(&first, &uri),
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = first_signature
}
criterion_main!(benches);
