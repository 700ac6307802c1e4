//! Each function of the header has its place in each language, and the table in
//! `bindings/README.md` tells where. The header says which functions there are, the
//! sources of the bindings whether they declare and call them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::frozen;

/// The binding calls it, and its users need not.
const INSIDE: &str = "inside";
/// The extension module is Rust: what the function is for, ownership does.
const RUST: &str = "Rust";

/// The function without its prefix, and what programs use in Java, .NET and Python.
const PLACES: &[(&str, &str, &str, &str)] = &[
    (
        "abi_version",
        "Segl.abiVersion",
        "SeglLibrary.AbiVersion",
        RUST,
    ),
    ("version", "Segl.version", "SeglLibrary.Version", "version"),
    (
        "shutdown",
        "Segl.shutdown",
        "SeglLibrary.Shutdown",
        "shutdown",
    ),
    ("log_set", "Segl.setLog", "SeglLibrary.SetLog", "set_log"),
    ("signer_open", "Signer.open", "Signer.Open", "Signer.open"),
    (
        "signer_from_bytes",
        "Signer.fromBytes",
        "Signer.FromBytes",
        "Signer.from_bytes",
    ),
    (
        "signer_from_vtable",
        "Signer.fromCallback",
        "Signer.FromCallback",
        "Signer.from_callback",
    ),
    ("signer_sign", "Signer.sign", "Signer.Sign", "Signer.sign"),
    ("jws_sign", "Signer.jws", "Signer.Jws", "Signer.jws"),
    (
        "signer_public_jwk",
        "Signer.publicJwk",
        "Signer.PublicJwk",
        "Signer.public_jwk",
    ),
    (
        "signer_describe",
        "Signer.describe",
        "Signer.Describe",
        "Signer.describe",
    ),
    (
        "signer_health",
        "Signer.health",
        "Signer.Health",
        "Signer.health",
    ),
    (
        "signer_probe",
        "Signer.probe",
        "Signer.Probe",
        "Signer.probe",
    ),
    (
        "signer_free",
        "Signer.close",
        "Signer.Dispose",
        "Signer.close",
    ),
    (
        "client_open",
        "TokenClient.open",
        "TokenClient.Open",
        "TokenClient.open",
    ),
    (
        "client_new",
        "TokenClient.create",
        "TokenClient.Create",
        "TokenClient.create",
    ),
    (
        "client_token",
        "TokenClient.token",
        "TokenClient.Token",
        "TokenClient.token",
    ),
    (
        "client_token_if_newer",
        "TokenClient.token",
        "TokenClient.Token",
        "TokenClient.token",
    ),
    (
        "client_assertion",
        "TokenClient.assertion",
        "TokenClient.Assertion",
        "TokenClient.assertion",
    ),
    (
        "client_registration",
        "TokenClient.registration",
        "TokenClient.Registration",
        "TokenClient.registration",
    ),
    (
        "client_send",
        "TokenClient.send",
        "TokenClient.Send",
        "TokenClient.send",
    ),
    (
        "client_call_api",
        "TokenClient.callApi",
        "TokenClient.CallApi",
        "TokenClient.call_api",
    ),
    (
        "client_require_allowed",
        "TokenClient.requireAllowed",
        "TokenClient.RequireAllowed",
        "TokenClient.require_allowed",
    ),
    (
        "client_reject",
        "TokenClient.reject",
        "TokenClient.Reject",
        "TokenClient.reject",
    ),
    (
        "client_forget",
        "TokenClient.forget",
        "TokenClient.Forget",
        "TokenClient.forget",
    ),
    (
        "client_health",
        "TokenClient.health",
        "TokenClient.Health",
        "TokenClient.health",
    ),
    (
        "client_dpop_proof",
        "TokenClient.dpopProof",
        "TokenClient.DpopProof",
        "TokenClient.dpop_proof",
    ),
    (
        "client_dpop_nonce",
        "TokenClient.dpopNonce",
        "TokenClient.DpopNonce",
        "TokenClient.dpop_nonce",
    ),
    (
        "client_free",
        "TokenClient.close",
        "TokenClient.Dispose",
        "TokenClient.close",
    ),
    (
        "validator_new",
        "Validator.create",
        "Validator.Create",
        "Validator.__new__",
    ),
    (
        "validator_check",
        "Validator.check",
        "Validator.Check",
        "Validator.check",
    ),
    (
        "validator_free",
        "Validator.close",
        "Validator.Dispose",
        "Validator.close",
    ),
    (
        "transport_from_vtable",
        "HttpTransport.send",
        "IHttpTransport.Send",
        "HttpTransport.send",
    ),
    (
        "reply_set",
        "HttpTransport.send",
        "IHttpTransport.Send",
        "HttpTransport.send",
    ),
    ("transport_free", INSIDE, INSIDE, RUST),
    (
        "cancel_new",
        "CancelToken.CancelToken",
        INSIDE,
        "CancelToken.__new__",
    ),
    (
        "cancel_trigger",
        "CancelToken.trigger",
        INSIDE,
        "CancelToken.trigger",
    ),
    ("cancel_free", "CancelToken.close", INSIDE, RUST),
    ("fail_set", INSIDE, INSIDE, RUST),
    (
        "error_code",
        "SeglException.code",
        "SeglException.Code",
        "SeglError.code",
    ),
    (
        "error_name",
        "SeglException.name",
        "SeglException.Name",
        "SeglError.name",
    ),
    (
        "error_message",
        "SeglException.SeglException",
        "SeglException.SeglException",
        "SeglError.message",
    ),
    (
        "error_int",
        "SeglException.retryable",
        "SeglException.Retryable",
        "SeglError.retryable",
    ),
    (
        "error_str",
        "SeglException.providerCode",
        "SeglException.ProviderCode",
        "SeglError.provider_code",
    ),
    ("error_free", INSIDE, INSIDE, RUST),
    ("bytes_free", INSIDE, INSIDE, RUST),
    ("token_free", INSIDE, INSIDE, RUST),
    ("http_response_free", INSIDE, INSIDE, RUST),
];

#[test]
fn each_function_of_the_header_has_a_place_in_each_language() {
    let placed: BTreeSet<String> = PLACES
        .iter()
        .map(|(function, ..)| format!("segl_{function}"))
        .collect();
    let declared: BTreeSet<String> = read("tests/data/abi-symbols.txt")
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(declared, placed, "give each function its place in PLACES");
}

#[test]
fn java_declares_and_calls_each_of_them() {
    let sources = "bindings/java/segl/src/main";
    let inside = Path::new(sources).join("java/no/segl/internal");
    for (function, place, ..) in PLACES {
        let function = format!("segl_{function}");
        for declaration in [
            inside.join("Native.java"),
            inside.join("JnaFunctions.java"),
            Path::new(sources).join("java22/no/segl/internal/FfmFunctions.java"),
        ] {
            let text = read(declaration.to_str().unwrap());
            assert!(
                has_word(&text, &function),
                "{} has no {function}",
                declaration.display()
            );
        }
        let calls = |path: &Path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let declares = ["Native.java", "JnaFunctions.java", "FfmFunctions.java"];
            !declares.contains(&name) && read_path(path).contains(&format!(".{function}("))
        };
        let all = files(sources, "java");
        assert!(
            all.iter().any(|path| calls(path)),
            "nothing in Java calls {function}"
        );
        if *place != INSIDE {
            let (class, member) = place.split_once('.').unwrap();
            has_member("Java", sources, "java", class, member);
        }
    }
}

#[test]
fn dotnet_declares_and_calls_each_of_them() {
    let sources = "bindings/dotnet/Segl";
    let declarations = read("bindings/dotnet/Segl/Interop/NativeMethods.cs");
    for (function, _, place, _) in PLACES {
        let function = format!("segl_{function}");
        assert!(
            has_word(&declarations, &function),
            "NativeMethods.cs has no {function}"
        );
        let calls = |path: &Path| read_path(path).contains(&format!("NativeMethods.{function}("));
        let all = files(sources, "cs");
        assert!(
            all.iter().any(|path| calls(path)),
            "nothing in .NET calls {function}"
        );
        if *place != INSIDE {
            let (class, member) = place.split_once('.').unwrap();
            has_member(".NET", sources, "cs", class, member);
        }
    }
}

/// The type checker's stubtest compares the stub with the module.
#[test]
fn python_has_each_of_them() {
    let stub = read("bindings/python/python/segl/_native.pyi");
    let mut sources = stub;
    for path in files("bindings/python/python/segl", "py") {
        sources.push_str(&read_path(&path));
    }
    for (function, _, _, place) in PLACES {
        if *place == RUST {
            continue;
        }
        let found = match place.split_once('.') {
            None => {
                has_word(&sources, place)
                    && read("bindings/python/python/segl/__init__.py")
                        .contains(&format!("\"{place}\""))
            }
            Some((class, member)) => class_body(&sources, class).iter().any(|body| {
                body.contains(&format!("def {member}(")) || body.contains(&format!("    {member}:"))
            }),
        };
        assert!(found, "Python has no {place} for segl_{function}");
    }
}

#[test]
fn the_table_is_in_the_readme() {
    let mut table = "| C | Java | .NET | Python |\n|---|---|---|---|\n".to_owned();
    for (function, java, dotnet, python) in PLACES {
        let [java, dotnet, python] = [java, dotnet, python].map(|place| match *place {
            INSIDE => "(inside)".to_owned(),
            RUST => "(Rust)".to_owned(),
            place => format!("`{}`", constructor(place)),
        });
        writeln!(
            table,
            "| `segl_{function}` | {java} | {dotnet} | {python} |"
        )
        .unwrap();
    }
    let path = "bindings/README.md";
    let (begin, end) = ("<!-- parity -->\n", "<!-- end of parity -->");
    let page = read(path);
    let (before, rest) = page.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    frozen::check(path, &format!("{before}{begin}{table}{end}{after}"));
}

/// `CancelToken.CancelToken` is `new CancelToken`.
fn constructor(place: &str) -> String {
    match place.split_once('.') {
        Some((class, member)) if class == member || member == "__new__" => format!("{class}(…)"),
        _ => place.to_owned(),
    }
}

/// Fails unless a file named after the class declares the member as public, or is an
/// interface, whose members are.
fn has_member(language: &str, sources: &str, extension: &str, class: &str, member: &str) {
    let of_class: Vec<PathBuf> = files(sources, extension)
        .into_iter()
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .split('.')
                .next()
                == Some(class)
        })
        .collect();
    let declares = |path: &PathBuf| {
        let text = read_path(path);
        let is_interface = text.contains(&format!("interface {class}"));
        text.lines().any(|line| {
            let is_public = line.trim_start().starts_with("public ") || is_interface;
            is_public && !line.contains(" class ") && has_word(line, member)
        })
    };
    assert!(
        of_class.iter().any(declares),
        "{language} has no public {class}.{member}"
    );
}

/// The text of each class of this name: up to the next line that is not indented.
fn class_body<'a>(sources: &'a str, class: &str) -> Vec<&'a str> {
    let opening = ["(", ":"].map(|end| format!("class {class}{end}"));
    let mut bodies = Vec::new();
    for (start, _) in sources.match_indices(&format!("class {class}")) {
        let text = &sources[start..];
        if opening
            .iter()
            .any(|opening| text.starts_with(opening.as_str()))
        {
            let end = text.find("\n\n\n").unwrap_or(text.len());
            bodies.push(&text[..end]);
        }
    }
    bodies
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(is_part) && !text[start + word.len()..].starts_with(is_part)
    })
}

fn read(path: &str) -> String {
    read_path(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}

fn read_path(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every source file under a folder of the repository.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}
