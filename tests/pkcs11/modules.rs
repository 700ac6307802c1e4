//! What may be loaded as a module.

use super::*;

#[test]
fn a_module_must_be_a_module() {
    let text_file = fixture().path("softhsm2.conf");
    let open = |module: &str| {
        let uri = uri_in(module, "token=main;object=rsa");
        let error = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ModuleLoad, "{error}");
        assert!(error.message().contains(module), "{error}");
        error.message().to_owned()
    };
    assert!(open("/nowhere/module.so").contains("check module-path"));
    assert!(open("/usr/lib").contains("is not a file"));
    open(text_file.to_str().unwrap());
    let library = c_library();
    let not_pkcs11 = open(&library);
    assert!(not_pkcs11.contains("C_GetFunctionList"), "{not_pkcs11}");

    let without = match "pkcs11:token=main;object=rsa".parse().unwrap() {
        segl::KeyUri::Pkcs11(uri) => uri,
        other => panic!("{other}"),
    };
    let error = Pkcs11Signer::open(&without, pin(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyUri);
}

/// A library that this process has loaded and that is no PKCS#11 module.
fn c_library() -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let paths = maps
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let mut libraries = paths.filter(|path| path.contains("/libc.so"));
    libraries.next().unwrap().to_owned()
}

#[test]
fn a_module_that_others_can_change_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let copy = fixture().path("writable.so");
    std::fs::copy(softhsm::module(), &copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o777)).unwrap();
    let uri = uri_in(copy.to_str().unwrap(), "token=main;object=rsa");
    let error = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModuleLoad);
    assert!(error.message().contains("chmod"), "{error}");
}
